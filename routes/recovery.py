"""Proving an e-mail address, and getting back into an account by it."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import Response

from auth.authenticate import CurrentUser
from models.shared.fields import NO_NUL, Email, Password
from models.shared.schema import Request as Body
from routes.http.bodies import PlannerRoute
from routes.http.dependencies import Client, RecoveryService
from routes.http.problems import ANYWHERE, GUARDED, WITH_BODY, problems

router = APIRouter(prefix="/api/v1/auth", tags=["recovery"], route_class=PlannerRoute, responses=problems(*ANYWHERE))
MailedToken = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
MAILED_WORD = "the word after #token= in the mail's link"


class TokenBody(Body):
    """A token that came by mail."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": MAILED_WORD}]})

    token: MailedToken


class ForgotPasswordRequest(Body):
    """Whose password is forgotten."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.com"}]})

    email: Email


class ResetPasswordRequest(Body):
    """A token that came by mail, and the new password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": MAILED_WORD, "password": "another unusual one"}]}
    )

    token: MailedToken
    password: Password


@router.post("/email/verification", status_code=202, responses=problems(*GUARDED, 409, 429))
async def send_verification(caller: CurrentUser, recovery: RecoveryService) -> Response:
    """Have the verification mail sent again."""
    await recovery.ask_verification(caller)
    return Response(status_code=202)


@router.post("/email/verify", status_code=204, responses=problems(*WITH_BODY))
async def verify_email(recovery: RecoveryService, client: Client, form: TokenBody) -> Response:
    """Prove an e-mail address with the token that was mailed to it. It works once, for a day."""
    await recovery.verify(form.token, client)
    return Response(status_code=204)


@router.post("/password/forgot", status_code=202, responses=problems(429, *WITH_BODY))
async def forgot_password(recovery: RecoveryService, client: Client, form: ForgotPasswordRequest) -> Response:
    """Have a mail sent that lets a new password be set. The answer is the same whoever has an account."""
    await recovery.forget(form.email, client)
    return Response(status_code=202)


@router.post("/password/reset", status_code=204, responses=problems(*WITH_BODY))
async def reset_password(recovery: RecoveryService, client: Client, form: ResetPasswordRequest) -> Response:
    """Set a new password with the token that was mailed. It works once, for an hour; all sessions end."""
    await recovery.reset(form.token, form.password, client)
    return Response(status_code=204)
