"""Who may see the pages of moderators and admins."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from auth.principal import Principal
from planner.errors import Forbidden
from routes.pages.visitors import require_visitor
from routes.pages.words import WORDS


async def require_moderator(request: Request) -> Principal:
    """Return the moderator or admin who is signed in; raises `SignInNeeded` and `Forbidden`."""
    caller = await require_visitor(request)
    if caller.role not in ("moderator", "admin"):
        raise Forbidden(WORDS.only_moderators)
    return caller


async def require_admin(request: Request) -> Principal:
    """Return the admin who is signed in; raises `SignInNeeded` and `Forbidden`."""
    caller = await require_visitor(request)
    if caller.role != "admin":
        raise Forbidden(WORDS.only_admins)
    return caller


PageModerator = Annotated[Principal, Depends(require_moderator)]
PageAdmin = Annotated[Principal, Depends(require_admin)]
