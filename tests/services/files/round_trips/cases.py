"""Files as programs really write them, one for each kind of difficulty."""

from typing import Final

from tests.domain.ics.samples import APPLE, EXCHANGE, GOOGLE, THUNDERBIRD, always, event, file, zone

BERLIN = zone("Customized Time Zone", "+0200", "+0100")
LONDON = zone("GMT", "+0100", "+0000")


def entry(*lines: str, start: str = "DTSTART:20260601T100000Z", head: str = "") -> str:
    """Return a file with one entry."""
    return file(event("DTSTAMP:20260101T000000Z", "SUMMARY:s", *lines, start=start), head=head)


def instance(recurrence_id: str, start: str, *lines: str) -> str:
    """Return an entry for one occurrence."""
    return event("DTSTAMP:20260101T000000Z", recurrence_id, "SUMMARY:one", *lines, start=start)


def series(*parts: str, start: str, rule: str, lines: tuple[str, ...] = ()) -> str:
    """Return a file with a recurring entry, and other components after it."""
    return file(event("DTSTAMP:20260101T000000Z", "SUMMARY:s", rule, *lines, start=start), *parts)


CASES: Final = {
    "google": GOOGLE,
    "exchange": EXCHANGE,
    "apple": APPLE,
    "mozilla": THUNDERBIRD,
    "categories": entry("CATEGORIES:Straße,STRASSE,İstanbul,Work\\, hard", f"CATEGORIES:{'x' * 40}"),
    "transparent": entry('TRANSP;X-NOTE="a:b":TRANSPARENT', "DURATION:PT1H"),
    "gmt with summer time": file(
        LONDON, event("DTEND;TZID=GMT:20260723T112000", start="DTSTART;TZID=GMT:20260723T102000")
    ),
    "customized time zone": file(
        BERLIN, event("DURATION:PT1H", start="DTSTART;TZID=Customized Time Zone:20260723T102000")
    ),
    "constant offset": file(
        always("tzone://Microsoft/Custom", "-0330"),
        event("DURATION:PT1H", start='DTSTART;TZID="tzone://Microsoft/Custom":20260723T102000'),
    ),
    "unknown time zone": entry("DURATION:PT1H", start="DTSTART;TZID=Nowhere:20260723T102000"),
    "floating": entry("DTEND:20260601T110000", start="DTSTART:20260601T100000", head="X-WR-TIMEZONE:Asia/Tokyo\r\n"),
    "floating exceptions": series(
        start="DTSTART;TZID=Europe/Berlin:20261019T100000",
        rule="RRULE:FREQ=WEEKLY;UNTIL=20261130T100000",
        lines=("DURATION:PT1H", "EXDATE:20261026T100000", "RDATE:20261028T120000"),
    ),
    "this and future": series(
        instance(
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20261225T100000Z", "DTSTART:20261225T140000Z", "DTEND:20261225T160000Z"
        ),
        start="DTSTART:20261222T100000Z",
        rule="RRULE:FREQ=DAILY;COUNT=6",
        lines=("DTEND:20261222T110000Z",),
    ),
    "timed instance of all-day series": series(
        instance(
            "RECURRENCE-ID;VALUE=DATE:20260614",
            "DTSTART;TZID=Europe/Berlin:20260614T060000",
            "DTEND;TZID=Europe/Berlin:20260614T070000",
        ),
        start="DTSTART;VALUE=DATE:20250614",
        rule="RRULE:FREQ=YEARLY",
    ),
    "all-day instance of timed series": series(
        instance("RECURRENCE-ID;TZID=Europe/Berlin:20260608T180000", "DTSTART;VALUE=DATE:20260609"),
        start="DTSTART;TZID=Europe/Berlin:20260601T180000",
        rule="RRULE:FREQ=WEEKLY;COUNT=4",
        lines=("DURATION:PT1H",),
    ),
    "rdate with a period": series(
        start="DTSTART:20260601T100000Z",
        rule="RDATE;VALUE=PERIOD:20260701T100000Z/PT3H,20260702T100000Z/20260702T101500Z",
        lines=("DURATION:PT1H",),
    ),
    "large sequence": entry("SEQUENCE:1718888888"),
    "unreadable values": entry("SEQUENCE:", "PRIORITY:high", "GEO:here", "URL:"),
    "nominal day": series(
        start="DTSTART;TZID=Europe/Berlin:20261023T180000",
        rule="RRULE:FREQ=DAILY;COUNT=4",
        lines=("DURATION:P1D",),
    ),
    "exact day": series(
        start="DTSTART;TZID=Europe/Berlin:20261023T180000",
        rule="RRULE:FREQ=DAILY;COUNT=4",
        lines=("DTEND;TZID=Europe/Berlin:20261024T180000",),
    ),
    "day of the month of a year": series(start="DTSTART;VALUE=DATE:20260616", rule="RRULE:FREQ=YEARLY;BYMONTHDAY=16"),
    "week of a year": series(start="DTSTART;VALUE=DATE:20201231", rule="RRULE:FREQ=YEARLY;BYWEEKNO=53"),
    "exrule": series(
        start="DTSTART:20260601T100000Z",
        rule="RRULE:FREQ=DAILY;COUNT=10",
        lines=("EXRULE:FREQ=DAILY;INTERVAL=3;COUNT=4", "DURATION:PT1H"),
    ),
    "skip": series(
        start="DTSTART;VALUE=DATE:20260131", rule="RRULE:RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=FORWARD;COUNT=6"
    ),
    "end before start": entry("DTEND:20260601T090000Z"),
    "count and until": series(start="DTSTART:20260601T100000Z", rule="RRULE:FREQ=DAILY;COUNT=5;UNTIL=20260603T100000Z"),
    "end of another kind": entry("DTEND;VALUE=DATE:20260602"),
    "two rules": series(
        start="DTSTART:20260601T100000Z",
        rule="RRULE:FREQ=WEEKLY;COUNT=3",
        lines=("RRULE:FREQ=MONTHLY;COUNT=3", "DURATION:PT1H"),
    ),
    "a flight": entry(
        "DTEND;TZID=America/New_York:20260601T130000", start="DTSTART;TZID=Europe/Berlin:20260601T100000"
    ),
    "what calendars show": entry(
        "ORGANIZER;CN=Ben:mailto:ben@example.org",
        "ATTENDEE;CN=Ada;PARTSTAT=ACCEPTED:mailto:ada@example.org",
        "CONFERENCE;VALUE=URI:https://meet.example.org/x",
        "COLOR:teal",
        "PRIORITY:3",
        "X-PLANNER-COLOR:#018281",
    ),
    "alarms": entry(
        *("DTEND:20260601T110000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT10M", "END:VALARM"),
        *("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER;RELATED=END:-PT5M", "END:VALARM"),
        *("BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER;VALUE=DATE-TIME:20260601T080000Z", "END:VALARM"),
    ),
    "alarm after the start of a day": entry(
        *("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:PT9H", "END:VALARM"),
        start="DTSTART;VALUE=DATE:20260601",
    ),
    "cancelled instance": series(
        instance("RECURRENCE-ID:20260602T100000Z", "DTSTART:20260602T100000Z", "STATUS:CANCELLED"),
        start="DTSTART:20260601T100000Z",
        rule="RRULE:FREQ=DAILY;COUNT=3",
    ),
    "long texts with all characters": entry(
        "DESCRIPTION:" + "größer; is besser, 🎉 会議\\n".replace(";", "\\;").replace(",", "\\,") * 20,
        "LOCATION:Straße\\, 1",
    ),
}
