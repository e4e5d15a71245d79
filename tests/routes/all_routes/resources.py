"""The resources that valid requests need, and what else the OpenAPI document does not say of a route.

A new route usually needs a line in one or two of these tables; a test that fails names the table.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auth.opaque_tokens import digest
from database.commit import commit_atomically
from database.queries import Id
from models.accounts.identity_schema import id_of
from models.accounts.one_time_token import OneTimeToken, Purpose
from models.accounts.user import ProviderIdentity, Role, User
from tests.support.clients import PASSWORD, Person, ok, sign_in, sign_up
from tests.support.oidc.browser import Browser, query_of
from tests.support.services import services_of
from tests.support.waiting import wait_until_async

if TYPE_CHECKING:
    from tests.routes.all_routes.request_factory import RequestFactory

HERE = "tests/routes/all_routes/resources.py"

# The lowest role that a route requires; all others are for everybody.
ROLES: dict[str, Role] = {
    "GET /api/v1/users": "moderator",
    "GET /api/v1/users/{id}": "moderator",
    "PATCH /api/v1/users/{id}": "admin",
    "DELETE /api/v1/users/{id}": "admin",
    "POST /api/v1/users/{id}/unlock": "admin",
    "DELETE /api/v1/users/{id}/sessions": "admin",
    "POST /api/v1/users/{id}/verification": "admin",
    "GET /api/v1/audit": "admin",
    "PUT /api/v1/events/{id}/takedown": "moderator",
    "DELETE /api/v1/events/{id}/takedown": "moderator",
}

# The scope that a route requires of a token that has scopes; all others refuse such a token.
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
OPTIONAL_BODIES = frozenset({"POST /api/v1/events/{id}/restore", "POST /api/v1/auth/{provider}/link"})

# Routes after which their caller cannot make the same request again: each request is a new account's.
SINGLE_USE = frozenset(
    {
        "DELETE /api/v1/users/me",
        "POST /api/v1/auth/signout",
        "POST /api/v1/auth/password",
        "POST /api/v1/auth/password/reset",
        "POST /api/v1/auth/email/verify",
    }
)


@dataclass(frozen=True)
class Resource:
    """How to create what the last parameter of a path names; each function returns the parameter's value.

    `create_private` creates one that nobody but the person may see, `create_public` one that others may see
    but not change (None when there is no such kind). `is_for_all` is true for what whoever may call the
    route may see, and nobody owns.
    """

    create_private: Callable[["RequestFactory", Person], Awaitable[str]]
    create_public: Callable[["RequestFactory", Person], Awaitable[str]] | None = None
    is_for_all: bool = False


WEEKLY = {"start": "2026-12-01T18:00:00Z", "recurrence": {"rrule": "FREQ=WEEKLY"}}


async def create_private_event(requests: "RequestFactory", person: Person) -> str:
    return str((await person.event(**WEEKLY))["id"])


async def create_public_event(requests: "RequestFactory", person: Person) -> str:
    return str((await person.event(visibility="public", **WEEKLY))["id"])


async def name_second_occurrence(requests: "RequestFactory", person: Person) -> str:
    return "2026-12-08T18:00:00"


async def name_problem(requests: "RequestFactory", person: Person) -> str:
    return "not-found"


async def create_account(requests: "RequestFactory", person: Person) -> str:
    return (await sign_up(requests.api, requests.address())).id


async def open_session(requests: "RequestFactory", person: Person) -> str:
    ok(await sign_in(requests.api, person.email, person.password))
    return str(ok(await person.get("/auth/sessions?limit=200"))["items"][-1]["id"])


async def create_personal_token(requests: "RequestFactory", person: Person) -> str:
    draft = {"name": "a script", "scopes": ["events:read"]}
    return str(ok(await person.post("/auth/tokens", json=draft), 201)["id"])


async def create_feed(requests: "RequestFactory", person: Person) -> str:
    return str(ok(await person.post("/feeds", json={"name": "On my phone"}), 201)["id"])


async def create_feed_token(requests: "RequestFactory", person: Person) -> str:
    url = ok(await person.post("/feeds", json={"name": "On my phone"}), 201)["url"]
    return str(url).rpartition("/")[2].removesuffix(".ics")


async def import_nothing(requests: "RequestFactory", person: Person) -> str:
    headers = {"content-type": "text/calendar", "prefer": "respond-async"}
    content = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    answer = await person.post("/events/import", content=content, headers=headers)
    await services_of(requests.app).import_jobs.run_due()
    return str(ok(answer, 202)["id"])


async def export_account(requests: "RequestFactory", person: Person) -> str:
    id = str(ok(await person.get("/users/me/export", headers={"prefer": "respond-async"}), 202)["id"])

    async def is_done() -> bool:
        return bool(ok(await person.get(f"/exports/{id}"))["status"] == "done")

    # Either this makes the file or the background loop, which may have begun.
    await services_of(requests.app).data_export.run_due()
    await wait_until_async(is_done)
    return id


async def name_provider(requests: "RequestFactory", person: Person) -> str:
    return "acme"


async def create_identity(requests: "RequestFactory", person: Person) -> str:
    identity = ProviderIdentity(issuer="https://accounts.example.com", subject=f"{person.id} {requests.count()}")
    user = await User.by_id(Id(person.id))
    assert user is not None
    await commit_atomically([User.add_identity_write(user.id, identity, datetime.now(UTC))])
    return id_of(identity)


# By the path up to and including the parameter that names the resource.
RESOURCES = {
    "/api/v1/events/{id}": Resource(create_private_event, create_public_event),
    "/api/v1/events/{id}/occurrences/{recurrence_id}": Resource(name_second_occurrence),
    "/api/v1/users/{id}": Resource(create_account, is_for_all=True),
    "/api/v1/freebusy/shares/{user_id}": Resource(create_account, is_for_all=True),
    "/api/v1/auth/sessions/{id}": Resource(open_session),
    "/api/v1/auth/tokens/{id}": Resource(create_personal_token),
    "/api/v1/feeds/{id}": Resource(create_feed),
    "/api/v1/feeds/{token}": Resource(create_feed_token, is_for_all=True),
    "/api/v1/imports/{id}": Resource(import_nothing),
    "/api/v1/exports/{id}": Resource(export_account),
    "/api/v1/auth/identities/{id}": Resource(create_identity),
    "/api/v1/auth/{provider}": Resource(name_provider, is_for_all=True),
    "/problems/{kind}": Resource(name_problem, is_for_all=True),
}


async def create_anothers_public_event(requests: "RequestFactory", person: Person) -> list[str]:
    return [await create_public_event(requests, requests.other)]


async def create_taken_down_event(requests: "RequestFactory", person: Person) -> list[str]:
    id = await create_public_event(requests, requests.other)
    ok(await person.put(f"/events/{id}/takedown", json={"reason": "It is not one."}))
    return [id]


async def create_changed_event(requests: "RequestFactory", person: Person) -> list[str]:
    id = await create_private_event(requests, person)
    ok(await person.patch(f"/events/{id}", json={"title": "Changed"}))
    return [id]


async def reuse_changed_event(requests: "RequestFactory", person: Person) -> list[str]:
    """Return always the same event of this person's: the route lists its revisions."""
    if person.id not in requests.changed_events:
        requests.changed_events[person.id] = await create_changed_event(requests, person)
    return requests.changed_events[person.id]


