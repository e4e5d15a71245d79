"""The page of the calendar, at an address for each view and date: `/calendar/month/2026-12`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple, get_args

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from auth.principal import Principal
from models.events.event_schema import Scope
from planner.domain.zones import MAX_CLOCK_CHANGE, add_clamped, to_utc
from planner.errors import NotFound
from planner.wiring import Services
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.calendar_views.calendar_items import CalendarItem, build_item
from routes.pages.calendar_views.hour_layout import Block, lay_out_day
from routes.pages.calendar_views.month_layout import DayLines, lay_out_week
from routes.pages.calendar_views.periods import Period, View, format_address, parse_period
from routes.pages.calendar_views.regions import find_first_weekday
from routes.pages.calendar_views.words import CalendarWords
from routes.pages.rendering import redirect, render_page
from routes.pages.visitors import SignedIn

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
VIEWS: tuple[View, ...] = get_args(View)
# So many occurrences are on a page at most. The days after them say that there is more.
MAX_OCCURRENCES = 3000
ScopeInQuery = Annotated[Scope, Query()]


class HourDay(NamedTuple):
    """A day with hours: what takes the whole day, and what begins at each hour."""

    day: date
    lines: DayLines
    hours: dict[int, list[Block]]


class Found(NamedTuple):
    """What is shown, and the day from which on it is not complete, if there is too much."""

    items: list[CalendarItem]
    complete_until: date


@router.get("/calendar")
@router.get("/calendar/{view}")
async def show_today(
    request: Request, caller: SignedIn, services: ServicesDep, view: str = "month", scope: ScopeInQuery = "mine"
) -> Response:
    """Go to the view that shows today, in the time zone of the account."""
    _, now = await services.own_account.find_local_time(caller)
    return redirect(request, format_address(_require_view(view), now.date()) + query_of(scope))


@router.get("/calendar/{view}/{day}")
async def show_calendar(
    request: Request, caller: SignedIn, services: ServicesDep, view: str, day: str, scope: ScopeInQuery = "mine"
) -> Response:
    """Show a month, a week, a day, or a list of days."""
    time_zone, now = await services.own_account.find_local_time(caller)
    period = parse_period(_require_view(view), day, find_first_weekday(request.headers.get("accept-language", "")))
    found = await _find_items(services, caller, scope, period, time_zone)
    values = _lay_out(period, found.items) | {"period": period, "scope": scope, "query": query_of(scope)}
    anchor = now.date() if period.begin <= now.date() < period.end else period.begin
    views = [(name, CalendarWords.view_names[name], format_address(name, anchor)) for name in VIEWS]
    return render_page(
        request, "calendar/page.html", today=now.date(), views=views, complete_until=found.complete_until, **values
    )


def _require_view(view: str) -> View:
    for known in VIEWS:
        if known == view:
            return known
    raise NotFound("There is no such view of the calendar.")


def query_of(scope: Scope) -> str:
    """Return the query that keeps the scope in an address; that of one's own events is not written."""
    return "" if scope == "mine" else f"?scope={scope}"


async def _find_items(services: Services, caller: Principal, scope: Scope, period: Period, time_zone: str) -> Found:
    """Return what takes place on the days of a period. Days without a time are the same days in every zone."""
    begin, end = to_utc(period.first, time_zone), to_utc(period.after, time_zone)
    window = add_clamped(begin, -MAX_CLOCK_CHANGE), add_clamped(end, MAX_CLOCK_CHANGE)
    found = await services.occurrences.list_window(caller, scope, window, MAX_OCCURRENCES)
    reader = str(caller.id)
    items = [build_item(body, time_zone, reader) for body in found.items]
    complete_until = period.after
    if found.has_more:
        # The next one may begin at the same instant, and on the day before in the zone of another all-day event.
        complete_until = add_clamped(datetime.combine(items[-1].first, datetime.min.time()), -MAX_CLOCK_CHANGE).date()
    shown = [item for item in items if item.first < period.after and item.last >= period.first]
    return Found(shown, complete_until)


def _lay_out(period: Period, items: Sequence[CalendarItem]) -> dict[str, Any]:
    days = period.days
    if period.view == "month":
        weeks = [days[n : n + 7] for n in range(0, len(days), 7)]
        by_week = [[item for item in items if item.first <= week[-1] and item.last >= week[0]] for week in weeks]
        shown = [lay_out_week(week, found) for week, found in zip(weeks, by_week, strict=True)]
        return {"weeks": shown, "is_empty": not items}
    if period.view == "agenda":
        lines = lay_out_week(days, items, None)
        return {"days": [day for day in lines if day.lines], "is_empty": not items}
    long = lay_out_week(days, [item for item in items if item.is_long], None)
    return {"days": [HourDay(day.day, day, lay_out_day(day.day, items)) for day in long], "is_empty": not items}
