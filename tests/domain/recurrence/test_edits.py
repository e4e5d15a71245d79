from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from planner.domain.recurrence.edits import Changes, delete_following, delete_this, edit_all, edit_this, split_following
from planner.domain.recurrence.rrule import RecurrenceError, parse
from planner.domain.recurrence.series import Override, Series, validate
from planner.domain.recurrence.shift import Shift
from tests.domain import strategies
from tests.domain.oracle import occurrences_of, recurrence_ids

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NINE = datetime(2024, 3, 1, 9)

Listed = list[tuple[datetime, datetime, date, date]]


def horizon(series: Series, days: int = 300) -> date:
    """How far the tests look; hours make for many occurrences."""
    return series.start + (30 if "HOURLY" in (series.rrule or "") else days) * DAY


def listed(series: Series | None, high: date) -> Listed:
    return [] if series is None else occurrences_of(series, high)


def in_order(items: Listed) -> Listed:
    return sorted(items, key=lambda item: (item[0], item[2]))


@st.composite
def cuts(draw: st.DrawFn, rule: st.SearchStrategy[str] | None = None) -> tuple[Series, date]:
    """A valid series and the id of one of its occurrences."""
    series = validate(draw(strategies.series(rule=rule)))
    ids = recurrence_ids(series, horizon(series))
    assume(ids)
    return series, draw(st.sampled_from(ids[:40]))


# One occurrence.


@given(cuts(), st.data())
def test_changing_one_occurrence_changes_that_one_only(cut: tuple[Series, date], data: st.DataObject) -> None:
    series, recurrence_id = cut
    high = horizon(series)
    patch = data.draw(strategies.patches(st.sampled_from([recurrence_id, series.start + 3 * DAY]), series.all_day))
    edited = edit_this(series, recurrence_id, replace(patch, excluded=False))
    before = {item[2]: item for item in listed(series, high)}
    after = {item[2]: item for item in listed(edited, high)}
    assert before.keys() == after.keys()
    assert all(after[key] == before[key] for key in before if key != recurrence_id)
    assert patch.start is None or after[recurrence_id][3] == patch.start
    assert edited.overrides[recurrence_id].fields.items() >= patch.fields.items()


@given(cuts())
def test_deleting_one_occurrence_deletes_that_one_only(cut: tuple[Series, date]) -> None:
    series, recurrence_id = cut
    high = horizon(series)
    left = delete_this(series, recurrence_id)
    assert listed(left, high) == [item for item in listed(series, high) if item[2] != recurrence_id]
    assert validate(left) == left
    with pytest.raises(RecurrenceError, match="there is no occurrence"):
        delete_this(left, recurrence_id)


def test_an_override_adds_to_an_earlier_one() -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY")
    once = edit_this(series, NINE, Override(start=NINE + HOUR, fields={"title": "Late", "location": "Here"}))
    twice = edit_this(once, NINE, Override(duration=2 * HOUR, fields={"title": "Later"}))
    assert twice.overrides == {
        NINE: Override(NINE + HOUR, 2 * HOUR, fields={"title": "Later", "location": "Here"}),
    }


def test_an_excluding_patch_deletes() -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY")
    assert edit_this(series, NINE, Override(excluded=True)) == delete_this(series, NINE)


def test_deleting_a_date_beside_the_rule_leaves_no_trace() -> None:
    series = Series(NINE, rrule="FREQ=DAILY", rdates=frozenset({NINE + HOUR}))
    assert delete_this(series, NINE + HOUR) == Series(NINE, rrule="FREQ=DAILY")


# One and all that follow.


@given(cuts())
def test_a_series_split_in_two_is_the_same_as_before(cut: tuple[Series, date]) -> None:
    series, recurrence_id = cut
    high = horizon(series)
    head, tail = split_following(series, recurrence_id)
    assert listed(head, high) == [item for item in listed(series, high) if item[2] < recurrence_id]
    assert listed(tail, high) == [item for item in listed(series, high) if item[2] >= recurrence_id]
    assert head is None or validate(head) == head
    assert validate(tail) == tail
    assert delete_following(series, recurrence_id) == head


