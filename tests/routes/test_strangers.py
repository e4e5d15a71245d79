"""Every way on which an event leaves the planner, as its owner, as a program of the owner's, and as strangers.

Strangers get nothing of an imported entry that has no field of ours, and no alarms.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from planner.services.accounts.administration import Administration
from tests.domain.ics.samples import event, file
from tests.support.clients import Person, ok, sign_up
from tests.support.openapi.operations import operations_of
from tests.support.services import services_of
from tests.support.waiting import wait_until_async

pytestmark = pytest.mark.real_server("the mock has no text indexes")

# Each of these words is in the file, once for the series and once for the occurrence that differs.
SECRETS: tuple[str, ...] = (
    "organizer",
    "attendee",
    "delegate",
    "conference",
    "google",
    "teams",
    "comment",
    "contact",
    "attachment",
)
SECRETS += ("altdesc", "apple", "request", "related", "styled", "unknown", "alarm", "uri", "guest", "resource")


def lines(which: str) -> list[str]:
    """Return lines without a field of ours, for the series or for one occurrence."""
    return [
        f'ORGANIZER;CN="organizer-{which}":mailto:organizer-{which}@secret.example',
        f"ATTENDEE;CN=attendee-{which};PARTSTAT=ACCEPTED;DELEGATED-TO="
        f'"mailto:delegate-{which}@secret.example":mailto:attendee-{which}@secret.example',
        f"CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://conference-{which}.secret.example/1",
        f"X-GOOGLE-CONFERENCE:https://google-{which}.secret.example/2",
        f"X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams-{which}.secret.example/3",
        f"COMMENT:comment-{which}",
        f"CONTACT:contact-{which}",
        f"ATTACH;FMTTYPE=text/plain:https://attachment-{which}.secret.example/4",
        f"X-ALT-DESC;FMTTYPE=text/html:<p>altdesc-{which}</p>",
        f'X-APPLE-STRUCTURED-LOCATION;X-TITLE="apple-{which}":geo:52.5,13.4',
        f"REQUEST-STATUS:2.0;request-{which}",
        f"RELATED-TO:related-{which}",
        f"STYLED-DESCRIPTION:styled-{which}",
        f"X-UNKNOWN:unknown-{which}",
        f"URL:message:uri-{which}",
        f"X-GUESTS:guest-{which}",
        f"RESOURCES:resource-{which}",
        *("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:alarm-{which}", "TRIGGER:-PT15M", "END:VALARM"),
        *("BEGIN:VALARM", "ACTION:AUDIO", f"X-SOUND:alarm-end-{which}", "TRIGGER;RELATED=END:PT5M", "END:VALARM"),
    ]


FILE = file(
    event("SUMMARY:Launch", "DTEND:20260501T190000Z", "RRULE:FREQ=DAILY;COUNT=3", *lines("series")),
    event(
        "SUMMARY:Launch too",
        "RECURRENCE-ID:20260502T180000Z",
        "DTEND:20260502T200000Z",
        *lines("instance"),
        start="DTSTART:20260502T183000Z",
    ),
)
WINDOW = "from=2026-05-01&to=2026-06-01"


@dataclass
class World:
    """An imported event that its owner has published, and the feeds of the reader."""

    id: str
    feeds: dict[str, str]


Way = Callable[[Person, World], Awaitable[list[httpx.Response]]]


def get(*paths: str) -> Way:
    async def send(reader: Person, world: World) -> list[httpx.Response]:
        return [await reader.get(path.format(id=world.id)) for path in paths]

    return send


async def read_feeds(reader: Person, world: World) -> list[httpx.Response]:
    return [await reader.api.get(f"/feeds/{token}.ics") for token in world.feeds.values()]


async def export_in_background(reader: Person, world: World) -> list[httpx.Response]:
    job = ok(await reader.get("/users/me/export", headers={"prefer": "respond-async"}), 202)

    async def is_done() -> bool:
        return bool(ok(await reader.get(f"/exports/{job['id']}"))["status"] == "done")

    await wait_until_async(is_done)
    return [await reader.get(f"/exports/{job['id']}/file")]


def change(method: str, path: str, body: Any = None) -> Way:
    async def send(reader: Person, world: World) -> list[httpx.Response]:
        return [await reader.request(method, path.format(id=world.id), json=body)]

    return send


async def take_down(reader: Person, world: World) -> list[httpx.Response]:
    return [await reader.put(f"/events/{world.id}/takedown", json={"reason": "It advertises something."})]


OCCURRENCES = "/events/{id}/occurrences"
# The operations whose responses have something of events. Those that change the event come last.
WAYS_OUT: dict[str, Way] = {
    "GET /api/v1/events": get(
        *("/events?scope=public", "/events?scope=all", "/events?scope=mine", f"/events?scope=all&{WINDOW}"),
        *("/events?scope=all&q=launch", *(f"/events?scope=all&q={word}-series" for word in SECRETS)),
    ),
    "GET /api/v1/events/{id}": get("/events/{id}"),
    "GET /api/v1/events/occurrences": get(
        *(f"/events/occurrences?scope={scope}&{WINDOW}" for scope in ("public", "all", "mine"))
    ),
    "GET /api/v1/events/{id}.ics": get("/events/{id}.ics"),
    "GET /api/v1/events.ics": get("/events.ics?scope=public", "/events.ics?scope=all", "/events.ics"),
    "GET /api/v1/feeds/{token}.ics": read_feeds,
    "GET /api/v1/events/changes": get(*(f"/events/changes?scope={scope}" for scope in ("public", "all", "mine"))),
    "GET /api/v1/events/{id}/revisions": get("/events/{id}/revisions"),
    "GET /api/v1/freebusy": get(f"/freebusy?{WINDOW}"),
    "GET /api/v1/users/me/export": get("/users/me/export"),
    "GET /api/v1/exports/{id}/file": export_in_background,
    "POST /api/v1/events": change("POST", "/events", {"title": "At once", "start": "2026-05-01T18:00:00Z"}),
    "PATCH /api/v1/events/{id}": change("PATCH", "/events/{id}", {"priority": 5}),
    "PUT /api/v1/events/{id}": change("PUT", "/events/{id}", {"title": "Launch", "start": "2026-05-01T18:00:00Z"}),
    "PATCH /api/v1/events/{id}/occurrences/{recurrence_id}": change(
        "PATCH", f"{OCCURRENCES}/2026-05-03T18:00:00", {"priority": 5}
    ),
    "POST /api/v1/events/{id}/restore": change("POST", "/events/{id}/restore"),
    "PUT /api/v1/events/{id}/takedown": take_down,
    "DELETE /api/v1/events/{id}/takedown": change("DELETE", "/events/{id}/takedown"),
}
# Those that have nothing of an event in their responses.
WITHOUT_EVENTS = re.compile(
    r"\w+ (/healthz|/readyz|/metrics|/version|/problems/.*|/docs.*|/.well-known/.*)"
    r"|\w+ /api/v1/(auth/.*|audit|imports/\{id\}|exports/\{id\})"
    r"|(GET|PATCH|DELETE) /api/v1/users/me|GET /api/v1/users"
    r"|\w+ /api/v1/users/\{id\}(/(unlock|sessions|verification))?"
    r"|(GET|POST) /api/v1/feeds|DELETE /api/v1/.*|POST /api/v1/events/import|\w+ /api/v1/freebusy/shares.*"
)


def unfold(response: httpx.Response) -> str:
    return response.text.replace("\r\n ", "")


def leaks(text: str) -> list[str]:
    """Return what of the file's secrets is in a text."""
    found = [f"{word}-{which}" for word in SECRETS for which in ("series", "instance") if f"{word}-{which}" in text]
    return found + re.findall(r"VALARM|secret\.example|ATTENDEE|ORGANIZER", text)