# The values of a path's parameters, where a resource that was just created for the caller is not what the route needs.
PATH_VALUES: dict[str, Callable[["RequestFactory", Person], Awaitable[list[str]]]] = {
    "PUT /api/v1/events/{id}/takedown": create_anothers_public_event,
    "DELETE /api/v1/events/{id}/takedown": create_taken_down_event,
    "GET /api/v1/events/{id}/revisions": reuse_changed_event,
    "POST /api/v1/events/{id}/restore": create_changed_event,
}


@dataclass(frozen=True)
class PreparedRequest:
    """An address and the headers that belong to it, made by requests before this one."""

    url: str
    headers: dict[str, str]


async def return_from_provider(requests: "RequestFactory", person: Person) -> PreparedRequest:
    browser = Browser(requests.api)
    url = await browser.consent(await browser.start_sign_in(), "grace")
    requests.api.cookies.clear()
    return PreparedRequest(url, {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())})


async def return_with_form(requests: "RequestFactory", person: Person) -> Any:
    prepared = await return_from_provider(requests, person)
    requests.returned = prepared
    return query_of(prepared.url)


async def bring_the_cookie(requests: "RequestFactory", person: Person) -> PreparedRequest:
    """Return the address and the cookie that belong to the form that was drafted last."""
    assert requests.returned is not None
    return PreparedRequest(requests.returned.url.partition("?")[0], requests.returned.headers)


# Requests that follow others, such as the way back from a provider.
PREPARED_REQUESTS: dict[str, Callable[["RequestFactory", Person], Awaitable[PreparedRequest]]] = {
    "GET /api/v1/auth/{provider}/callback": return_from_provider,
    "POST /api/v1/auth/{provider}/callback": bring_the_cookie,
}


async def draft_account(requests: "RequestFactory", person: Person) -> Any:
    address = requests.address()
    return {"email": address, "password": PASSWORD, "username": address.partition("@")[0]}


async def draft_credentials(requests: "RequestFactory", person: Person) -> Any:
    return {"email": person.email, "password": person.password}


