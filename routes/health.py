"""Health checks, and explanations of the problem types."""

import inspect
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from models.shared.json_rendering import to_json
from models.shared.schema import Reply
from planner.errors import NotFound
from planner.version import VERSION, find_commit
from routes.http.errors import PROBLEM_TYPES, STATUSES, problem_slug
from routes.http.problems import COMMON_ERRORS, describe_errors, status_phrase
from routes.http.responses import JSON, describe_response
from routes.http.route import PlannerRoute
from routes.http.services import services_of

router = APIRouter(tags=["health"], route_class=PlannerRoute, responses=describe_errors(*COMMON_ERRORS))


class Health(Reply):
    """A successful health check."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"]


@router.get("/healthz", responses=describe_response(200, "The process is running.", Health))
async def check_liveness() -> Response:
    """Check whether the process is running.

    This does not use the database.
    """
    return Response(to_json({"status": "ok"}), media_type=JSON)


@router.get("/readyz", responses=describe_response(200, "The planner can serve requests.", Health))
async def check_readiness(request: Request) -> Response:
    """Check whether the planner can serve requests.

    The response is 503 when the database does not accept writes, or when the planner is about to stop.
    """
    await services_of(request).readiness.check()
    return Response(to_json({"status": "ok"}), media_type=JSON)


class Version(Reply):
    """Which planner responds."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": "0.1.0", "commit": None}]})

    version: str
    commit: Annotated[str | None, Field(description="The commit of its source code; null if that is unknown.")]


@router.get("/version", responses=describe_response(200, "The version of the planner.", Version))
async def check_version() -> Response:
    """Check which version of the planner responds.

    `commit` is the one that it was started from, or null if that is unknown.
    """
    return Response(to_json({"version": VERSION, "commit": find_commit()}), media_type=JSON)


def _explanations() -> dict[str, str]:
    """Return what each problem type means: the docstring of its kind of error, by the last part of the type."""
    kinds = {problem_slug(status_phrase(status)): kind for kind, status in STATUSES.items()}
    kinds |= {name: kind for kind, name in PROBLEM_TYPES.items()}
    return {name: inspect.getdoc(kind) or "" for name, kind in kinds.items()}


EXPLANATIONS = _explanations()


@router.get("/problems/{kind}", response_class=PlainTextResponse, responses={200: {"description": "The explanation."}})
async def explain_problem_type(
    kind: Annotated[str, Path(description="The last part of a problem's `type`.", examples=["not-found"])],
) -> str:
    """Explain what the type of a problem means.

    Every error response names its type, and the type is an address like this.
    """
    if kind in EXPLANATIONS:
        return EXPLANATIONS[kind]
    status = next((status for status in HTTPStatus if problem_slug(status_phrase(status)) == kind), None)
    if status is None:
        raise NotFound
    return status.description or status_phrase(status)
