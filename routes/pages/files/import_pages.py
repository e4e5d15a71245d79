"""Choose a file, see what its import would do, and do it. The import runs in the background."""

import orjson
from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from models.shared.fields import TimeZone
from planner.domain.zones import list_zone_names
from planner.errors import Conflict, Invalid
from planner.services.files.importer import File
from planner.services.shared.field_errors import field_errors
from routes.http.dependencies import IdInPath, ServicesDep
from routes.http.route import PlannerRoute
from routes.pages.forms import Form, PageForm
from routes.pages.personal import refusal, render_personal
from routes.pages.rendering import redirect
from routes.pages.uploads import FILE_FIELD, UploadedForm
from routes.pages.visitors import SignedIn
from routes.pages.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)
# The notes that a page shows of each kind; it says how many more there are.
MAX_SHOWN = 200
_ZONE: TypeAdapter[str] = TypeAdapter(TimeZone)


@router.get("/import")
async def show_import(request: Request, caller: SignedIn) -> Response:
    """Show the form with which a file is chosen."""
    return await render_personal(request, caller, "files/import.html", zones=sorted(list_zone_names()))


@router.post("/import")
async def preview_import(request: Request, caller: SignedIn, services: ServicesDep, upload: UploadedForm) -> Response:
    """Begin a dry run of an import, which keeps the file for the import itself."""
    try:
        file = _read_file(upload.form, upload.content)
        job = await services.import_jobs.create_job(caller, file, True, None, keeps_file=True)
    except (Invalid, Conflict) as error:
        values = refusal(error, upload.form)
        return await render_personal(request, caller, "files/import.html", zones=sorted(list_zone_names()), **values)
    return redirect(request, f"/import/{job.id}")


def _read_file(form: PageForm, content: bytes) -> File:
    if not content:
        raise Invalid.field(f"/{FILE_FIELD}", WORDS.no_file)
    zone = form.get("time_zone")
    try:
        time_zone = _ZONE.validate_python(zone) if zone else None
    except ValidationError as error:
        raise Invalid.field("/time_zone", field_errors(error)[0].message) from None
    return File(content, reject_conflicts=form.get("reject_conflicts") == "on", time_zone=time_zone)


@router.get("/import/{id}")
async def show_import_job(request: Request, id: IdInPath, caller: SignedIn, services: ServicesDep) -> Response:
    """Show how far an import is, or what it has done or would do."""
    job = orjson.loads((await services.import_jobs.get_job(caller, id)).json)
    is_running = job["status"] in ("waiting", "running")
    kinds = [(WORDS.import_failed_entries, job["failed"]), (WORDS.import_warnings, job["warnings"])]
    notes = [(title, found[:MAX_SHOWN], max(0, len(found) - MAX_SHOWN)) for title, found in kinds if found]
    return await render_personal(request, caller, "files/import_job.html", job=job, is_running=is_running, notes=notes)


@router.post("/import/{id}")
async def start_import(request: Request, id: IdInPath, caller: SignedIn, services: ServicesDep, form: Form) -> Response:
    """Import the file of a dry run; sent again, it changes nothing."""
    job = orjson.loads((await services.import_jobs.get_job(caller, id)).json)
    if job["dry_run"]:
        await services.import_jobs.start_kept(caller, id)
    return redirect(request, f"/import/{id}")