async def draft_password_grant(requests: "RequestFactory", person: Person) -> Any:
    return {"grant_type": "password", "username": person.email, "password": person.password}


async def draft_new_password(requests: "RequestFactory", person: Person) -> Any:
    return {"current_password": person.password, "new_password": "a wholly different set of words"}


async def draft_password(requests: "RequestFactory", person: Person) -> Any:
    return {"password": person.password}


async def issue_mailed_token(purpose: Purpose, requests: "RequestFactory", person: Person) -> str:
    """Return a token as a mail holds it; its hash is stored."""
    user = ok(await person.get("/users/me"))
    token = f"{purpose} {requests.count()}"
    now = datetime.now(UTC)
    id = requests.id_of(user)
    await commit_atomically([OneTimeToken.insert_write(digest(token), purpose, id, person.email, now)])
    return token


async def draft_verification(requests: "RequestFactory", person: Person) -> Any:
    return {"token": await issue_mailed_token("verify", requests, person), "password": person.password}


async def draft_link(requests: "RequestFactory", person: Person) -> Any:
    return {"current_password": person.password}


async def draft_reset(requests: "RequestFactory", person: Person) -> Any:
    return {"token": await issue_mailed_token("reset", requests, person), "password": "a wholly different set of words"}


# Bodies that must fit what is stored, so that the document's example cannot be sent.
BODIES: dict[str, Callable[["RequestFactory", Person], Awaitable[Any]]] = {
    "POST /api/v1/auth/signup": draft_account,
    "POST /api/v1/auth/signin": draft_credentials,
    "POST /api/v1/auth/token": draft_password_grant,
    "POST /api/v1/auth/password": draft_new_password,
    "POST /api/v1/auth/password/reset": draft_reset,
    "POST /api/v1/auth/{provider}/link": draft_link,
    "POST /api/v1/auth/{provider}/callback": return_with_form,
    "POST /api/v1/auth/email/verify": draft_verification,
    "DELETE /api/v1/users/me": draft_password,
}


async def add_event(requests: "RequestFactory", person: Person, number: int) -> str:
    """Add one of several events with ties and undated ones among them, in another order than they are listed."""
    start = None if number % 5 == 4 else f"2026-05-{1 + number * 7 % 4:02}T10:00:00Z"
    return str((await person.event(title=f"Event {number}", start=start))["id"])


async def add_occurrence(requests: "RequestFactory", person: Person, number: int) -> str:
    """Add one of several events within the month from now on, with ties among them."""
    start = datetime.now(UTC) + timedelta(days=1 + number * 7 % 4)
    return str((await person.event(title=f"Event {number}", start=f"{start:%Y-%m-%d}"))["id"])


async def add_revision(requests: "RequestFactory", person: Person, number: int) -> str:
    (id,) = await reuse_changed_event(requests, person)
    return str(ok(await person.patch(f"/events/{id}", json={"title": f"Changed {requests.count()}"}))["revision"])


async def add_session(requests: "RequestFactory", person: Person, number: int) -> str:
    return await open_session(requests, person)


async def add_personal_token(requests: "RequestFactory", person: Person, number: int) -> str:
    return await create_personal_token(requests, person)


async def add_feed(requests: "RequestFactory", person: Person, number: int) -> str:
    return await create_feed(requests, person)


async def add_identity(requests: "RequestFactory", person: Person, number: int) -> str:
    return await create_identity(requests, person)


async def add_account(requests: "RequestFactory", person: Person, number: int) -> str:
    return await create_account(requests, person)


async def add_share(requests: "RequestFactory", person: Person, number: int) -> str:
    id = await create_account(requests, person)
    ok(await person.put(f"/freebusy/shares/{id}"), 204)
    return id


async def add_audit_entry(requests: "RequestFactory", person: Person, number: int) -> str:
    assert (await sign_in(requests.api, person.email, "not the password")).status_code == 401
    return str(ok(await person.get("/audit?limit=1"))["items"][0]["id"])


# Lists of what the operator configured, which tests cannot add to.
CONFIGURED_LISTS = frozenset({"GET /api/v1/auth/providers"})

# For each other list: adds one more item to it and returns the item's id.
ADD_LIST_ITEM: dict[str, Callable[["RequestFactory", Person, int], Awaitable[str]]] = {
    "GET /api/v1/events": add_event,
    "GET /api/v1/events/occurrences": add_occurrence,
    "GET /api/v1/events/{id}/revisions": add_revision,
    "GET /api/v1/users": add_account,
    "GET /api/v1/freebusy/shares": add_share,
    "GET /api/v1/audit": add_audit_entry,
    "GET /api/v1/auth/sessions": add_session,
    "GET /api/v1/auth/tokens": add_personal_token,
    "GET /api/v1/feeds": add_feed,
    "GET /api/v1/auth/identities": add_identity,
}
