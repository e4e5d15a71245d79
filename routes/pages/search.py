"""The page with which events are found: by words, tag, place and time, among one's own and public ones."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from models.events.event_schema import EventQuery
from planner.domain.times import format_rfc3339
from planner.domain.zones import to_local, to_utc
from planner.errors import Invalid
from planner.services.shared.field_errors import field_errors
from planner.services.shared.views import Page
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.dates import write_days, write_moments
from routes.pages.forms import errors_by_field
from routes.pages.rendering import render_page
from routes.pages.visitors import SignedIn
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
FILTERS = ("q", "tag", "near", "km", "from", "to", "scope")
DEFAULT_KM = "10"
PAGE_SIZE = 25


class FoundEvent(NamedTuple):
    """An event among the results, with its time in words."""

    body: Mapping[str, Any]
    when: str


@router.get("/search")
async def show_search(request: Request, caller: SignedIn, services: ServicesDep) -> Response:
    """Show the form of the search, and what was found; with `part=results` only that, for the script of the page."""
    typed = {name: request.query_params.get(name, "").replace("\0", "").strip() for name in FILTERS}
    cursor, errors = request.query_params.get("cursor") or None, dict[str, str]()
    time_zone = (await services.own_account.find_local_time(caller)).time_zone
    found = None
    try:
        if any(typed[name] for name in ("q", "tag", "near", "from", "to")):
            found = await services.events.get_page(caller, build_query(typed, time_zone, cursor))
    except Invalid as error:
        errors = errors_by_field(error)
    values = _describe(found, typed, time_zone, cursor) | {"typed": typed, "errors": errors}
    if request.query_params.get("part") == "results":
        # What is half typed is not an error yet, and browsers report every other status to the developer.
        return render_page(request, "search/results.html", **values)
    return render_page(request, "search/page.html", 422 if errors else 200, **values)


def build_query(typed: Mapping[str, str], time_zone: str, cursor: str | None) -> EventQuery:
    """Return the query of the fields of the form; its days are those of the time zone. Raises `Invalid`."""
    query = {"q": typed["q"] or None, "tag": typed["tag"] or None, "scope": typed["scope"] or "mine"}
    if typed["near"]:
        query["near"] = f"{typed['near']},{typed['km'] or DEFAULT_KM}".replace(" ", "")
    query["from"] = _find_midnight(typed["from"], "/from", time_zone)
    query["to"] = _find_midnight(typed["to"], "/to", time_zone, days=1)
    try:
        return EventQuery.model_validate(query | {"limit": PAGE_SIZE, "cursor": cursor})
    except ValidationError as error:
        raise Invalid(field_errors(error)) from None


def _find_midnight(text: str, pointer: str, time_zone: str, days: int = 0) -> str | None:
    """Return the instant at which a day begins, or one that is so many days later. Raises `Invalid` at `pointer`."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise Invalid.field(pointer, "must be a date, such as 2026-12-31") from None
    return format_rfc3339(to_utc(day, time_zone))


def _describe(found: Page | None, typed: Mapping[str, str], time_zone: str, cursor: str | None) -> dict[str, Any]:
    """Return what the templates show of the results."""
    if found is None:
        return {"results": None, "more": None, "count": "", "truncated": False}
    bodies = [orjson.loads(item) for item in found.items]
    filters = {name: text for name, text in typed.items() if text}
    more = None if found.next is None else f"/search?{urlencode(filters | {'cursor': found.next})}"
    count = WORDS.search_found[more is not None or cursor is not None].format(count=len(bodies))
    results = [FoundEvent(body, write_when(body, time_zone)) for body in bodies]
    return {"results": results, "more": more, "count": count, "truncated": found.is_truncated}


def write_when(body: Mapping[str, Any], time_zone: str) -> str:
    """Return when an event takes place, in words."""
    start, end = body["start"], body["end"]
    if start is None:
        return WORDS.undated
    if body["all_day"]:
        first = date.fromisoformat(start)
        return write_days(first, date.fromisoformat(end) - timedelta(days=1) if end else first)
    return write_moments(_to_local(start, time_zone), None if end is None else _to_local(end, time_zone))


def _to_local(sent: str, time_zone: str) -> datetime:
    return to_local(datetime.fromisoformat(sent), time_zone)
