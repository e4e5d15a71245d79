"""Parsing of files of other programs into entries."""

from datetime import date, datetime
from typing import Any

import pytest

from planner.domain.ics.reading.components import MAX_COMPONENTS, NotACalendar
from planner.domain.ics.reading.groups import ImportNote, ParsedEntry, parse_group, parse_groups
from tests.domain.ics.samples import APPLE, EXCHANGE, GOOGLE, THUNDERBIRD, event, file


def read(text: str) -> tuple[list[ParsedEntry], list[ImportNote]]:
    """Return the entries and the failures of a file."""
    outcomes = [parse_group(group) for group in parse_groups(text)]
    entries = [outcome.entry for outcome in outcomes if outcome.entry]
    return entries, [failure for outcome in outcomes for failure in outcome.failures]


def one(*lines: str, **options: Any) -> ParsedEntry:
    """Return the entry of a file with one VEVENT."""
    entries, failures = read(file(event(*lines, **options)))
    assert not failures, failures
    return entries[0]


def reason(*lines: str, **options: Any) -> str:
    """Return why the one VEVENT of a file is not imported."""
    entries, failures = read(file(event(*lines, **options)))
    assert not entries
    return failures[0].reason


def test_what_google_exports() -> None:
    (standup, holiday), failures = read(GOOGLE)
    assert not failures
    assert (standup.uid, standup.version.sequence, standup.kind) == ("1abcdef234567@google.com", 3, "event")
    fields = standup.fields
    assert fields["title"] == "Stand-up"
    assert (
        fields["description"] == "What we did, what we do; what stands in the way\nAgenda: https://example.org/a?b=1,2"
    )
    assert "location" not in fields
    assert (fields["start"], fields["end"]) == ("2026-03-02T09:30:00", "2026-03-02T09:45:00")
    assert fields["time_zone"] == "Europe/Berlin"
    assert fields["recurrence"]["exdates"] == ["2026-03-09T09:30:00"]
    assert fields["reminders"] == [10]
    assert [line.partition(":")[0].partition(";")[0] for line in fields["ics"]["lines"]] == [
        *("ORGANIZER", "ATTENDEE", "X-GOOGLE-CONFERENCE")
    ]
    assert fields["ics"]["lines"][1].endswith("X-NUM-GUESTS=0:mailto:ann@example.org")
    (moved,) = standup.occurrences
    assert moved.recurrence_id == datetime(2026, 3, 11, 9, 30)
    assert (moved.fields["title"], moved.fields["start"]) == ("Stand-up, later", "2026-03-11T11:00:00")
    assert (holiday.fields["start"], holiday.fields["end"]) == ("2026-05-01", "2026-05-02")


def test_what_exchange_sends() -> None:
    ((found,), failures) = read(EXCHANGE)
    assert not failures
    assert found.fields["time_zone"] == "Europe/Berlin"
    assert found.fields["title"] == "Besprechung"
    assert found.fields["location"] == "Raum 4"
    assert found.fields["recurrence"]["exdates"] == ["2026-04-14T10:00:00"]
    assert found.fields["reminders"] == [15]
    assert "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE" in found.fields["ics"]["lines"]


def test_what_apple_exports() -> None:
    ((found,), failures) = read(APPLE)
    assert not failures
    assert found.fields["geo"] == {"lat": 37.7955, "lon": -122.3937}
    assert found.fields["location"] == "Ferry Building\n1 Ferry Building, San Francisco"
    assert found.fields["url"] == "https://example.org/dinner"
    assert found.fields["reminders"] == [60]
    assert found.fields["ics"]["lines"][0].startswith(
        'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="1 Ferry Building,'
    )
    assert found.fields["ics"]["alarms"][0][1] == "ACKNOWLEDGED:20260620T230000Z"


def test_what_thunderbird_exports() -> None:
    ((found,), failures) = read(THUNDERBIRD)
    assert not failures
    assert found.fields["time_zone"] == "Europe/Berlin"
    assert found.fields["tags"] == ["Music", "Friends"]
    assert found.fields["recurrence"] == {"rrule": "FREQ=WEEKLY;COUNT=10", "rdates": [], "exdates": []}
    assert found.fields["reminders"] == [5]


def test_all_kinds_of_line_breaks_and_folding_are_read() -> None:
    for end in ("\r\n", "\n"):
        text = file(event("SUMMARY:Rea\r\n ding", "LOCATION:To\r\n\twn")).replace("\r\n", end)
        ((found,), _) = read("\ufeff" + text)
        assert (found.fields["title"], found.fields["location"]) == ("Reading", "Town")


def test_names_are_read_whatever_their_letter_case() -> None:
    entries, _ = read("begin:vcalendar\nBegin:vEvent\nuid:a\nsummary:Tea\ndtstart;value=date:20260501\nend:vevent\n")
    assert [entry.fields["title"] for entry in entries] == ["Tea"]


