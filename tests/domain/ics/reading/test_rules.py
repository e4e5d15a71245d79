"""What an entry says with several rules, EXRULE, periods, or an end that does not fit is what its event has."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events.event import Event
from planner.domain.ics.reading.groups import parse_groups
from planner.domain.ics.reading.properties import Unreadable
from planner.domain.ics.reading.rules import MAX_EXPANDED, EntryRules, merge_rules
from planner.domain.recurrence.documents import parse_stored_local, series_from_event
from planner.domain.recurrence.occurrences import list_occurrences
from planner.domain.recurrence.rrule import parse_rule
from planner.domain.recurrence.series import Series
from planner.services.files.import_drafts import build_draft
from tests.domain.ics.samples import event, file
from tests.domain.oracle import expand_by_definition, recurrence_ids
from tests.domain.strategies import locals_, rules, simple_rules

STAMP = datetime(2026, 4, 1, 8, tzinfo=UTC)
OWN = {"revision": 1, "created_at": STAMP, "updated_at": STAMP}
MONDAY = "DTSTART:20260601T100000Z"


def read(*lines: str, start: str = MONDAY) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the first occurrences of the one event in a file, each with its start and end, and the warnings."""
    (group,) = parse_groups(file(event(*lines, start=start)))
    drafted = build_draft(group)
    assert drafted.draft is not None, drafted.failures
    assert not drafted.failures
    stored = Event.from_stored(drafted.draft.content | OWN)
    series = series_from_event(stored)
    if not stored.repeats and not stored.all_day and stored.end:
        series = replace(series, duration=parse_stored_local(stored.end) - series.start)
    window = (datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    found = list_occurrences(series, *window, limit=10).items
    return [(_format(item.start), _format(item.end)) for item in found], [note.reason for note in drafted.warnings]


def _format(moment: date) -> str:
    return f"{moment:%m-%d %H}" if isinstance(moment, datetime) else f"{moment:%m-%d}"


def starts(*lines: str, **options: Any) -> list[str]:
    return [start for start, _ in read(*lines, **options)[0]]


def test_a_period_has_its_own_length() -> None:
    found, warnings = read(
        "DTEND:20260601T110000Z",
        "RRULE:FREQ=DAILY;COUNT=3",
        "RDATE;VALUE=PERIOD:20260610T100000Z/PT3H,20260602T100000Z/20260602T130000Z",
        "RDATE;VALUE=PERIOD:20260611T100000Z/PT1H",
    )
    assert found == [
        *(("06-01 10", "06-01 11"), ("06-02 10", "06-02 13"), ("06-03 10", "06-03 11")),
        *(("06-10 10", "06-10 13"), ("06-11 10", "06-11 11")),
    ]
    assert not warnings


def test_a_period_may_be_local_and_the_only_recurrence() -> None:
    local = "RDATE;TZID=Europe/Berlin;VALUE=PERIOD:20260610T100000/PT3H"
    assert read(local)[0] == [("06-01 10", "06-01 10"), ("06-10 08", "06-10 11")]


def test_an_entry_of_an_occurrence_is_more_than_its_period() -> None:
    instance = event("RECURRENCE-ID:20260610T100000Z", "DURATION:PT2H", start="DTSTART:20260610T120000Z")
    (group,) = parse_groups(file(event("RDATE;VALUE=PERIOD:20260610T100000Z/PT3H"), instance))
    draft, failures, *_ = build_draft(group)
    assert draft is not None and not failures
    (override,) = draft.content["overrides"]
    assert (override["start"], override["seconds"]) == ("2026-06-10T12:00:00", 7200)


def test_a_period_that_cannot_be_read_is_left_out_with_a_warning() -> None:
    found, (warning,) = read("RRULE:FREQ=DAILY;COUNT=2", "RDATE;VALUE=PERIOD:20260610T100000Z/soon")
    assert [start for start, _ in found] == ["06-01 10", "06-02 10"]
    assert "RDATE" in warning


def test_two_rules_give_the_occurrences_of_both() -> None:
    mondays, thursdays = "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3", "RRULE:FREQ=WEEKLY;BYDAY=TH;COUNT=3"
    for lines in ((mondays, thursdays), (thursdays, mondays)):
        found, warnings = read(*lines)
        assert [start[:5] for start, _ in found] == ["06-01", "06-04", "06-08", "06-11", "06-15", "06-18"]
        assert not warnings


def test_rules_without_an_end_that_differ_in_one_list_become_one_rule() -> None:
    found, warnings = read("RRULE:FREQ=WEEKLY;BYDAY=MO", "RRULE:FREQ=WEEKLY;BYDAY=TH,MO")
    assert [start[:5] for start, _ in found[:4]] == ["06-01", "06-04", "06-08", "06-11"]
    assert not warnings


def test_rules_without_an_end_that_cannot_be_one_have_a_warning_that_says_how_far_they_go() -> None:
    found, (warning,) = read("RRULE:FREQ=WEEKLY;BYDAY=TH", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1")
    assert "FREQ=MONTHLY" in warning and "before 2415" in warning
    assert [start[:5] for start, _ in found[:6]] == ["06-01", "06-04", "06-11", "06-18", "06-25", "07-01"]


def test_a_rule_whose_occurrences_another_one_has_changes_nothing() -> None:
    found, warnings = read("RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY")
    assert [start[:5] for start, _ in found[:3]] == ["06-01", "06-02", "06-03"]
    assert not warnings


def test_an_exrule_excludes_the_occurrences_that_it_means_with_a_warning() -> None:
    found, (warning,) = read(
        "RRULE:FREQ=DAILY;COUNT=6", "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2", "RDATE:20260701T100000Z"
    )
    assert [start[:5] for start, _ in found] == ["06-02", "06-04", "06-05", "06-06", "07-01"]
    assert "EXRULE" in warning


def test_two_exrules_exclude_weekends_from_an_endless_series() -> None:
    found = starts("RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY;BYDAY=SU", "EXRULE:FREQ=WEEKLY;BYDAY=SA")
    assert [start[:5] for start in found[:7]] == ["06-01", "06-02", "06-03", "06-04", "06-05", "06-08", "06-09"]


def test_an_exrule_that_excludes_nothing_is_soon_known_to_do_so() -> None:
    found, (warning,) = read("RRULE:FREQ=HOURLY", "EXRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    assert len(found) == 10
    assert "EXRULE" in warning


def test_the_earlier_of_count_and_until_ends_a_rule_with_both() -> None:
    by_until, (warning,) = read("RRULE:FREQ=DAILY;COUNT=3;UNTIL=20260602T120000Z")
    assert [start[:5] for start, _ in by_until] == ["06-01", "06-02"]
    assert "UNTIL=20260602T120000Z" in warning
    by_count, (warning,) = read("RRULE:FREQ=DAILY;UNTIL=20270602T120000Z;COUNT=3")
    assert [start[:5] for start, _ in by_count] == ["06-01", "06-02", "06-03"]
    assert "COUNT=3" in warning


def test_a_rule_that_ends_before_its_start_leaves_the_start() -> None:
    found, (warning,) = read("RRULE:FREQ=DAILY;UNTIL=20250602T120000Z")
    assert [start for start, _ in found] == ["06-01 10"]
    assert "UNTIL=20250602T120000Z" in warning


@pytest.mark.parametrize(
    ("lines", "start", "expected"),
    [
        (["DTEND:20260601T080000Z"], MONDAY, ("06-01 10", "06-01 10")),
        (["DTEND;VALUE=DATE:20260531"], MONDAY, ("06-01 10", "06-01 10")),
        (["DTEND;VALUE=DATE:20260601"], MONDAY, ("06-01 10", "06-02 00")),
        (["DTEND;VALUE=DATE:20260603"], MONDAY, ("06-01 10", "06-03 00")),
        (["DURATION:-PT1H"], MONDAY, ("06-01 10", "06-01 10")),
        (["DTEND;VALUE=DATE:20260530"], "DTSTART;VALUE=DATE:20260601", ("06-01", "06-02")),
        (["DTEND:20260603T100000"], "DTSTART;VALUE=DATE:20260601", ("06-01", "06-04")),
        (["DTEND:20260603T000000"], "DTSTART;VALUE=DATE:20260601", ("06-01", "06-03")),
        (["DURATION:PT36H"], "DTSTART;VALUE=DATE:20260601", ("06-01", "06-03")),
    ],
)
def test_an_end_that_does_not_fit_its_start_is_imported_with_a_warning(
    lines: list[str], start: str, expected: tuple[str, str]
) -> None:
    for recurrence in ([], ["RRULE:FREQ=YEARLY;COUNT=2"]):
        found, warnings = read(*lines, *recurrence, start=start)
        assert found[0] == expected
        assert warnings


def test_an_end_that_does_not_fit_an_occurrence_has_a_warning_as_well() -> None:
    (group,) = parse_groups(
        file(
            event("RRULE:FREQ=DAILY"),
            event("RECURRENCE-ID:20260602T100000Z", "DTEND:20260601T080000Z", start="DTSTART:20260602T120000Z"),
        )
    )
    draft, failures, warnings, _ = build_draft(group)
    assert draft is not None and not failures
    assert "DTEND" in warnings[0].reason


def combine(start: date, rrules: list[str], exrules: list[str], rdates: set[date]) -> tuple[Series, list[str]]:
    entry = EntryRules(start, "Europe/Berlin", rrules, exrules, rdates, set())
    rrule = entry.combine()
    series = Series(start, None, "Europe/Berlin", rrule, frozenset(entry.rdates), frozenset(entry.exdates))
    return series, entry.warnings


bounds = st.sampled_from(["", ";COUNT=1", ";COUNT=7", ";COUNT=40"])
bounded_rules = st.tuples(simple_rules | rules(), bounds).map("".join)


@given(locals_, st.lists(bounded_rules, max_size=3), st.lists(bounded_rules, max_size=2), st.sets(st.integers(0, 40)))
def test_the_set_is_the_union_of_the_rules_without_that_of_the_exrules(
    start: datetime, rrules: list[str], exrules: list[str], days: set[int]
) -> None:
    rdates: set[date] = {start + timedelta(days=n) for n in days}
    if len(merge_rules([parse_rule(rule) for rule in rrules])) < 2:
        # The start counts in the COUNT of the only rule of a series.
        rrules = [rule for rule in rrules if "COUNT" not in rule]
    series, _ = combine(start, rrules, exrules, set(rdates))
    high = start + timedelta(days=20)
    expected = {start, *rdates}.union(*(_instances(rule, start, high) for rule in rrules))
    expected = expected.difference(*(_instances(rule, start, high) for rule in exrules))
    assert recurrence_ids(series, high) == sorted(local for local in expected if local <= high)


def _instances(text: str, start: date, high: date) -> list[date]:
    return expand_by_definition(parse_rule(text), start, high)[: parse_rule(text).count]


def test_no_more_dates_are_made_than_a_series_may_have() -> None:
    series, warnings = combine(
        datetime(2026, 6, 1, 10), ["FREQ=HOURLY", "FREQ=DAILY;BYMINUTE=30", "FREQ=DAILY;BYMINUTE=40"], [], set()
    )
    assert len(series.rdates) == MAX_EXPANDED
    assert len(warnings) == 1
    with pytest.raises(Unreadable):
        combine(datetime(2026, 6, 1, 10), ["FREQ=DAILY"], ["FREQ=OFTEN"], set())


def test_only_rules_that_differ_in_one_list_are_merged() -> None:
    def merge(*texts: str) -> list[str]:
        return [str(rule) for rule in merge_rules([parse_rule(text) for text in texts])]

    assert merge("FREQ=DAILY;BYHOUR=9", "FREQ=DAILY;BYHOUR=17") == ["FREQ=DAILY;BYHOUR=9,17"]
    for texts in (
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "FREQ=WEEKLY;BYDAY=TU;COUNT=3"),
        ("FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY"),
        ("FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0", "FREQ=DAILY;BYHOUR=10;BYMINUTE=30"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "FREQ=MONTHLY;BYDAY=WE,TH;BYSETPOS=1"),
    ):
        assert len(merge(*texts)) == 2
