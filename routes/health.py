"""Whether the process lives, whether its database answers, and what the problem types mean."""

import asyncio
import inspect
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from database.errors import DRIVER_ERROR
from models.shared.schema import Reply
from models.shared.views import to_json
from planner.errors import NotFound, Unavailable
from routes.http.errors import KINDS, STATUSES, slug
from routes.http.problems import ANYWHERE, phrase, problems
from routes.http.responses import JSON, described

router = APIRouter(tags=["operation"], responses=problems(*ANYWHERE))


class Health(Reply):
    """A sign of life."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"]


HEALTHY = described(200, "It does.", Health)


@router.get("/healthz", responses=HEALTHY)
async def healthz() -> Response:
    """Whether the process lives."""
    return Response(to_json({"status": "ok"}), media_type=JSON)


@router.get("/readyz", responses=HEALTHY)
async def readyz(request: Request) -> Response:
    """Whether the database answers, so that requests can be served."""
    try:
        async with asyncio.timeout(2):
            await request.app.state.database.ping()
    except (DRIVER_ERROR, TimeoutError):
        raise Unavailable("The database does not answer.") from None
    return Response(to_json({"status": "ok"}), media_type=JSON)


def _explained() -> dict[str, str]:
    known = {slug(phrase(status)): kind for kind, status in STATUSES.items()}
    known |= {name: kind for kind, name in KINDS.items()}
    return {name: inspect.getdoc(kind) or "" for name, kind in known.items()}


EXPLAINED = _explained()


@router.get("/problems/{kind}", response_class=PlainTextResponse)
async def explain(
    kind: Annotated[str, Path(description="The last part of a problem's `type`.", examples=["not-found"])],
) -> str:
    """What a problem's `type` means."""
    if kind in EXPLAINED:
        return EXPLAINED[kind]
    status = next((status for status in HTTPStatus if slug(phrase(status)) == kind), None)
    if status is None:
        raise NotFound
    return status.description or phrase(status)