@given(cuts(), st.data())
def test_a_series_split_twice_is_the_same_as_before(cut: tuple[Series, date], data: st.DataObject) -> None:
    series, recurrence_id = cut
    high = horizon(series)
    _, tail = split_following(series, recurrence_id)
    second = data.draw(st.sampled_from(recurrence_ids(tail, high)[:40]))
    middle, end = split_following(tail, second)
    both = in_order([*listed(middle, high), *listed(end, high)])
    assert both == [item for item in listed(series, high) if item[2] >= recurrence_id]


def exactly_movable() -> st.SearchStrategy[str]:
    """Rules that a move by days or hours carries along exactly."""
    weekdays = strategies.plain_weekdays
    interval = st.sampled_from(["", ";INTERVAL=2", ";INTERVAL=3", ";INTERVAL=10"])
    wkst = st.sampled_from(["", ";WKST=SU", ";WKST=WE"])
    return st.one_of(
        st.builds("FREQ=DAILY{}".format, interval),
        st.builds("FREQ=DAILY{};BYDAY={}".format, interval, weekdays),
        st.builds("FREQ=WEEKLY{}{}".format, interval, wkst),
        st.builds("FREQ=WEEKLY{}{};BYDAY={}".format, interval, wkst, weekdays),
        st.builds("FREQ=WEEKLY{}{};BYDAY={};BYSETPOS=-1".format, interval, wkst, weekdays),
        st.builds("FREQ=HOURLY{}".format, interval),
    )


def movable_by_time() -> st.SearchStrategy[str]:
    """Rules that a move within the day carries along exactly, whatever days they have."""
    return strategies.rules(all_day=True)


def start_matches_rule(series: Series) -> bool:
    return series.pattern is None or series.pattern.start_matches_rule


@st.composite
def moves(draw: st.DrawFn) -> tuple[Series, date, date]:
    """A series, the id of an occurrence, and a start for it to which the series can move exactly."""
    if draw(st.booleans()):
        series, recurrence_id = draw(cuts(exactly_movable()))
        delta = draw(st.integers(-10, 10)) * DAY
        if not series.all_day:
            delta += draw(st.sampled_from([-3 * HOUR, -30 * MINUTE, 0 * HOUR, HOUR, 26 * HOUR]))
        return series, recurrence_id, recurrence_id + delta
    series, recurrence_id = draw(cuts(movable_by_time()))
    assume(isinstance(recurrence_id, datetime))
    assert isinstance(recurrence_id, datetime)
    return series, recurrence_id, recurrence_id.replace(hour=draw(st.integers(0, 23)), minute=draw(st.integers(0, 59)))


def shifted(series: Series, items: Listed, shift: Shift, own: date | None = None) -> list[tuple[date, date]]:
    """The ids and starts that occurrences have after the move; that of `own` is the moved id itself."""
    found = [
        (shift(recurrence_id), shift(recurrence_id if recurrence_id == own else local))
        for _, _, recurrence_id, local in items
    ]
    return sorted(found)


def ids_and_starts(series: Series, high: date) -> list[tuple[date, date]]:
    return sorted((recurrence_id, local) for _, _, recurrence_id, local in listed(series, high))


@given(moves())
def test_moving_one_and_the_following_moves_all_that_follow(move: tuple[Series, date, date]) -> None:
    series, recurrence_id, start = move
    shift, high = Shift(recurrence_id, start), horizon(series)
    assume(start_matches_rule(series))
    head, tail = split_following(series, recurrence_id, Changes(start=start))
    assert listed(head, high) == [item for item in listed(series, high) if item[2] < recurrence_id]
    following = [item for item in listed(series, high) if item[2] >= recurrence_id]
    assert ids_and_starts(tail, shift(high)) == shifted(series, following, shift, own=recurrence_id)
    assert all(not tail.has(shift(excluded)) for excluded in series.exdates if excluded >= recurrence_id)


