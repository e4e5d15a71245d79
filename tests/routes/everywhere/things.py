"""What a valid request of each route is about, where the OpenAPI document does not say.

A new route usually needs a line in one or two of these tables; the tests say which.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auth.opaque_tokens import digest
from database.commit import commit_atomically
from models.accounts.one_time_token import OneTimeToken, Purpose
from models.accounts.user import Role
from tests.support.browsers import Browser
from tests.support.clients import PASSWORD, Person, ok, sign_in, sign_up
from tests.support.services import services_of

if TYPE_CHECKING:
    from tests.routes.everywhere.samples import World

HERE = "tests/routes/everywhere/things.py"

# The least role that a route asks for; all others are for everybody.
ROLES: dict[str, Role] = {
    "GET /api/v1/users": "moderator",
    "GET /api/v1/users/{id}": "moderator",
    "PATCH /api/v1/users/{id}": "admin",
    "GET /api/v1/audit": "admin",
    "PUT /api/v1/events/{id}/takedown": "moderator",
    "DELETE /api/v1/events/{id}/takedown": "moderator",
}

# The scope with which a token reaches a route; all others ask for a token without scopes.
SCOPES = {
    "GET /api/v1/events": "events:read",
    "GET /api/v1/events/{id}": "events:read",
    "GET /api/v1/events/{id}.ics": "events:read",
    "GET /api/v1/events.ics": "events:read",
    "POST /api/v1/events": "events:write",
    "GET /api/v1/events/{id}/revisions": "events:read",
    "POST /api/v1/events/{id}/restore": "events:write",
    "PUT /api/v1/events/{id}": "events:write",
    "PATCH /api/v1/events/{id}": "events:write",
    "DELETE /api/v1/events/{id}": "events:write",
    "GET /api/v1/events/occurrences": "events:read",
    "GET /api/v1/freebusy": "events:read",
    "PATCH /api/v1/events/{id}/occurrences/{recurrence_id}": "events:write",
    "DELETE /api/v1/events/{id}/occurrences/{recurrence_id}": "events:write",
    "GET /api/v1/events/changes": "events:read",
    "POST /api/v1/events/import": "events:write",
    "GET /api/v1/imports/{id}": "events:read",
    "GET /api/v1/users/me": "account:read",
}

# Routes whose body may be left out.
WITHOUT_BODY = frozenset({"POST /api/v1/events/{id}/restore"})

# Routes that end what their caller has: each request is a new person's.
LAST_ACTS = frozenset(
    {
        "DELETE /api/v1/users/me",
        "POST /api/v1/auth/signout",
        "POST /api/v1/auth/password",
        "POST /api/v1/auth/password/reset",
        "POST /api/v1/auth/email/verify",
    }
)


@dataclass(frozen=True)
class Thing:
    """How to make what the last parameter of a path names; each answers the parameter's value.

    `own` makes one that nobody but the person may see, `shared` one that others may see
    but not change (None: there are none such). `common`: it is there for whoever may call
    the route at all, and is nobody's.
    """

    own: Callable[["World", Person], Awaitable[str]]
    shared: Callable[["World", Person], Awaitable[str]] | None = None
    common: bool = False


WEEKLY = {"start": "2026-12-01T18:00:00Z", "recurrence": {"rrule": "FREQ=WEEKLY"}}


async def private_event(world: "World", person: Person) -> str:
    return str((await person.event(**WEEKLY))["id"])


async def public_event(world: "World", person: Person) -> str:
    return str((await person.event(visibility="public", **WEEKLY))["id"])


async def second_occurrence(world: "World", person: Person) -> str:
    return "2026-12-08T18:00:00"


async def problem_kind(world: "World", person: Person) -> str:
    return "not-found"


async def somebody(world: "World", person: Person) -> str:
    return (await sign_up(world.api, world.address())).id


async def session(world: "World", person: Person) -> str:
    ok(await sign_in(world.api, person.email, person.password))
    return str(ok(await person.get("/auth/sessions?limit=200"))["items"][-1]["id"])


async def personal_token(world: "World", person: Person) -> str:
    draft = {"name": "a script", "scopes": ["events:read"]}
    return str(ok(await person.post("/auth/tokens", json=draft), 201)["id"])


async def feed(world: "World", person: Person) -> str:
    return str(ok(await person.post("/feeds", json={"name": "On my phone"}), 201)["id"])


async def feed_token(world: "World", person: Person) -> str:
    url = ok(await person.post("/feeds", json={"name": "On my phone"}), 201)["url"]
    return str(url).rpartition("/")[2].removesuffix(".ics")


async def import_job(world: "World", person: Person) -> str:
    headers = {"content-type": "text/calendar", "prefer": "respond-async"}
    content = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    answer = await person.post("/events/import", content=content, headers=headers)
    await services_of(world.app).import_jobs.do_due()
    return str(ok(answer, 202)["id"])


async def provider(world: "World", person: Person) -> str:
    return "acme"


# By the path up to and including the parameter that names the thing.
THINGS = {
    "/api/v1/events/{id}": Thing(private_event, public_event),
    "/api/v1/events/{id}/occurrences/{recurrence_id}": Thing(second_occurrence),
    "/api/v1/users/{id}": Thing(somebody, common=True),
    "/api/v1/freebusy/shares/{user_id}": Thing(somebody, common=True),
    "/api/v1/auth/sessions/{id}": Thing(session),
    "/api/v1/auth/tokens/{id}": Thing(personal_token),
    "/api/v1/feeds/{id}": Thing(feed),
    "/api/v1/feeds/{token}": Thing(feed_token, common=True),
    "/api/v1/imports/{id}": Thing(import_job),
    "/api/v1/auth/{provider}": Thing(provider, common=True),
    "/problems/{kind}": Thing(problem_kind, common=True),
}


async def anothers_public_event(world: "World", person: Person) -> list[str]:
    return [await public_event(world, world.other)]


async def taken_down_event(world: "World", person: Person) -> list[str]:
    id = await public_event(world, world.other)
    ok(await person.put(f"/events/{id}/takedown", json={"reason": "It is not one."}))
    return [id]


async def changed_event(world: "World", person: Person) -> list[str]:
    id = await private_event(world, person)
    ok(await person.patch(f"/events/{id}", json={"title": "Changed"}))
    return [id]


async def the_changed_event(world: "World", person: Person) -> list[str]:
    """Always the same one: what is listed are its revisions."""
    if person.id not in world.changed_events:
        world.changed_events[person.id] = await changed_event(world, person)
    return world.changed_events[person.id]


# The values of a path's parameters, where its route is not about the caller's own things.
PATHS: dict[str, Callable[["World", Person], Awaitable[list[str]]]] = {
    "PUT /api/v1/events/{id}/takedown": anothers_public_event,
    "DELETE /api/v1/events/{id}/takedown": taken_down_event,
    "GET /api/v1/events/{id}/revisions": the_changed_event,
    "POST /api/v1/events/{id}/restore": changed_event,
}


@dataclass(frozen=True)
class Way:
    """An address that was prepared, and the headers that belong to it."""

    url: str
    headers: dict[str, str]


async def back_from_provider(world: "World", person: Person) -> Way:
    browser = Browser(world.api)
    url = await browser.consent(await browser.leave(), "grace")
    world.api.cookies.clear()
    return Way(url, {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())})


# Requests that begin elsewhere.
WAYS: dict[str, Callable[["World", Person], Awaitable[Way]]] = {
    "GET /api/v1/auth/{provider}/callback": back_from_provider,
}


async def fresh_account(world: "World", person: Person) -> Any:
    address = world.address()
    return {"email": address, "password": PASSWORD, "username": address.partition("@")[0]}


async def own_credentials(world: "World", person: Person) -> Any:
    return {"email": person.email, "password": person.password}


async def password_grant(world: "World", person: Person) -> Any:
    return {"grant_type": "password", "username": person.email, "password": person.password}


async def new_password(world: "World", person: Person) -> Any:
    return {"current_password": person.password, "new_password": "a wholly different set of words"}


async def own_password(world: "World", person: Person) -> Any:
    return {"password": person.password}


async def mailed(purpose: Purpose, world: "World", person: Person) -> str:
    """A token as a mail holds it."""
    user = ok(await person.get("/users/me"))
    token = f"{purpose} {world.count()}"
    now = datetime.now(UTC)
    id = world.id_of(user)
    await commit_atomically([OneTimeToken.issue(digest(token), purpose, id, person.email, now)])
    return token


async def verification(world: "World", person: Person) -> Any:
    return {"token": await mailed("verify", world, person)}


async def reset(world: "World", person: Person) -> Any:
    return {"token": await mailed("reset", world, person), "password": "a wholly different set of words"}


# Bodies that the document's example cannot be, for they must fit what is stored.
BODIES: dict[str, Callable[["World", Person], Awaitable[Any]]] = {
    "POST /api/v1/auth/signup": fresh_account,
    "POST /api/v1/auth/signin": own_credentials,
    "POST /api/v1/auth/token": password_grant,
    "POST /api/v1/auth/password": new_password,
    "POST /api/v1/auth/password/reset": reset,
    "POST /api/v1/auth/email/verify": verification,
    "DELETE /api/v1/users/me": own_password,
}


async def next_event(world: "World", person: Person, number: int) -> str:
    """Events with ties and undated ones among them, those made later not always listed later."""
    start = None if number % 5 == 4 else f"2026-05-{1 + number * 7 % 4:02}T10:00:00Z"
    return str((await person.event(title=f"Event {number}", start=start))["id"])


async def next_occurrence(world: "World", person: Person, number: int) -> str:
    """Events within the month from now on, with ties among them."""
    start = datetime.now(UTC) + timedelta(days=1 + number * 7 % 4)
    return str((await person.event(title=f"Event {number}", start=f"{start:%Y-%m-%d}"))["id"])


async def next_revision(world: "World", person: Person, number: int) -> str:
    (id,) = await the_changed_event(world, person)
    return str(ok(await person.patch(f"/events/{id}", json={"title": f"Changed {world.count()}"}))["revision"])


async def next_session(world: "World", person: Person, number: int) -> str:
    return await session(world, person)


async def next_token(world: "World", person: Person, number: int) -> str:
    return await personal_token(world, person)


async def next_feed(world: "World", person: Person, number: int) -> str:
    return await feed(world, person)


async def next_account(world: "World", person: Person, number: int) -> str:
    return await somebody(world, person)


async def next_share(world: "World", person: Person, number: int) -> str:
    id = await somebody(world, person)
    ok(await person.put(f"/freebusy/shares/{id}"), 204)
    return id


async def next_note(world: "World", person: Person, number: int) -> str:
    assert (await sign_in(world.api, person.email, "not the password")).status_code == 401
    return str(ok(await person.get("/audit?limit=1"))["items"][0]["id"])


# Lists of what the operator set; there is something in them.
SET_LISTS = frozenset({"GET /api/v1/auth/providers"})

# What each other list shows: adds one more thing to it, and answers the id of the item.
LISTED: dict[str, Callable[["World", Person, int], Awaitable[str]]] = {
    "GET /api/v1/events": next_event,
    "GET /api/v1/events/occurrences": next_occurrence,
    "GET /api/v1/events/{id}/revisions": next_revision,
    "GET /api/v1/users": next_account,
    "GET /api/v1/freebusy/shares": next_share,
    "GET /api/v1/audit": next_note,
    "GET /api/v1/auth/sessions": next_session,
    "GET /api/v1/auth/tokens": next_token,
    "GET /api/v1/feeds": next_feed,
}
