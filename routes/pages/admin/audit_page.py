"""What happened to accounts, for admins."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from models.shared.audit import AuditQuery
from routes.http.dependencies import ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.admin.staff import PageAdmin
from routes.pages.personal import parse_page_query, read_list, render_personal

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)


@router.get("/admin/audit")
async def show_audit(request: Request, admin: PageAdmin, services: ServicesDep) -> Response:
    """Show the entries of the audit log, the newest first."""
    query = parse_page_query(AuditQuery, request, limit=50)
    entries = read_list(await services.audit.get_page(query))
    return await render_personal(request, admin, "admin/audit.html", entries=entries, query=query)
