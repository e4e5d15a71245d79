"""The times of an event as they are sent, and the instants computed from them."""

import contextlib
import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest

from planner.domain.times import (
    UNDATED_INSTANT,
    UNDATED_TIMES,
    build_order_key,
    compute_span,
    format_stored_time,
    resolve_times,
)
from planner.errors import Invalid

# All examples are in the past, because the clock changes of later years may still be changed.
BERLIN, SYDNEY, LORD_HOWE = "Europe/Berlin", "Australia/Sydney", "Australia/Lord_Howe"
APIA, HAVANA = "Pacific/Apia", "America/Havana"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def refused_pointer(
    start: str | None, end: str | None = None, *, all_day: bool | None = None, time_zone: str | None = None
) -> str:
    """Return the pointer of the one field that is refused."""
    with pytest.raises(Invalid) as caught:
        resolve_times(start, end, all_day, time_zone)
    (wrong,) = caught.value.errors
    assert wrong.message
    return wrong.pointer


def test_a_date_lasts_all_day_from_midnight_to_midnight_in_its_zone() -> None:
    times = resolve_times("2024-05-01", None, None, BERLIN)
    assert (times.all_day, times.start, times.end) == (True, "2024-05-01", None)
    assert (times.begins, times.ends) == (utc("2024-04-30T22:00"), utc("2024-05-01T22:00"))


def test_a_date_without_a_zone_is_a_day_in_utc_and_stores_no_zone() -> None:
    times = resolve_times("2024-05-01", None, None, None)
    assert (times.begins, times.ends, times.time_zone) == (utc("2024-05-01T00:00"), utc("2024-05-02T00:00"), None)


def test_the_end_of_an_all_day_event_is_exclusive() -> None:
    times = resolve_times("2024-05-01", "2024-05-03", None, None)
    assert (times.end, times.ends) == ("2024-05-03", utc("2024-05-03T00:00"))


def test_a_day_with_a_clock_change_has_23_or_25_hours() -> None:
    lengths = []
    for day in ("2024-03-31", "2024-10-27", "2024-06-01"):
        times = resolve_times(day, None, None, BERLIN)
        assert times.ends is not None
        lengths.append((times.ends - times.begins) // timedelta(hours=1))
    assert lengths == [23, 25, 24]


def test_a_local_time_is_in_its_zone_and_is_stored_as_it_was_sent() -> None:
    times = resolve_times("2024-12-01T18:00:00", "2024-12-01T20:00:00", None, BERLIN)
    assert (times.start, times.end, times.time_zone) == ("2024-12-01T18:00:00", "2024-12-01T20:00:00", BERLIN)
    assert (times.begins, times.ends) == (utc("2024-12-01T17:00"), utc("2024-12-01T19:00"))
    assert not times.all_day


def test_a_local_time_without_a_zone_is_in_utc() -> None:
    times = resolve_times("2024-12-01T18:00", None, None, None)
    assert (times.begins, times.time_zone) == (utc("2024-12-01T18:00"), "UTC")


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2024-05-01T18:00:00+02:00", "2024-05-01T16:00:00"),
        ("2024-05-01T18:00:00-09:30", "2024-05-02T03:30:00"),
        ("2024-05-01T18:00:00Z", "2024-05-01T18:00:00"),
        ("2024-05-01t18:00:00z", "2024-05-01T18:00:00"),
        ("2024-05-01 18:00:00-00:00", "2024-05-01T18:00:00"),
        ("2024-05-01T18:00:00.999999+02:00", "2024-05-01T16:00:00"),
    ],
)
def test_a_time_with_an_offset_is_an_instant(written: str, instant: str) -> None:
    assert resolve_times(written, None, None, None).begins == utc(instant)


def test_a_time_with_an_offset_is_stored_as_the_local_time_in_its_zone() -> None:
    times = resolve_times("2024-05-01T18:00:00Z", None, None, "Asia/Kathmandu")
    assert times.start == "2024-05-01T23:45:00"
    assert format_stored_time(times.start, times.time_zone) == "2024-05-01T23:45:00+05:45"


