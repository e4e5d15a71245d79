"""The request bodies of accounts: sign-up and sign-in, changes, passwords, e-mail verification, deletion."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from models.accounts.user import Role
from models.shared.fields import MAX_EMAIL_LENGTH, NO_NUL, Email, Password, PasswordAttempt, Text, TimeZone, Username
from models.shared.schema import PageQuery, Request

FullName = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]
MailedToken = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=NO_NUL,
        description="The token in the link of the e-mail: what follows `#token=`.",
    ),
]
TOKEN_EXAMPLE = "the token from the e-mail"  # noqa: S105 - an example


class SignUpRequest(Request):
    """A new account."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ada@example.com", "password": "long-enough and unusual", "username": "ada"}]
        }
    )

    email: Email
    password: Password
    username: Username | None = None
    full_name: FullName | None = None
    time_zone: Annotated[TimeZone | None, Field(description="An IANA time zone. Default: UTC.")] = None


class SignInRequest(Request):
    """The credentials of an account."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ada@example.com", "password": "long-enough and unusual"}]}
    )

    email: Annotated[Text, Field(max_length=MAX_EMAIL_LENGTH, description="The e-mail address, or the username.")]
    password: PasswordAttempt


class UserPatch(Request):
    """A change to one's own account as a JSON merge patch (RFC 7396): null clears, an absent field stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"full_name": "Ada Lovelace", "time_zone": "Europe/London"}]}
    )

    email: Annotated[
        Email | None,
        Field(
            description="A new address. It is `pending_email` until it is proved with the token that is sent there; "
            "null takes it back. It needs `current_password`, or a sign-in within the last 15 minutes."
        ),
    ] = None
    current_password: Annotated[PasswordAttempt | None, Field(description="Only needed with `email`.")] = None
    username: Username | None = None
    full_name: FullName | None = None
    time_zone: Annotated[TimeZone | None, Field(description="An IANA time zone; null: UTC.")] = None


class AccountPatch(Request):
    """A change that an admin makes to an account."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "moderator"}]})

    role: Role | None = None
    disabled: bool | None = None


class UserQuery(PageQuery):
    """Filters of the list of accounts."""

    q: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_EMAIL_LENGTH,
            pattern=NO_NUL,
            description="Only accounts whose e-mail address or username begins so, regardless of letter case.",
            examples=["ada"],
        ),
    ] = None
    role: Annotated[Role | None, Field(description="Only accounts with this role.")] = None
    disabled: Annotated[bool | None, Field(description="Only accounts that are disabled, or only others.")] = None


class ChangePasswordRequest(Request):
    """The current password, unless the account has none, and the new one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"current_password": "long-enough and unusual", "new_password": "another unusual one"}]
        }
    )

    current_password: Annotated[
        PasswordAttempt | None,
        Field(
            description="Required if the account has a password. If it has none, the sign-in must have been within the "
            "last 15 minutes."
        ),
    ] = None
    new_password: Password


class DeleteAccountRequest(Request):
    """The password of the account that is to be deleted."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"password": "long-enough and unusual"}]})

    password: PasswordAttempt


class VerifyEmailRequest(Request):
    """A token from a verification e-mail, and the password of the account unless its access token is sent."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": TOKEN_EXAMPLE, "password": "long-enough and unusual"}]}
    )

    token: MailedToken
    password: Annotated[
        PasswordAttempt | None,
        Field(description="The password of the account. It is not needed with an access token of the account."),
    ] = None


class ForgotPasswordRequest(Request):
    """The e-mail address of the account whose password is forgotten."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.com"}]})

    email: Email


class ResetPasswordRequest(Request):
    """A token from a recovery e-mail, and the new password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": TOKEN_EXAMPLE, "password": "another unusual one"}]}
    )

    token: MailedToken
    password: Password