async def reader_of(person: Person, world: World) -> World:
    """Return the world with feeds of this person."""
    feeds = {}
    for scope in ("public", "all", "mine"):
        created = ok(await person.post("/feeds", json={"name": scope, "scope": scope}), 201)
        feeds[scope] = created["url"].rsplit("/", 1)[1].removesuffix(".ics")
    return replace(world, feeds=feeds)


@pytest.fixture
async def world(ada: Person) -> World:
    headers = {"content-type": "text/calendar"}
    counts = ok(await ada.post("/events/import", content=FILE, headers=headers))
    assert (counts["created"], counts["failed"]) == (1, [])
    (found,) = ok(await ada.get("/events"))["items"]
    ok(await ada.patch(f"/events/{found['id']}", json={"visibility": "public"}))
    return await reader_of(ada, World(found["id"], {}))


@pytest.fixture
async def moderator(app: FastAPI, ada: Person) -> Person:
    people: Administration = services_of(app).administration
    grace = await sign_up(ada.api, "grace@example.com")
    assert await people.make_admin(grace.email)
    return grace


async def test_every_operation_is_a_way_out_or_known_to_have_nothing_of_events(app: FastAPI) -> None:
    names = {str(operation) for operation in operations_of(app)}
    unknown = {name for name in names - WAYS_OUT.keys() if not WITHOUT_EVENTS.fullmatch(name)}
    assert unknown == set(), "say in this module whether they send something of events"
    assert WAYS_OUT.keys() <= names


async def test_a_stranger_gets_nothing_that_has_no_field(world: World, ben: Person, subtests: pytest.Subtests) -> None:
    mine = await reader_of(ben, world)
    for name, way in WAYS_OUT.items():
        with subtests.test(name):
            for response in await way(ben, mine):
                assert leaks(unfold(response)) == [], response.url
    for word in SECRETS:
        assert ok(await ben.get(f"/events?scope=public&q={word}"))["items"] == [], "what nobody sees is found"
    shown = ok(await ben.get(f"/events/{world.id}"))
    assert (shown["title"], shown["reminders"]) == ("Launch", [])
    assert "Launch too" in unfold(await ben.get(f"/events/{world.id}.ics"))


