"""The kinds of fields that requests are made of."""

import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, StringConstraints

from planner.domain.urls import is_web_address

# A NUL ends a string for too much other software: no text may hold one.
NO_NUL = r"^[^\x00]*$"

Text = Annotated[str, StringConstraints(pattern=NO_NUL)]


def _visible(text: str) -> str:
    if not text.strip():
        raise ValueError("must hold more than blanks")
    return text


def _web_address(text: str) -> str:
    if not is_web_address(text):
        raise ValueError("must be an absolute http or https URL")
    return text


def _https_address(text: str) -> str:
    if not text.startswith("https://"):
        raise ValueError("must be an https URL")
    return _web_address(text)


def fold_tag(tag: str) -> str:
    """A tag as it is kept and searched: without blanks around it, whatever its letter case."""
    return tag.strip().casefold()


def _tags(tags: list[str]) -> list[str]:
    folded = list(dict.fromkeys(fold_tag(tag) for tag in tags))
    if len(folded) > 20:
        raise ValueError("must be 20 tags at most")
    if any(not 1 <= len(tag) <= 32 for tag in folded):
        raise ValueError("each tag must have 1 to 32 characters")
    return folded


def _email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        # The library's own words would repeat parts of the address.
        raise ValueError("must be an e-mail address") from None


Title = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL), AfterValidator(_visible)]
Tags = Annotated[list[Annotated[str, StringConstraints(pattern=NO_NUL, max_length=200)]], AfterValidator(_tags)]
WebAddress = Annotated[
    str, Field(max_length=2000, pattern=NO_NUL, json_schema_extra={"format": "uri"}), AfterValidator(_web_address)
]
HttpsAddress = Annotated[
    str, Field(max_length=2000, pattern=NO_NUL, json_schema_extra={"format": "uri"}), AfterValidator(_https_address)
]
Email = Annotated[
    str, Field(max_length=254, pattern=NO_NUL, json_schema_extra={"format": "email"}), AfterValidator(_email)
]
Username = Annotated[
    str,
    Field(
        min_length=3,
        max_length=32,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Letters, digits, dot, hyphen and underscore; unique whatever its letter case.",
    ),
]
Password = Annotated[
    str,
    Field(
        min_length=8,
        max_length=128,
        pattern=NO_NUL,
        description="8 to 128 characters, all of them significant.",
        json_schema_extra={"format": "password", "writeOnly": True},
    ),
]
# At sign-in a password is only compared: one that no account can have is simply wrong.
PasswordAttempt = Annotated[
    str,
    Field(max_length=1024, pattern=NO_NUL, json_schema_extra={"format": "password", "writeOnly": True}),
]


def fold(text: str) -> str:
    """An e-mail address or username as it is compared: without regard to letter case.

    Case is all that it takes away: `casefold` would also make straße.de and strasse.de one,
    which are the domains of different people.
    """
    return unicodedata.normalize("NFC", text.strip()).lower()