def test_an_event_without_an_end_has_the_instant_at_which_it_begins() -> None:
    times = resolve_times("2024-05-01T18:00:00Z", None, None, None)
    assert times.end is None
    assert times.ends is not None
    assert timedelta(0) < times.ends - times.begins < timedelta(seconds=1)
    assert times.span == 0


# RFC 5545 §3.3.5: a skipped time has the offset from before the change, and a repeated one is the first.
@pytest.mark.parametrize(
    ("zone", "written", "instant", "answered"),
    [
        (BERLIN, "2024-03-31T02:30:00", "2024-03-31T01:30:00", "2024-03-31T03:30:00+02:00"),
        ("America/New_York", "2007-03-11T02:30:00", "2007-03-11T07:30:00", "2007-03-11T03:30:00-04:00"),
        (SYDNEY, "2024-10-06T02:30:00", "2024-10-05T16:30:00", "2024-10-06T03:30:00+11:00"),
        (LORD_HOWE, "2024-10-06T02:15:00", "2024-10-05T15:45:00", "2024-10-06T02:45:00+11:00"),
        (APIA, "2011-12-30T09:00:00", "2011-12-30T19:00:00", "2011-12-31T09:00:00+14:00"),
    ],
)
def test_a_time_that_a_clock_change_skips_has_the_offset_from_before_it(
    zone: str, written: str, instant: str, answered: str
) -> None:
    times = resolve_times(written, None, None, zone)
    assert times.begins == utc(instant)
    assert format_stored_time(times.start, zone) == answered


FOLDS = [
    (BERLIN, "2024-10-27T02:30:00", "+02:00", "2024-10-27T00:30:00", "+01:00", "2024-10-27T01:30:00"),
    (SYDNEY, "2024-04-07T02:30:00", "+11:00", "2024-04-06T15:30:00", "+10:00", "2024-04-06T16:30:00"),
    (LORD_HOWE, "2024-04-07T01:45:00", "+11:00", "2024-04-06T14:45:00", "+10:30", "2024-04-06T15:15:00"),
    (HAVANA, "2023-11-05T00:15:00", "-04:00", "2023-11-05T04:15:00", "-05:00", "2023-11-05T05:15:00"),
]
_FOLD = ("zone", "local", "first_offset", "first", "second_offset", "second")


@pytest.mark.parametrize(_FOLD, FOLDS)
def test_a_local_time_that_occurs_twice_is_the_first_of_the_two(
    zone: str, local: str, first_offset: str, first: str, second_offset: str, second: str
) -> None:
    times = resolve_times(local, None, None, zone)
    assert times.begins == utc(first)
    assert format_stored_time(times.start, zone) == local + first_offset


@pytest.mark.parametrize(_FOLD, FOLDS)
def test_the_second_of_two_equal_local_times_keeps_its_instant_when_sent_back(
    zone: str, local: str, first_offset: str, first: str, second_offset: str, second: str
) -> None:
    times = resolve_times(local + second_offset, None, None, zone)
    assert times.begins == utc(second)
    answered = format_stored_time(times.start, zone)
    assert answered == local + second_offset
    assert resolve_times(answered, None, None, zone) == times


@pytest.mark.parametrize(_FOLD, FOLDS)
def test_an_event_from_the_first_to_the_second_of_two_equal_times_has_the_length_of_the_change(
    zone: str, local: str, first_offset: str, first: str, second_offset: str, second: str
) -> None:
    times = resolve_times(local, local + second_offset, None, zone)
    assert (times.begins, times.ends) == (utc(first), utc(second))


def test_a_day_whose_midnight_occurs_twice_begins_at_the_first() -> None:
    assert resolve_times("2023-11-05", None, None, HAVANA).begins == utc("2023-11-05T04:00")


def test_a_day_whose_midnight_is_skipped_begins_when_its_clocks_first_show_it() -> None:
    # In 2018 São Paulo went from 23:59 to 01:00.
    assert resolve_times("2018-11-04", None, None, "America/Sao_Paulo").begins == utc("2018-11-04T03:00")