@given(moves())
def test_moving_all_moves_all(move: tuple[Series, date, date]) -> None:
    series, recurrence_id, start = move
    delta, high = Shift(recurrence_id, start), horizon(series)
    assume(start_matches_rule(series))
    # A move by time has to stay within the day for all of them, as it does for this one.
    moved = edit_all(series, Changes(start=delta(series.start)))
    assert ids_and_starts(moved, delta(high)) == shifted(series, listed(series, high), delta)
    assert all(not moved.has(delta(excluded)) for excluded in series.exdates)
    assert moved.duration == series.duration


@given(cuts(), st.data())
def test_any_move_is_either_made_or_refused(cut: tuple[Series, date], data: st.DataObject) -> None:
    series, recurrence_id = cut
    start = data.draw(strategies.days | strategies.locals_)
    parts = attempted(lambda: split_following(series, recurrence_id, Changes(start=start)))
    if parts is None:
        return
    head, tail = parts
    assert head == delete_following(series, recurrence_id)
    assert validate(tail) == tail
    assert tail.has(start)
    assert all(not tail.has(excluded) for excluded in tail.exdates)


def attempted(edit: Callable[[], tuple[Series | None, Series]]) -> tuple[Series | None, Series] | None:
    """What the edit gives, or None if it is refused because of the rule."""
    try:
        return edit()
    except RecurrenceError as error:
        if error.field != "rrule":
            raise
        return None


@given(cuts(), strategies.zones)
def test_in_another_zone_the_wall_time_stays(cut: tuple[Series, date], zone: str) -> None:
    series, _ = cut
    high = horizon(series)
    assert ids_and_starts(edit_all(series, Changes(zone=zone)), high) == ids_and_starts(series, high)


@given(cuts(), st.data())
def test_a_new_rule_keeps_the_overrides_that_still_have_an_occurrence(
    cut: tuple[Series, date], data: st.DataObject
) -> None:
    series, _ = cut
    text = data.draw(strategies.simple_rules)
    assume(not (series.all_day and "HOURLY" in text))
    high = horizon(series)
    assume(all(key <= high for key in series.overrides))
    edited = edit_all(series, Changes(rrule=text))
    ids = set(recurrence_ids(replace(edited, overrides={}, exdates=frozenset()), high))
    old = set(recurrence_ids(replace(series, overrides={}, exdates=frozenset()), high))
    assert edited.overrides == {key: patch for key, patch in series.overrides.items() if key in ids or key not in old}
    assert edited.exdates == series.exdates


def test_the_first_of_all_leaves_nothing_before_it() -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY")
    assert delete_following(series, NINE) is None
    assert split_following(series, NINE, Changes(duration=2 * HOUR)) == (None, replace(series, duration=2 * HOUR))


def test_a_count_is_shared_out() -> None:
    series = Series(NINE, rrule="FREQ=DAILY;COUNT=10", exdates=frozenset({NINE + DAY}))
    head, tail = split_following(series, NINE + 4 * DAY)
    assert head == Series(NINE, rrule="FREQ=DAILY;COUNT=4", exdates=frozenset({NINE + DAY}))
    assert tail == Series(NINE + 4 * DAY, rrule="FREQ=DAILY;COUNT=6")


def test_a_rule_without_end_ends_with_the_last_that_stays() -> None:
    series = Series(NINE, zone="Europe/Berlin", rrule="FREQ=WEEKLY")
    head, tail = split_following(series, NINE + 14 * DAY)
    assert head == replace(series, rrule="FREQ=WEEKLY;UNTIL=20240308T080000Z")
    assert tail == replace(series, start=NINE + 14 * DAY)


