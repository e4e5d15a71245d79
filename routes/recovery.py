"""Verification of e-mail addresses, and recovery of forgotten passwords."""

from fastapi import APIRouter
from starlette.responses import Response

from auth.authenticate import TOKEN_IS_OPTIONAL, CurrentUser, OptionalUser
from models.accounts.account_requests import ForgotPasswordRequest, ResetPasswordRequest, VerifyEmailRequest
from routes.http.dependencies import Client, ServicesDep
from routes.http.problems import AUTHENTICATED_ERRORS, BODY_ERRORS, COMMON_ERRORS, describe_errors
from routes.http.route import PlannerRoute

router = APIRouter(
    prefix="/api/v1/auth",
    tags=["account recovery"],
    route_class=PlannerRoute,
    responses=describe_errors(*COMMON_ERRORS),
)


@router.post("/email/verification", status_code=202, responses=describe_errors(*AUTHENTICATED_ERRORS, 409, 429))
async def send_verification_email(caller: CurrentUser, services: ServicesDep) -> Response:
    """Send the verification e-mail again.

    It is sent to your `pending_email` if you have one. The response is 409 if no address remains to be verified.
    """
    await services.email_addresses.send_verification(caller)
    return Response(status_code=202)


@router.post(
    "/email/verify",
    status_code=204,
    openapi_extra=TOKEN_IS_OPTIONAL,
    responses=describe_errors(401, 403, 409, 429, *BODY_ERRORS),
)
async def verify_email(
    caller: OptionalUser, services: ServicesDep, client: Client, body: VerifyEmailRequest
) -> Response:
    """Verify an e-mail address.

    The token comes from the verification e-mail. It is valid for one use, and for one day. It proves that you receive
    mail at the address. That the account is yours is proved by an access token of it in the header, or by its
    `password`; otherwise the response is 403 and nothing changes. A `pending_email` becomes the `email` of the account.
    """
    await services.email_addresses.verify(body.token, body.password, caller, client)
    return Response(status_code=204)


@router.post("/password/forgot", status_code=202, responses=describe_errors(429, *BODY_ERRORS))
async def request_password_reset(services: ServicesDep, client: Client, body: ForgotPasswordRequest) -> Response:
    """Request an e-mail with which a forgotten password can be reset.

    The response is the same whether or not there is an account with this e-mail address.
    """
    await services.recovery.request_reset(body.email, client)
    return Response(status_code=202)


@router.post("/password/reset", status_code=204, responses=describe_errors(*BODY_ERRORS))
async def reset_password(services: ServicesDep, client: Client, body: ResetPasswordRequest) -> Response:
    """Reset a forgotten password.

    The token comes from the recovery e-mail. It is valid for one use, and for one hour. It proves that the address is
    yours, and leaves you alone in the account: all sessions, personal access tokens, feeds, free/busy shares, linked
    provider accounts, codes, and a pending change of the address are ended.
    """
    await services.recovery.reset_password(body.token, body.password, client)
    return Response(status_code=204)