def test_a_day_that_a_zone_skipped_completely_still_has_an_instant() -> None:
    # Samoa had no 30 December 2011.
    times = resolve_times("2011-12-30", None, None, APIA)
    assert times.ends is not None
    assert times.ends > times.begins


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-05-01", "2024-05-01"),
        ("2024-05-02", "2024-05-01"),
        ("2024-05-01T18:00:00", "2024-05-01T18:00:00"),
        ("2024-05-01T18:00:00", "2024-05-01T17:59:59"),
        ("2024-05-01T18:00:00+02:00", "2024-05-01T16:00:00Z"),
        ("2024-05-01T18:00:00", "2024-05-01T18:00:00.5"),
    ],
)
def test_the_end_must_be_after_the_start(start: str, end: str) -> None:
    assert refused_pointer(start, end) == "/end"


def test_start_and_end_are_compared_as_instants() -> None:
    times = resolve_times("2024-05-01T18:00:00+02:00", "2024-05-01T17:00:00Z", None, BERLIN)
    assert times.end == "2024-05-01T19:00:00"
    # 02:30 does not exist on this day: it is 03:30, and that is after 03:15.
    assert refused_pointer("2024-03-31T02:30:00", "2024-03-31T03:15:00", time_zone=BERLIN) == "/end"


@pytest.mark.parametrize(
    ("start", "end"), [("2024-05-01", "2024-05-01T18:00:00"), ("2024-05-01T18:00:00", "2024-05-02")]
)
def test_start_and_end_are_both_dates_or_both_times(start: str, end: str) -> None:
    assert refused_pointer(start, end) == "/end"


def test_all_day_may_be_sent_when_it_agrees_with_the_start() -> None:
    assert resolve_times("2024-05-01", None, True, None) == resolve_times("2024-05-01", None, None, None)
    assert resolve_times("2024-05-01T18:00:00", None, False, None) == resolve_times(
        "2024-05-01T18:00:00", None, None, None
    )
    assert refused_pointer("2024-05-01", all_day=False) == "/all_day"
    assert refused_pointer("2024-05-01T18:00:00", all_day=True) == "/all_day"


def test_an_event_may_be_undated_and_still_has_its_zone() -> None:
    assert resolve_times(None, None, None, None) == UNDATED_TIMES
    assert resolve_times(None, None, False, BERLIN) == UNDATED_TIMES._replace(time_zone=BERLIN)
    assert (UNDATED_TIMES.begins, UNDATED_TIMES.ends) == (UNDATED_INSTANT, None)


def test_an_end_or_all_day_without_a_start_is_refused() -> None:
    assert refused_pointer(None, "2024-05-01") == "/end"
    assert refused_pointer(None, all_day=True) == "/all_day"


@pytest.mark.parametrize("start", [None, "2024-05-01", "2024-05-01T18:00:00", "2024-05-01T18:00:00Z"])
def test_an_unknown_zone_is_refused_with_every_kind_of_start(start: str | None) -> None:
    assert refused_pointer(start, time_zone="Mars/Olympus_Mons") == "/time_zone"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2024",
        "2024-5-1",
        "20240501",
        "2023-02-29",
        "2024-13-01",
        "0000-01-01",
        "2024-W18-5",
        "2024-05-01T",
        "2024-05-01T18",
        "2024-05-01T24:00:00",
        "2024-05-01T18:60:00",
        "2024-05-01T18:00:61",
        "2024-05-01T18:00:00.",
        "2024-05-01T18:00:00+2",
        "2024-05-01T18:00:00+0200",
        "2024-05-01T18:00:00+24:00",
        "2024-05-01T18:00:00 +02:00",
        "2024-05-01T18:00:00Z\n",
        "٢٠٢٤-٠٥-٠١",
        "-2024-05-01",
        "12024-05-01",
    ],
)
def test_text_that_is_not_a_time_is_refused_at_its_field(text: str) -> None:
    assert refused_pointer(text) == "/start"
    assert refused_pointer("2024-05-01", text) == "/end"


