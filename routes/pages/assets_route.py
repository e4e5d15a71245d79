"""The files that pages load: the style sheet, the scripts, the icons."""

from fastapi import APIRouter
from starlette.responses import Response

from planner.errors import NotFound
from routes.http.route import PlannerRoute
from routes.pages.rendering import load_asset

router = APIRouter(include_in_schema=False, route_class=PlannerRoute)


@router.get("/assets/{digest}/{name}")
async def get_asset(digest: str, name: str) -> Response:
    """Return a file; its address has its digest, so that browsers never have to ask again."""
    asset = load_asset(name)
    if asset is None:
        raise NotFound
    is_current = digest == asset.digest
    caching = "public, max-age=31536000, immutable" if is_current else "no-cache"
    return Response(asset.body, media_type=asset.media_type, headers={"cache-control": caching})
