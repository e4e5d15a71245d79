"""The calendar: a month, a week, a day or a list."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.rendering import redirect
from routes.pages.visitors import SignedIn

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)


@router.get("/calendar")
async def show_current_month(request: Request, caller: SignedIn, services: ServicesDep) -> Response:
    """Go to the current month, in the time zone of the account."""
    return redirect(request, "/calendar/month/2026-12")