@pytest.mark.parametrize(
    ("text", "accepted_in"),
    [
        ("0001-01-01", "some zones"),
        ("0001-01-01T00:00:00", "some zones"),
        ("0001-01-01T00:00:00+23:59", "no zone"),
        ("0001-01-01T00:00:00-23:59", "every zone"),
        ("9999-12-31", "no zone"),
        ("9999-12-31T23:59:59", "some zones"),
        ("9999-12-31T23:59:59+23:59", "every zone"),
        ("9999-12-31T23:59:59-23:59", "no zone"),
    ],
)
def test_a_time_at_an_end_of_the_calendar_is_accepted_where_utc_can_express_it(text: str, accepted_in: str) -> None:
    zones = sorted(zoneinfo.available_timezones())
    accepted = 0
    for time_zone in zones:
        with contextlib.suppress(Invalid):
            times = resolve_times(text, None, None, time_zone)
            accepted += 1
            answered = format_stored_time(times.start, time_zone)
            assert answered is not None
            assert resolve_times(answered, None, None, time_zone) == times
    expected = {"no zone": accepted == 0, "some zones": 0 < accepted < len(zones), "every zone": accepted == len(zones)}
    assert expected[accepted_in]


def test_a_time_outside_the_calendar_is_refused_at_the_start() -> None:
    assert refused_pointer("0001-01-01", time_zone=BERLIN) == "/start"
    assert refused_pointer("9999-12-31T23:59:59", time_zone="America/New_York") == "/start"
    assert refused_pointer("9999-12-31") == "/start"


def test_a_time_in_local_mean_time_is_returned_in_utc_because_rfc_3339_cannot_write_its_offset() -> None:
    # Until 1893 clocks in Berlin were 53 minutes and 28 seconds ahead of Greenwich.
    times = resolve_times("1890-06-01T12:00:00", None, None, BERLIN)
    assert format_stored_time(times.start, BERLIN) == "1890-06-01T11:06:32Z"


def test_events_are_ordered_by_the_instant_they_begin_at_then_by_id_and_undated_ones_last() -> None:
    low, high = "0" * 23 + "1", "f" * 24
    keys = [
        build_order_key(resolve_times("0001-01-01T00:00:00", None, None, None).begins, high),
        build_order_key(resolve_times("0999-12-31T23:59:59", None, None, None).begins, high),
        build_order_key(resolve_times("2024-05-01T18:00:00+02:00", None, None, None).begins, low),
        build_order_key(resolve_times("2024-05-01T16:00:00Z", None, None, None).begins, high),
        build_order_key(resolve_times("2024-05-01T18:00:00", None, None, "America/New_York").begins, low),
        build_order_key(resolve_times("9999-12-31T23:59:58", None, None, None).begins, high),
        build_order_key(resolve_times(None, None, None, None).begins, low),
        build_order_key(resolve_times(None, None, None, None).begins, high),
    ]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_a_length_has_the_first_class_whose_limit_is_not_less() -> None:
    second = timedelta(seconds=1)
    for number, days in enumerate((1, 8, 64, 512)):
        most = timedelta(days=days)
        assert (compute_span(most), compute_span(most + second)) == (number, number + 1)
    assert compute_span(timedelta(0)) == 0
    assert compute_span(timedelta.max) == 4


def test_the_class_of_an_event_follows_from_its_exact_length() -> None:
    # The day on which clocks go back has 25 hours, which is more than the limit of the first class.
    assert resolve_times("2024-10-27", None, None, BERLIN).span == 1
    assert resolve_times("2024-10-26", None, None, BERLIN).span == 0
    assert resolve_times("2024-01-01", "2030-01-01", None, BERLIN).span == 4


def test_a_stored_time_is_returned_with_the_offset_of_its_zone() -> None:
    assert format_stored_time("2024-07-01T12:00:00", BERLIN) == "2024-07-01T12:00:00+02:00"
    assert format_stored_time("2024-12-01T12:00:00", BERLIN) == "2024-12-01T12:00:00+01:00"
    assert format_stored_time("2024-12-01T12:00:00", "UTC") == "2024-12-01T12:00:00Z"
    assert format_stored_time("2024-12-01", BERLIN) == "2024-12-01"
    assert format_stored_time(None, BERLIN) is None