def test_days_end_with_a_date() -> None:
    head, _ = split_following(Series(date(2024, 3, 1), rrule="FREQ=WEEKLY"), date(2024, 3, 15))
    assert head == Series(date(2024, 3, 1), rrule="FREQ=WEEKLY;UNTIL=20240308")


def test_split_where_the_clocks_skip_an_hour_each_part_has_its_own() -> None:
    series = Series(datetime(2024, 3, 31, 0), zone="Europe/Berlin", rrule="FREQ=HOURLY;BYMINUTE=0,30")
    head, tail = split_following(series, datetime(2024, 3, 31, 3))
    high = datetime(2024, 3, 31, 5)
    assert sorted(item[2] for item in listed(head, high)) == [series.start + 30 * MINUTE * nth for nth in range(6)]
    assert in_order([*listed(head, high), *listed(tail, high)]) == listed(series, high)
    assert head is not None
    assert head.exdates == {datetime(2024, 3, 31, 3), datetime(2024, 3, 31, 3, 30)}


@pytest.mark.parametrize("place", range(1, 12))
def test_split_anywhere_in_a_night_with_a_gap_nothing_is_lost(place: int) -> None:
    series = Series(datetime(2024, 3, 31, 0), zone="Europe/Berlin", rrule="FREQ=HOURLY;BYMINUTE=0,30")
    head, tail = split_following(series, series.start + 30 * MINUTE * place)
    high = datetime(2024, 3, 31, 12)
    assert [item[2] for item in listed(head, high)] == [
        item[2] for item in listed(series, high) if item[2] < tail.start
    ]
    assert in_order([*listed(head, high), *listed(tail, high)]) == listed(series, high)


def test_a_start_out_of_step_is_counted_with_the_part_that_has_it() -> None:
    wednesday = date(2024, 5, 1)
    series = Series(wednesday, rrule="FREQ=WEEKLY;COUNT=5;BYDAY=MO")
    head, tail = split_following(series, date(2024, 5, 20))
    assert head == Series(wednesday, rrule="FREQ=WEEKLY;COUNT=3;BYDAY=MO")
    assert tail == Series(date(2024, 5, 20), rrule="FREQ=WEEKLY;COUNT=2;BYDAY=MO")


def test_a_split_at_a_date_beside_the_rule_keeps_the_rule_in_phase() -> None:
    extra = NINE + 4 * DAY
    series = Series(NINE, rrule="FREQ=DAILY;INTERVAL=3", rdates=frozenset({extra}))
    head, tail = split_following(series, extra)
    assert head == Series(NINE, rrule="FREQ=DAILY;INTERVAL=3;UNTIL=20240304T090000Z")
    assert tail == Series(NINE + 6 * DAY, rrule="FREQ=DAILY;INTERVAL=3", rdates=frozenset({extra}))


def test_the_rest_of_a_series_may_be_dates_alone() -> None:
    days = frozenset({NINE + 40 * DAY, NINE + 50 * DAY})
    series = Series(NINE, rrule="FREQ=DAILY;COUNT=2", rdates=days)
    _, tail = split_following(series, NINE + 40 * DAY)
    assert tail == Series(NINE + 40 * DAY, rdates=frozenset({NINE + 50 * DAY}))


def test_a_date_before_the_start_can_be_all_that_stays() -> None:
    series = Series(NINE, rrule="FREQ=DAILY", rdates=frozenset({NINE - 9 * DAY, NINE - 5 * DAY}))
    head, tail = split_following(series, NINE)
    assert head == Series(NINE - 9 * DAY, rdates=frozenset({NINE - 5 * DAY}))
    assert tail == Series(NINE, rrule="FREQ=DAILY")


