"""The metrics of the planner, for Prometheus."""

import hmac
import ipaddress
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from database.errors import DRIVER_ERROR
from planner.errors import Forbidden, InvalidToken, Unauthenticated
from planner.telemetry.metrics import GaugeReading
from planner.version import VERSION
from planner.wiring import Services
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute

router = APIRouter(route_class=PlannerRoute)


# It is not part of the API: who runs the planner reads it, and no account gives access to it.
@router.get("/metrics", include_in_schema=False)
async def get_metrics(
    request: Request,
    services: ServicesDep,
    authorization: Annotated[str | None, Header()] = None,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Return what the planner measures of itself, as Prometheus reads it.

    Without a METRICS_TOKEN in the settings, only clients on the same machine may read it, and not through a proxy. With
    one, whoever sends it as a Bearer token may. The numbers are those of all worker processes together.
    """
    _require_access(request, services.metrics_token, authorization)
    body, media_type = services.metrics.render(await _read_gauges(services), accept)
    return Response(body, headers={"content-type": media_type, "cache-control": "no-store"})


def _require_access(request: Request, token: str | None, authorization: str | None) -> None:
    if token is None:
        # A proxy on the same machine has a loopback address too, and its clients are anywhere.
        is_forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip", "via"))
        if is_forwarded or request.client is None or not _is_loopback(request.client.host):
            raise Forbidden("Only the machine of the planner may read the metrics, because METRICS_TOKEN is not set.")
        return
    if authorization is None:
        raise Unauthenticated("This request needs the METRICS_TOKEN as a Bearer token.")
    scheme, _, sent = authorization.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), token.encode()):
        raise InvalidToken("The token is not the METRICS_TOKEN.")


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback


async def _read_gauges(services: Services) -> Mapping[str, GaugeReading]:
    """Return the gauges that are read when they are asked for; without the database, those that it does not hold."""
    try:
        waiting: Mapping[str, float] = await services.statistics.count_waiting()
        is_up = 1
    except DRIVER_ERROR:
        waiting, is_up = {}, 0
    return {
        "planner_build_info": GaugeReading("The version of the planner.", "version", {VERSION: 1}),
        "planner_database_up": GaugeReading(
            "Whether the database responds.", "database", {services.database.name: is_up}
        ),
        "planner_queue_length": GaugeReading("Work that waits, at most 10,000 of a kind.", "queue", waiting),
    }