def test_an_entry_without_a_summary_gets_a_default_title() -> None:
    assert one().fields["title"] == "(no title)"
    assert one("SUMMARY: ").fields["title"] == "(no title)"


def test_a_text_that_is_too_long_for_its_field_is_shortened_and_stored_whole_as_a_line() -> None:
    found = one(f"SUMMARY:{'a' * 300}", f"DESCRIPTION;LANGUAGE=de:{'b' * 20_001}", f"LOCATION:{'c' * 301}").fields
    assert found["title"] == "a" * 199 + "…"
    assert len(found["description"]) == 20_000
    assert found["location"].endswith("…")
    assert found["ics"]["lines"] == [
        f"X-PLANNER-SUMMARY:{'a' * 300}",
        f"X-PLANNER-DESCRIPTION;LANGUAGE=de:{'b' * 20_001}",
        f"X-PLANNER-LOCATION:{'c' * 301}",
    ]


def test_control_characters_are_removed() -> None:
    assert one("SUMMARY:a\x07b\x0bc\0").fields["title"] == "abc"
    assert one("X-A:1\x072").fields["ics"]["lines"] == ["X-A:12"]


def test_categories_become_tags_if_they_are_valid_tags() -> None:
    found = one("CATEGORIES:Work,WORK, ,Über\\, all", f"CATEGORIES:{'x' * 33}").fields
    assert found["tags"] == ["Work", "Über, all"]
    assert found["ics"]["lines"] == ["CATEGORIES:WORK," + "x" * 33]
    many = one("CATEGORIES:" + ",".join(f"t{n}" for n in range(22))).fields
    assert len(many["tags"]) == 20
    assert many["ics"]["lines"] == ["CATEGORIES:t20,t21"]


@pytest.mark.parametrize("spellings", [("Straße", "STRASSE"), ("İstanbul", "istanbul"), ("ΟΔΟΣ", "οδος")])
def test_categories_that_differ_in_letter_case_only_are_one_tag_and_all_are_stored(spellings: tuple[str, str]) -> None:
    first, second = spellings
    found = one(f"CATEGORIES:{first},{second},{first}").fields
    assert found["tags"] == [first]
    assert found["ics"]["lines"] == [f"CATEGORIES:{second}"]


def test_lines_without_a_field_are_stored_unchanged() -> None:
    lines = ["CLASS:PRIVATE", 'ATTENDEE;CN="B;c":mailto:b@example.org', "X-A;X-B=1:\\n;,", "URL:mailto:a@example.org"]
    assert one(*lines, "DTSTAMP:20260101T000000Z", "CREATED:x").fields["ics"] == {"lines": lines, "alarms": []}
    assert one().fields["ics"] is None


def test_lines_without_a_field_are_stored_up_to_a_limit() -> None:
    lines = ["X-A:1", f"ATTACH;ENCODING=BASE64;VALUE=BINARY:{'A' * 70_000}", "X-B:2"]
    assert one(*lines).fields["ics"]["lines"] == ["X-A:1", "X-B:2"]


def test_geo_url_and_image_become_fields_only_if_they_are_valid() -> None:
    bad = ["GEO:91;0", "URL:about:blank", "IMAGE;VALUE=URI:http://example.org/a.png"]
    found = one(*bad).fields
    assert not {"geo", "url", "image"} & found.keys()
    assert found["ics"]["lines"] == bad
    good = one("GEO:-1e-05;10", "URL:http://example.org", "IMAGE;VALUE=URI:https://example.org/a.png").fields
    assert good["geo"] == {"lat": -1e-05, "lon": 10.0}
    assert (good["url"], good["image"]) == ("http://example.org", "https://example.org/a.png")


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (["DTEND:20260501T200000Z"], "2026-05-01T20:00:00"),
        (["DTEND;TZID=Europe/Berlin:20260501T220000"], "2026-05-01T22:00:00"),
        (["DURATION:PT1H30M"], "2026-05-01T19:30:00"),
        (["DURATION:P1W"], "2026-05-08T18:00:00"),
        (["DTEND:20260501T180000Z"], None),
        (["DURATION:PT0S"], None),
        ([], None),
    ],
)
def test_the_end_is_that_of_dtend_or_duration(lines: list[str], end: str | None) -> None:
    fields = one(*lines).fields
    assert fields["end"] == end
    assert fields.get("end_time_zone") == ("Europe/Berlin" if "Europe/Berlin" in str(lines) else None)


def test_the_days_of_a_duration_are_nominal_and_its_hours_exact() -> None:
    before_summer = "DTSTART;TZID=Europe/Berlin:20260328T120000"
    assert one("DURATION:P1D", start=before_summer).fields["end"] == "2026-03-29T12:00:00"
    assert one("DURATION:PT24H", start=before_summer).fields["end"] == "2026-03-29T13:00:00"