def test_the_changes_are_meant_for_the_occurrence_they_begin_with() -> None:
    overrides: dict[date, Override] = {
        NINE + DAY: Override(start=NINE + DAY + 2 * HOUR, duration=3 * HOUR, fields={"title": "Long"}),
        NINE + 2 * DAY: Override(start=NINE + 2 * DAY + 2 * HOUR, duration=3 * HOUR),
    }
    series = Series(NINE, HOUR, rrule="FREQ=DAILY", overrides=overrides)
    _, tail = split_following(series, NINE + DAY, Changes(start=NINE + DAY + HOUR))
    assert tail.overrides == {
        NINE + DAY + HOUR: Override(duration=3 * HOUR, fields={"title": "Long"}),
        NINE + 2 * DAY + HOUR: Override(start=NINE + 2 * DAY + 3 * HOUR, duration=3 * HOUR),
    }


# What becomes of the rule when the start moves.

FRIDAY = datetime(2024, 3, 29, 9)

MOVES: list[tuple[str, datetime, timedelta, str]] = [
    ("FREQ=WEEKLY", FRIDAY, DAY, "FREQ=WEEKLY"),
    ("FREQ=WEEKLY;BYDAY=FR", FRIDAY, DAY, "FREQ=WEEKLY;BYDAY=SA"),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR", FRIDAY, -DAY, "FREQ=WEEKLY;BYDAY=TU,TH,SU"),
    ("FREQ=WEEKLY;BYDAY=MO,WE,FR", FRIDAY, 7 * DAY, "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", FRIDAY, 3 * DAY, "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=TH"),
    ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", FRIDAY, DAY, "FREQ=DAILY;BYDAY=TU,WE,TH,FR,SA"),
    ("FREQ=MONTHLY", FRIDAY, DAY, "FREQ=MONTHLY"),
    ("FREQ=MONTHLY;BYMONTHDAY=29", FRIDAY, DAY, "FREQ=MONTHLY;BYMONTHDAY=30"),
    ("FREQ=MONTHLY;BYMONTHDAY=29", FRIDAY, 5 * DAY, "FREQ=MONTHLY;BYMONTHDAY=3"),
    ("FREQ=MONTHLY;BYMONTHDAY=-3", FRIDAY, DAY, "FREQ=MONTHLY;BYMONTHDAY=-2"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,15,29", FRIDAY, DAY, "FREQ=MONTHLY;BYMONTHDAY=2,16,30"),
    ("FREQ=MONTHLY;BYDAY=-1FR", FRIDAY, -DAY, "FREQ=MONTHLY;BYDAY=-1TH"),
    ("FREQ=MONTHLY;BYDAY=5FR", FRIDAY, -7 * DAY, "FREQ=MONTHLY;BYDAY=4FR"),
    ("FREQ=MONTHLY;BYDAY=5FR", FRIDAY, 7 * DAY, "FREQ=MONTHLY;BYDAY=1FR"),
    ("FREQ=MONTHLY;BYDAY=FR", FRIDAY, DAY, "FREQ=MONTHLY;BYDAY=SA"),
    ("FREQ=MONTHLY;BYDAY=1MO,1WE", datetime(2024, 4, 1, 9), DAY, "FREQ=MONTHLY;BYDAY=1TU,1TH"),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", FRIDAY, DAY, "FREQ=MONTHLY;BYDAY=TU,WE,TH,FR,SA;BYSETPOS=-1"),
    ("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR", datetime(2024, 9, 13, 9), DAY, "FREQ=MONTHLY;BYMONTHDAY=14;BYDAY=SA"),
    ("FREQ=YEARLY", FRIDAY, 40 * DAY, "FREQ=YEARLY"),
    ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=29", FRIDAY, 5 * DAY, "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=3"),
    ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1FR", FRIDAY, 7 * DAY, "FREQ=YEARLY;BYMONTH=4;BYDAY=-4FR"),
    ("FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=29", FRIDAY, 5 * DAY, "FREQ=YEARLY;BYMONTH=4,10;BYMONTHDAY=3"),
    ("FREQ=YEARLY;BYDAY=13FR", FRIDAY, 3 * DAY, "FREQ=YEARLY;BYDAY=14MO"),
    ("FREQ=YEARLY;BYYEARDAY=89", FRIDAY, 3 * DAY, "FREQ=YEARLY;BYYEARDAY=92"),
    ("FREQ=YEARLY;BYWEEKNO=13;BYDAY=FR", FRIDAY, 3 * DAY, "FREQ=YEARLY;BYWEEKNO=14;BYDAY=MO"),
    ("FREQ=DAILY;BYHOUR=9", FRIDAY, HOUR, "FREQ=DAILY;BYHOUR=10"),
    ("FREQ=DAILY;BYHOUR=9,17", FRIDAY, HOUR, "FREQ=DAILY;BYHOUR=10,18"),
    ("FREQ=DAILY;BYHOUR=9,17", FRIDAY, 30 * MINUTE, "FREQ=DAILY;BYHOUR=9,17"),
    ("FREQ=DAILY;BYMINUTE=0,30", FRIDAY, 15 * MINUTE, "FREQ=DAILY;BYMINUTE=15,45"),
    ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0", FRIDAY, DAY + 30 * MINUTE, "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=30"),
    ("FREQ=HOURLY;BYMINUTE=0,30", FRIDAY, 5 * HOUR, "FREQ=HOURLY;BYMINUTE=0,30"),
    ("FREQ=HOURLY;BYMINUTE=0,30", FRIDAY, 10 * MINUTE, "FREQ=HOURLY;BYMINUTE=10,40"),
    ("FREQ=WEEKLY;COUNT=5", FRIDAY, DAY, "FREQ=WEEKLY;COUNT=5"),
    ("FREQ=WEEKLY;UNTIL=20240412T085959Z", FRIDAY, DAY, "FREQ=WEEKLY;UNTIL=20240406T090000Z"),
]


@pytest.mark.parametrize(
    ("rule", "start", "delta", "expected"), MOVES, ids=[f"{move[0]} by {move[2]}" for move in MOVES]
)
def test_the_rule_moves_with_its_start(rule: str, start: datetime, delta: timedelta, expected: str) -> None:
    moved = edit_all(Series(start, HOUR, rrule=rule), Changes(start=start + delta))
    assert moved == Series(start + delta, HOUR, rrule=expected)


@pytest.mark.parametrize(
    ("rule", "delta"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=29,31", DAY),
        ("FREQ=MONTHLY;BYMONTHDAY=1,29", 5 * DAY),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", -DAY),
        ("FREQ=YEARLY;BYYEARDAY=89,366", DAY),
        ("FREQ=DAILY;BYHOUR=9,17", 8 * HOUR),
        ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30", 30 * MINUTE),
        ("FREQ=HOURLY;BYMINUTE=0,30", 40 * MINUTE),
    ],
)
def test_where_it_is_not_plain_what_becomes_of_the_rule_a_new_one_has_to_come_along(
    rule: str, delta: timedelta
) -> None:
    series = Series(FRIDAY, HOUR, rrule=rule)
    with pytest.raises(RecurrenceError, match="give a new rule") as caught:
        edit_all(series, Changes(start=FRIDAY + delta))
    assert caught.value.field == "rrule"
    assert edit_all(series, Changes(start=FRIDAY + delta, rrule="FREQ=DAILY")) == Series(
        FRIDAY + delta, HOUR, rrule="FREQ=DAILY"
    )


def test_exceptions_stay_with_their_month_when_the_last_friday_becomes_the_last_thursday() -> None:
    # The last Thursday of October 2024 is six days after the last Friday.
    october, november = datetime(2024, 10, 25, 9), datetime(2024, 11, 29, 9)
    series = Series(
        FRIDAY,
        HOUR,
        rrule="FREQ=MONTHLY;BYDAY=-1FR",
        exdates=frozenset({october}),
        overrides={november: Override(start=november + HOUR)},
    )
    moved = edit_all(series, Changes(start=FRIDAY - DAY))
    assert moved.exdates == {datetime(2024, 10, 31, 9)}
    assert moved.overrides == {datetime(2024, 11, 28, 9): Override(start=datetime(2024, 11, 28, 10))}


def test_a_timed_series_can_become_one_of_days_and_back() -> None:
    series = Series(
        NINE,
        HOUR,
        "Europe/Berlin",
        "FREQ=WEEKLY;BYDAY=FR;BYHOUR=9;UNTIL=20240501T070000Z",
        exdates=frozenset({NINE + 7 * DAY}),
        overrides={NINE + 14 * DAY: Override(start=NINE + 15 * DAY, duration=2 * HOUR)},
    )
    days = edit_all(series, Changes(start=date(2024, 3, 2)))
    assert days == Series(
        date(2024, 3, 2),
        None,
        "Europe/Berlin",
        "FREQ=WEEKLY;UNTIL=20240427;BYDAY=SA",
        exdates=frozenset({date(2024, 3, 9)}),
        overrides={date(2024, 3, 16): Override(start=date(2024, 3, 17))},
    )
    timed = edit_all(days, Changes(start=datetime(2024, 3, 2, 10), duration=HOUR))
    assert timed == Series(
        datetime(2024, 3, 2, 10),
        HOUR,
        "Europe/Berlin",
        "FREQ=WEEKLY;UNTIL=20240427T080000Z;BYDAY=SA",
        exdates=frozenset({datetime(2024, 3, 9, 10)}),
        overrides={datetime(2024, 3, 16, 10): Override(start=datetime(2024, 3, 17, 10))},
    )


def test_hours_cannot_become_days() -> None:
    with pytest.raises(RecurrenceError, match="cannot repeat hourly"):
        edit_all(Series(NINE, rrule="FREQ=HOURLY"), Changes(start=NINE.date()))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (Changes(zone="Nowhere"), "zone"),
        (Changes(duration=-HOUR), "duration"),
        (Changes(rrule="FREQ=SECONDLY"), "rrule"),
        (Changes(rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "rrule"),
        (Changes(rdates=frozenset({date(2024, 1, 1)})), "rdates"),
        (Changes(exdates=frozenset({date(2024, 1, 1)})), "exdates"),
        (Changes(start=NINE.replace(tzinfo=UTC)), "start"),
        (Changes(start=datetime(9999, 12, 31)), "start"),
    ],
)
def test_changes_that_make_no_sense_are_refused(changes: Changes, field: str) -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY", exdates=frozenset({NINE + DAY}))
    with pytest.raises(RecurrenceError) as caught:
        edit_all(series, changes)
    assert caught.value.field == field


@pytest.mark.parametrize("recurrence_id", [NINE + HOUR, NINE - DAY, NINE + DAY, NINE.date()])
def test_what_is_no_occurrence_cannot_be_edited(recurrence_id: date) -> None:
    series = Series(NINE, HOUR, rrule="FREQ=DAILY", exdates=frozenset({NINE + DAY}))
    for edit in (
        lambda: edit_this(series, recurrence_id, Override()),
        lambda: delete_this(series, recurrence_id),
        lambda: delete_following(series, recurrence_id),
        lambda: split_following(series, recurrence_id),
    ):
        with pytest.raises(RecurrenceError, match="there is no occurrence") as caught:
            edit()
        assert caught.value.field == "recurrence_id"


def test_a_rule_is_written_as_it_was_unless_it_has_to_change() -> None:
    assert parse("FREQ=DAILY").count is None
    series = Series(NINE, HOUR, rrule="FREQ=DAILY;COUNT=3")
    assert edit_all(series, Changes(duration=2 * HOUR)).rrule == "FREQ=DAILY;COUNT=3"
