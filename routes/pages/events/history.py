"""Earlier revisions of an event, what each has changed, and their return."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, cast

import orjson
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.principal import Principal
from models.accounts.user import User
from models.events.event_fields import Visibility
from models.events.revision_view import RestoreRequest
from models.shared.schema import PageQuery
from planner.errors import ConfirmationNeeded, Malformed
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.dates import parse_local, write_instant
from routes.pages.events.deleting import read_revisions
from routes.pages.events.form_values import find_zone
from routes.pages.events.questions import Choice, ask
from routes.pages.events.refusals import write_time_elsewhere, write_when
from routes.pages.forms import Form
from routes.pages.rendering import redirect, render_page
from routes.pages.visitors import SignedIn
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
PAGE_LENGTH = 20
_OF_TIMES = ("start", "end", "all_day", "time_zone", "end_time_zone")


class FieldChange(NamedTuple):
    """A field that a revision has changed: its name, and its value before and after."""

    label: str
    before: str | None
    after: str | None


class HistoryEntry(NamedTuple):
    """A revision as it is shown; only one that is not the latest, and no deletion, can be restored."""

    revision: int
    at: str
    act: str
    by: str
    changes: list[FieldChange]
    is_restorable: bool


@router.get("/events/{id}/history")
async def show_history(
    request: Request,
    id: str,
    caller: SignedIn,
    services: ServicesDep,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Show the revisions of an event, the latest first."""
    # Each is compared with one or two that are earlier.
    page = await services.revisions.get_page(caller, id, PageQuery(limit=PAGE_LENGTH, cursor=cursor))
    items = list(map(orjson.loads, page.items))
    older: list[dict[str, Any]] = []
    if page.next is not None:
        rest = await services.revisions.get_page(caller, id, PageQuery(limit=2, cursor=page.next))
        older = list(map(orjson.loads, rest.items))
    time_zone = await User.find_time_zone(caller.id)
    entries = [
        _describe(caller, item, [*items, *older][index + 1 :], time_zone, is_latest=cursor is None and index == 0)
        for index, item in enumerate(items)
    ]
    title = next((item["event"]["title"] for item in [*items, *older] if item["event"] is not None), "")
    latest = items[0] if cursor is None and items else None
    return render_page(
        request,
        "events/history.html",
        id=id,
        event_title=title,
        entries=entries,
        next=page.next,
        latest="" if latest is None else latest["revision"],
        is_deleted=latest is not None and latest["event"] is None,
    )


def _describe(
    caller: Principal, item: dict[str, Any], earlier: Sequence[dict[str, Any]], time_zone: str, *, is_latest: bool
) -> HistoryEntry:
    words = WORDS.event
    before = next((other["event"] for other in earlier[:2] if other["event"] is not None), None)
    by = {None: "", str(caller.id): words.by_you}.get(item["by"], words.by_somebody)
    changes = [] if before is None else _describe_changes(item["fields"] or [], before, item["event"], time_zone)
    return HistoryEntry(
        item["revision"],
        write_instant(item["at"], time_zone),
        words.acts[item["act"]],
        by,
        changes,
        item["event"] is not None and not is_latest,
    )


def _describe_changes(
    names: Sequence[str], before: dict[str, Any], after: dict[str, Any], time_zone: str
) -> list[FieldChange]:
    """Return what has changed; when the event takes place is one thing, and not four."""
    words = WORDS.event
    changes = []
    if any(name in _OF_TIMES for name in names):
        old, new = (_write_time(event, time_zone) for event in (before, after))
        changes.append(FieldChange(words.when, old, new))
    for name in names:
        if name == "recurrence":
            old, new = (_write_recurrence(event, time_zone) for event in (before, after))
            changes.append(FieldChange(words.labels[name], old, new))
        elif name in ("occurrences", "organizer", "attendees", "alarms", "takedown"):
            changes.append(FieldChange(words.labels[name], None, None))
        elif name in words.labels and name not in _OF_TIMES:
            old, new = (words.write_value(name, event.get(name)) for event in (before, after))
            changes.append(FieldChange(words.labels[name], old, new))
    return changes


def _write_time(event: dict[str, Any], time_zone: str) -> str:
    return write_time_elsewhere(event, time_zone) or write_when(event, time_zone) or WORDS.event.undated


def _write_recurrence(event: dict[str, Any], time_zone: str) -> str:
    if event["recurrence"] is None or event["start"] is None:
        return str(WORDS.event.repeats_choices[""])
    zone = find_zone(event, time_zone)
    return WORDS.event.write_recurrence(event["recurrence"], parse_local(event["start"], zone), zone)


@router.post("/events/{id}/restore")
async def restore(request: Request, id: str, caller: SignedIn, form: Form, services: ServicesDep) -> Response:
    """Give an event the content of an earlier revision, and show it."""
    wanted = form.get("to")
    if not (wanted.isascii() and wanted.isdecimal() and 1 <= int(wanted[:16]) < 2**53):
        raise Malformed("There is no such revision.")
    confirmed = form.get("confirmed")
    try:
        restored = await services.revisions.restore(
            caller,
            id,
            RestoreRequest(revision=int(wanted)),
            read_revisions(form),
            confirmed=cast("Visibility", confirmed) if confirmed in ("unlisted", "public") else None,
        )
    except ConfirmationNeeded as error:
        words = WORDS.event
        choices = [Choice("confirmed", error.visibility, words.confirm_visibility)]
        fields = {"to": wanted, "revision": form.get("revision")}
        return ask(
            request,
            f"/events/{id}/restore",
            words.restore,
            words.confirm_text,
            choices,
            fields,
            f"/events/{id}/history",
            409,
        )
    return redirect(request, f"/events/{restored.id}")
