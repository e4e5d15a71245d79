"""Feeds: private addresses to which calendar programs subscribe, with QR codes; and the calendar as a file."""

import re
from typing import Annotated
from urllib.parse import urlsplit
from uuid import uuid4

import segno
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from models.files.export_schema import ExportQuery
from models.files.feed_schema import FeedCreate
from planner.oidc_settings import is_loopback
from planner.services.shared.idempotency import IdempotencyKey
from routes.feeds import respond_with_export
from routes.http.dependencies import Client, IdInPath, ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.forms import Form
from routes.pages.personal import REFUSALS, parse_form, read_list, refusal, render_personal
from routes.pages.rendering import redirect
from routes.pages.visitors import SignedIn

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
Cursor = Annotated[str | None, Query(max_length=500)]


def draw_qr_code(text: str) -> str:
    """Return the QR code of a text as the address of an image that needs no request.

    An image of its own would have the secret text in its address, and so in logs.
    """
    return segno.make(text, error="m").svg_data_uri(scale=5, border=4, light="#fff")


@router.get("/feeds")
async def show_feeds(request: Request, caller: SignedIn, services: ServicesDep, cursor: Cursor = None) -> Response:
    """Show the feeds, without their addresses, and the form that creates one."""
    feeds = read_list(await services.feeds.get_page(caller, cursor, 50))
    return await render_personal(request, caller, "files/feeds.html", feeds=feeds, created=None, key=uuid4().hex)


@router.post("/feeds")
async def create_feed(
    request: Request, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Create a feed, and show its address, which nobody can read again.

    The form has a key of its own, so that the page can be loaded again without creating another feed.
    """
    created, values = None, {}
    try:
        wanted = {"name": form.get("name"), "scope": form.get("scope") or "mine", "tag": form.get("tag") or None}
        draft = parse_form(FeedCreate, wanted)
        given = form.get("key")
        key = IdempotencyKey(f"{caller.id} POST /feeds", given, services.secrets, caller.id) if given else None
        new = await services.feeds.create(caller, draft, client, key)
        url = f"{services.base_url}/api/v1/feeds/{new.token}.ics"
        created = {
            "name": new.feed.name,
            "url": url,
            "webcal": re.sub("^https?", "webcal", url),
            "qr_code": draw_qr_code(url),
            "is_of_this_computer": is_loopback(urlsplit(url).hostname or ""),
        }
    except REFUSALS as error:
        values = refusal(error, form)
    feeds = read_list(await services.feeds.get_page(caller, None, 50))
    return await render_personal(
        request, caller, "files/feeds.html", feeds=feeds, created=created, key=uuid4().hex, **values
    )


@router.post("/feeds/{id}/delete")
async def delete_feed(
    request: Request, id: IdInPath, caller: SignedIn, services: ServicesDep, client: Client, form: Form
) -> Response:
    """Delete a feed: its address stops working at once."""
    await services.feeds.delete(caller, id, client)
    return redirect(request, "/feeds?done=feed-deleted")


@router.get("/export/events.ics")
async def export_events(
    request: Request, caller: SignedIn, services: ServicesDep, query: Annotated[ExportQuery, Query()]
) -> Response:
    """Return the events as one iCalendar file."""
    return await respond_with_export(
        request, services.exports, services.exports.select(caller, query), "planner-events"
    )
