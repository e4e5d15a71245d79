"""An account with everything that a page can show, and the addresses of the pages."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.clients import PASSWORD, bearer, ok

CALENDAR = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\nUID:one@example.com\r\n"
    b"DTSTAMP:20261201T000000Z\r\nDTSTART:20261217T090000Z\r\nDTEND:20261217T100000Z\r\nSUMMARY:Imported\r\n"
    b"END:VEVENT\r\nEND:VCALENDAR\r\n"
)
# Each field of a month that is always the same.
EVENTS: list[dict[str, Any]] = [
    {
        "title": "Choir",
        "start": "2026-12-01T18:30:00",
        "end": "2026-12-01T20:00:00",
        "recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=TU"},
        "color": "teal",
        "location": "Town hall",
        "tags": ["music"],
    },
    {
        "title": "Stand-up",
        "start": "2026-12-07T09:00:00",
        "end": "2026-12-07T09:30:00",
        "recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20261218T235959Z"},
        "color": "slateblue",
    },
    {"title": "Planning", "start": "2026-12-08T09:00:00", "end": "2026-12-08T11:00:00", "color": "orange"},
    {"title": "Interview", "start": "2026-12-08T10:00:00", "end": "2026-12-08T11:30:00", "status": "tentative"},
    {"title": "Dentist", "start": "2026-12-10T14:00:00", "end": "2026-12-10T14:45:00", "status": "cancelled"},
    {"title": "Conference", "start": "2026-12-09", "end": "2026-12-12", "all_day": True, "color": "crimson"},
    {"title": "Holidays", "start": "2026-12-24", "end": "2026-12-27", "all_day": True, "visibility": "public"},
    {"title": "Lunch with Ada", "start": "2026-12-11T12:30:00", "end": "2026-12-11T13:30:00", "location": "Harbour"},
    {
        "title": "Book launch",
        "start": "2026-12-16T18:00:00",
        "end": "2026-12-16T20:00:00",
        "color": "seagreen",
        "description": "With readings.\n\nAnd music.",
        "reminders": [10],
        "url": "https://example.com/",
    },
    {"title": "An idea without a date"},
    # Tests take it down.
    {"title": "Public walk", "start": "2027-01-09", "all_day": True, "visibility": "public"},
]


@dataclass
class SampleAccount:
    """An account with events, and the ids that addresses of pages have, by the name that `PAGES` gives them."""

    email: str
    ids: dict[str, str]


def create_sample_account(api_url: str, email: str) -> SampleAccount:
    """Create the account through the API."""
    with httpx.Client(base_url=api_url, timeout=30) as api:
        account = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace", "time_zone": "Europe/Berlin"}
        ids = {"account": str(ok(api.post("/auth/signup", json=account), 201)["id"])}
        tokens = ok(api.post("/auth/signin", json={"email": email, "password": PASSWORD}))
        api.headers.update(bearer(tokens["access_token"]))
        for event in EVENTS:
            ids[event["title"]] = str(ok(api.post("/events", json=event), 201)["id"])
        ids["deleted"] = str(ok(api.post("/events", json={"title": "Mistake"}), 201)["id"])
        ok(api.delete(f"/events/{ids['deleted']}"), 204)
        ok(api.post("/feeds", json={"name": "Phone"}), 201)
        headers = {"Content-Type": "text/calendar", "Prefer": "respond-async"}
        ids["import_"] = str(ok(api.post("/events/import?dry_run=true", content=CALENDAR, headers=headers), 202)["id"])
    return SampleAccount(email, ids)


# Every page that can be opened by nobody, by somebody with this account, and by an admin. `{Choir}` is the id of it.
PUBLIC_PAGES = ("/", "/signup", "/signin", "/nowhere", "/forgot-password", "/reset-password", "/verify-email")
ADMIN_PAGES = (
    "/admin",
    "/admin/accounts/{account}",
    "/admin/events",
    "/admin/events/{Holidays}",
    "/admin/taken-down",
    "/admin/audit",
)
PAGES = (
    "/calendar/month/2026-12",
    "/calendar/month/2031-12",
    "/calendar/week/2026-12-07",
    "/calendar/day/2026-12-08",
    "/calendar/agenda/2026-12-07",
    "/calendar/month/2026-12?scope=public",
    "/search",
    "/search?q=choir",
    "/search?q=nothing+like+it",
    "/events/new",
    "/events/{Choir}",
    "/events/{Choir}/edit",
    "/events/{Choir}/history",
    "/events/{Choir}?occurrence=2026-12-08T18:30:00",
    "/events/{Book launch}",
    "/events/{deleted}/history",
    "/import",
    "/import/{import_}",
    "/feeds",
    "/account",
    "/account/email",
    "/account/password",
    "/account/sessions",
    "/account/tokens",
    "/account/providers",
    "/account/delete",
)