def test_an_all_day_event_whose_dtend_is_its_dtstart_lasts_one_day() -> None:
    start = "DTSTART;VALUE=DATE:20260501"
    assert one("DTEND;VALUE=DATE:20260501", start=start).fields["end"] is None
    assert one("DURATION:P2D", start=start).fields["end"] == "2026-05-03"


@pytest.mark.parametrize(
    ("lines", "options", "part"),
    [
        ([], {"start": None}, "no DTSTART"),
        ([], {"start": "DTSTART:tomorrow"}, "not a date or time"),
        ([], {"start": "DTSTART:20260231T100000Z"}, "not a date or time"),
        (["RRULE:FREQ=DAILY", "EXRULE:FREQ=OFTEN"], {}, "EXRULE"),
        (["RRULE:FREQ=DAILY", "RRULE:FREQ=OFTEN"], {}, "RRULE"),
        ([f"RRULE:FREQ=DAILY;COUNT={n}" for n in range(1, 12)], {}, "more than 10"),
        (["DTSTART : 20260502"], {}, "NAME:VALUE"),
        (["BEGIN:VALARM"], {}, "END:VALARM"),
    ],
)
def test_an_entry_that_cannot_be_imported_has_a_reason(lines: list[str], options: Any, part: str) -> None:
    assert part in reason(*lines, **options)


def test_an_invalid_entry_does_not_affect_others() -> None:
    entries, failures = read(
        file(
            event(uid="good"),
            event("DTSTART : 20260501", uid="bad"),
            "BEGIN:VEVENT\r\nUID:open\r\nDTSTART:20260501\r\n",
            event(uid="after"),
            "BEGIN:VTODO\r\nUID:todo\r\nEND:VTODO\r\n",
            "BEGIN:VEVENT\r\nUID:cut",
        ).removesuffix("END:VCALENDAR\r\n")
    )
    assert [entry.uid for entry in entries] == ["good", "after"]
    assert [(failure.uid, failure.reason.split()[-1]) for failure in failures] == [
        ("bad", "20260501'"),
        ("open", "END:VEVENT"),
        ("cutEND:VCALENDAR"[:3], "END:VEVENT"),
        ("todo", "imported"),
    ]


def test_floating_times_are_in_the_zone_of_the_file_or_in_utc() -> None:
    floating = event(start="DTSTART:20260501T180000")
    assert read(file(floating))[0][0].fields["time_zone"] == "UTC"
    zoned = file(floating, head="X-WR-TIMEZONE:America/New_York\r\n")
    assert read(zoned)[0][0].fields["time_zone"] == "America/New_York"
    assert read(file(floating, head="X-WR-TIMEZONE:Moon\r\n"))[0][0].fields["time_zone"] == "UTC"


def test_rdates_and_exdates_are_converted_to_the_zone_and_kind_of_the_event() -> None:
    timed = one(
        "RRULE:FREQ=DAILY",
        "EXDATE:20260502T160000Z",
        "EXDATE;TZID=America/New_York:20260503T120000",
        "EXDATE;VALUE=DATE:20260504",
        "RDATE:20260505T180000",
        start="DTSTART;TZID=Europe/Berlin:20260501T180000",
    ).fields["recurrence"]
    assert timed["exdates"] == ["2026-05-02T18:00:00", "2026-05-03T18:00:00", "2026-05-04T18:00:00"]
    assert timed["rdates"] == ["2026-05-05T18:00:00"]
    dated = one("RRULE:FREQ=DAILY", "EXDATE:20260502T000000", start="DTSTART;VALUE=DATE:20260501").fields["recurrence"]
    assert dated["exdates"] == ["2026-05-02"]


WEEKLY = event("RRULE:FREQ=WEEKLY", "SEQUENCE:2")
MOVED = event("RECURRENCE-ID:20260508T180000Z", "SUMMARY:Moved", start="DTSTART:20260508T200000Z")


def test_an_occurrence_belongs_to_its_event_wherever_it_is_in_the_file() -> None:
    for parts in ((WEEKLY, MOVED), (MOVED, WEEKLY)):
        ((found,), failures) = read(file(*parts))
        assert not failures
        assert found.kind == "event"
        assert [(o.recurrence_id, o.fields["start"]) for o in found.occurrences] == [
            (datetime(2026, 5, 8, 18), "2026-05-08T20:00:00")
        ]


def test_an_occurrence_in_another_zone_is_converted_to_that_of_its_event() -> None:
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260508T200000",
        "DTEND;TZID=Asia/Tokyo:20260509T060000",
        start="DTSTART;TZID=Asia/Tokyo:20260509T050000",
    )
    ((found,), _) = read(file(WEEKLY, moved))
    (occurrence,) = found.occurrences
    assert occurrence.recurrence_id == datetime(2026, 5, 8, 18)
    assert (occurrence.fields["start"], occurrence.fields["end"]) == ("2026-05-08T20:00:00", "2026-05-08T21:00:00")


