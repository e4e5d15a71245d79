"""The file around VEVENTs: its head, its end, and the time zones that it uses."""

import icalendar

from planner.domain.ics.writing.vcalendar import VCalendarBody, render_vcalendar_start
from tests.domain.ics.writing.test_vevent import rendered, whole


def test_a_file_has_each_vtimezone_once_before_it_is_used() -> None:
    berlin = rendered(time_zone="Europe/Berlin")
    tokyo = rendered(time_zone="Asia/Tokyo")
    content = whole([rendered(), berlin, tokyo, berlin]).decode()
    assert content.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert content.endswith("END:VEVENT\r\nEND:VCALENDAR\r\n")
    assert content.count("BEGIN:VTIMEZONE") == 2
    assert content.index("TZID:Asia/Tokyo") < content.index("DTSTART;TZID=Asia/Tokyo")


def test_a_file_in_parts_has_each_vtimezone_once_as_well() -> None:
    body, berlin = VCalendarBody(), rendered(time_zone="Europe/Berlin")
    assert b"VTIMEZONE" in body.render([berlin])
    assert body.render([berlin]) == berlin.content
    assert body.render_end() == b"END:VCALENDAR\r\n"


def test_a_file_for_subscribers_has_a_name_and_a_refresh_interval() -> None:
    head = render_vcalendar_start("Ann, mine").decode()
    assert "\r\nNAME:Ann\\, mine\r\nX-WR-CALNAME:Ann\\, mine\r\n" in head
    assert "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\nX-PUBLISHED-TTL:PT1H\r\n" in head
    assert "NAME" not in render_vcalendar_start().decode()


def test_a_file_without_events_has_one_component() -> None:
    assert [part.name for part in icalendar.Calendar.from_ical(whole([])).subcomponents] == ["VTIMEZONE"]
