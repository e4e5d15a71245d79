"""Series with an occurrence to edit, drawn by hypothesis, and their occurrences in lists to compare."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import assume
from hypothesis import strategies as st

from planner.domain.recurrence.series import Series, validate_series
from planner.domain.recurrence.shift import Shift
from tests.domain import strategies
from tests.domain.oracle import list_expected_rows, recurrence_ids

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NINE = datetime(2024, 3, 1, 9)
Listed = list[tuple[datetime, datetime, date, date]]


def horizon(series: Series, days: int = 300) -> date:
    """Return up to when the tests look; it is not long for hourly rules, which have many occurrences."""
    return series.start + (30 if "HOURLY" in (series.rrule or "") else days) * DAY


def listed(series: Series | None, high: date) -> Listed:
    return [] if series is None else list_expected_rows(series, high)


def in_order(items: Listed) -> Listed:
    return sorted(items, key=lambda item: (item[0], item[2]))


@st.composite
def cuts(draw: st.DrawFn, rule: st.SearchStrategy[str] | None = None) -> tuple[Series, date]:
    """A valid series and the id of one of its occurrences."""
    series = validate_series(draw(strategies.series(rule=rule)))
    if rule is not None:
        series = replace(series, ranges={})
    ids = recurrence_ids(series, horizon(series))
    assume(ids)
    return series, draw(st.sampled_from(ids[:40]))


def exactly_movable() -> st.SearchStrategy[str]:
    """Draw a rule that can be moved exactly by days or hours."""
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
    """Draw a rule that can be moved exactly within the day, whatever its days are."""
    return strategies.rules(all_day=True)


def start_matches_rule(series: Series) -> bool:
    return series.pattern is None or series.pattern.start_matches_rule


@st.composite
def moves(draw: st.DrawFn) -> tuple[Series, date, date]:
    """Draw a series, the id of an occurrence, and a start for it to which the series can be moved exactly."""
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
    """Return the ids and starts of occurrences after the move; the start of `own` is its moved id.

    A start that an occurrence has of its own does not move, unless it is the original one.
    """
    found = []
    for _, _, recurrence_id, local in items:
        override = series.overrides.get(recurrence_id)
        is_rescheduled = override is not None and override.start is not None and recurrence_id != own
        found.append((shift.apply(recurrence_id), local if is_rescheduled else shift.apply(recurrence_id)))
    return sorted(found)


def ids_and_starts(series: Series, high: date) -> list[tuple[date, date]]:
    return sorted((recurrence_id, local) for _, _, recurrence_id, local in listed(series, high))