def test_an_occurrence_may_be_of_another_kind_than_its_event() -> None:
    ((found,), failures) = read(
        file(WEEKLY, event("RECURRENCE-ID:20260508T180000Z", start="DTSTART;VALUE=DATE:20260509"))
    )
    (occurrence,) = found.occurrences
    assert not failures
    assert occurrence.recurrence_id == datetime(2026, 5, 8, 18)
    assert (occurrence.fields["start"], occurrence.fields["end"]) == ("2026-05-09", None)
    whole_days = event("RRULE:FREQ=WEEKLY", start="DTSTART;VALUE=DATE:20260501")
    timed = event(
        "RECURRENCE-ID;VALUE=DATE:20260508",
        "DTEND;TZID=Europe/Berlin:20260508T080000",
        start="DTSTART;TZID=Europe/Berlin:20260508T060000",
    )
    ((found,), failures) = read(file(whole_days, timed))
    (occurrence,) = found.occurrences
    assert not failures
    assert occurrence.recurrence_id == date(2026, 5, 8)
    assert [occurrence.fields[name] for name in ("start", "end", "time_zone")] == [
        "2026-05-08T06:00:00",
        "2026-05-08T08:00:00",
        "Europe/Berlin",
    ]


def test_an_invalid_occurrence_is_reported_and_its_event_imported() -> None:
    endless = event("RECURRENCE-ID:20260508T180000Z", "DURATION:P9000000D", start="DTSTART:20260508T180000Z")
    ((found,), (failure,)) = read(file(WEEKLY, endless))
    assert not found.occurrences
    assert failure.reason.startswith("the occurrence of 2026-05-08")


def test_occurrences_without_their_event_have_a_kind_of_their_own() -> None:
    ((found,), _) = read(file(MOVED, event("RECURRENCE-ID:20260515T180000Z", start="DTSTART:20260515T180000Z")))
    assert found.kind == "occurrences"
    assert found.fields["start"] == "2026-05-08T18:00:00"
    assert [o.recurrence_id.day for o in found.occurrences] == [8, 15]


def test_the_highest_sequence_of_a_uid_takes_precedence_and_the_last_of_equal_ones() -> None:
    parts = [event("SUMMARY:two", "SEQUENCE:2"), event("SUMMARY:two again", "SEQUENCE:2"), event("SUMMARY:one")]
    ((found,), _) = read(file(*parts))
    assert (found.fields["title"], found.version.sequence) == ("two again", 2)


def test_a_cancellation_has_a_kind_of_its_own_and_replies_to_invitations_are_not_imported() -> None:
    ((found,), _) = read(file(event(), head="METHOD:CANCEL\r\n"))
    assert found.kind == "cancel"
    entries, (failure,) = read(file(event(), head="METHOD:REPLY\r\n"))
    assert not entries
    assert "METHOD:REPLY" in failure.reason


def test_an_entry_without_a_uid_always_gets_the_same_one() -> None:
    texts = [file(event(f"DTSTAMP:2026010{n}T000000Z", "SUMMARY:Tea", uid=None)) for n in (1, 2)]
    (first,), (again,) = (read(text)[0] for text in texts)
    assert first.uid == again.uid
    assert first.uid.endswith("@no-uid.planner")
    assert one("SUMMARY:Cake", uid=None).uid != first.uid


def test_a_file_may_have_several_calendars() -> None:
    entries, _ = read(file(event(uid="a")) + file(event(uid="b")))
    assert [entry.uid for entry in entries] == ["a", "b"]


@pytest.mark.parametrize("text", ["", "hello", "{}", "BEGIN:VEVENT\r\nEND:VEVENT\r\n"])
def test_a_file_without_a_calendar_is_refused(text: str) -> None:
    with pytest.raises(NotACalendar, match="BEGIN:VCALENDAR"):
        parse_groups(text)


def test_a_file_with_too_many_entries_is_refused() -> None:
    with pytest.raises(NotACalendar, match="entries"):
        parse_groups(file("BEGIN:VEVENT\r\nEND:VEVENT\r\n" * (MAX_COMPONENTS + 1)))


def test_components_that_are_nested_too_deep_fail_only_their_entry() -> None:
    deep = "BEGIN:X\r\n" * 900 + "END:X\r\n" * 900
    entries, (failure,) = read(file(event(deep.strip(), uid="deep"), event(uid="b")))
    assert [entry.uid for entry in entries] == ["b"]
    assert "too deep" in failure.reason
    with pytest.raises(NotACalendar, match="too deep"):
        parse_groups(file("BEGIN:X\r\n" * 100_000))