async def test_a_moderator_who_may_not_change_an_event_is_a_stranger(
    world: World, moderator: Person, subtests: pytest.Subtests
) -> None:
    mine = await reader_of(moderator, world)
    for name, way in WAYS_OUT.items():
        with subtests.test(name):
            for response in await way(moderator, mine):
                assert leaks(unfold(response)) == [], response.url
    # Also of an event that they have taken down.
    assert leaks(unfold(await moderator.get(f"/events/{world.id}"))) == []


async def test_an_unlisted_event_tells_strangers_no_more_than_a_public_one(
    world: World, ada: Person, ben: Person
) -> None:
    ok(await ada.patch(f"/events/{world.id}", json={"visibility": "unlisted"}))
    for path in (f"/events/{world.id}", f"/events/{world.id}.ics"):
        assert leaks(unfold(await ben.get(path))) == []


@pytest.mark.parametrize("by", ["owner", "program"])
async def test_who_may_change_an_event_gets_all_of_it(world: World, ada: Person, by: str) -> None:
    reader = ada
    if by == "program":
        body = {"name": "script", "scopes": ["events:read"]}
        reader = replace(ada, token=ok(await ada.post("/auth/tokens", json=body), 201)["token"])
    everything = {f"{word}-{which}" for word in SECRETS for which in ("series", "instance")}
    for path in (f"/events/{world.id}.ics", "/events.ics", "/events.ics?scope=public", "/events.ics?scope=all"):
        assert everything <= set(leaks(unfold(await reader.get(path))))
    for scope in ("mine", "all"):
        assert everything <= set(leaks(unfold(await reader.api.get(f"/feeds/{world.feeds[scope]}.ics"))))
    # Whoever publishes the address of public events publishes only what everybody may see.
    assert leaks(unfold(await reader.api.get(f"/feeds/{world.feeds['public']}.ics"))) == []
    for path in (f"/events/{world.id}", "/events?scope=public", "/events?q=launch", "/events/changes"):
        text = unfold(await reader.get(path))
        assert {"organizer-series", "attendee-series", "conference-series"} <= set(leaks(text))
    occurrences = unfold(await reader.get(f"/events/occurrences?{WINDOW}"))
    assert {"organizer-instance", "attendee-instance", "conference-instance"} <= set(leaks(occurrences))
    if by == "owner":
        for path in (f"/events/{world.id}/revisions", "/users/me/export"):
            assert "attendee-series" in leaks(unfold(await reader.get(path)))


@pytest.mark.parametrize("suffix", ["", ".ics"])
async def test_the_two_renderings_have_tags_of_their_own(world: World, ada: Person, ben: Person, suffix: str) -> None:
    path = f"/events/{world.id}{suffix}"
    for _ in range(2):
        mine, theirs = await ada.get(path), await ben.get(path)
        assert mine.headers["etag"] != theirs.headers["etag"]
        assert (leaks(unfold(mine)) != [], leaks(unfold(theirs))) == (True, [])
    for reader, own, other in ((ada, mine, theirs), (ben, theirs, mine)):
        known = {"if-none-match": own.headers["etag"]}
        assert (await reader.get(path, headers=known)).status_code == 304
        foreign = {"if-none-match": other.headers["etag"]}
        assert (await reader.get(path, headers=foreign)).content == own.content


@pytest.mark.parametrize("path", ["/events.ics?scope=public", "/events.ics?scope=all"])
async def test_the_tag_of_a_file_is_not_that_of_another_reader(
    world: World, ada: Person, ben: Person, path: str
) -> None:
    tag = (await ada.get(path)).headers["etag"]
    assert (await ben.get(path, headers={"if-none-match": tag})).status_code == 200


async def test_reminders_of_a_public_event_are_its_owners(ada: Person, ben: Person) -> None:
    fields = {"start": "2026-05-01T18:00:00Z", "recurrence": {"rrule": "FREQ=DAILY;COUNT=2"}}
    own = await ada.event(visibility="public", reminders=[-540, 10], **fields)
    path = f"/events/{own['id']}"
    ok(await ada.patch(f"{path}/occurrences/2026-05-02T18:00:00", json={"reminders": [7]}))
    assert ok(await ben.get(path))["reminders"] == []
    listed = ok(await ben.get(f"/events/occurrences?scope=public&{WINDOW}"))["items"]
    assert [item["reminders"] for item in listed] == [[], []]
    assert "VALARM" not in (await ben.get(f"{path}.ics")).text
    mine = ok(await ada.get(f"/events/occurrences?{WINDOW}"))["items"]
    assert [item["reminders"] for item in mine] == [[-540, 10], [7]]
    assert (await ada.get(f"{path}.ics")).text.count("TRIGGER") == 3


async def test_the_export_of_the_owner_is_imported_as_unchanged(world: World, ada: Person) -> None:
    exported = await ada.get("/events.ics")
    headers = {"content-type": "text/calendar"}
    assert ok(await ada.post("/events/import", content=exported.content, headers=headers))["unchanged"] == 1
