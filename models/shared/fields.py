"""The types of fields that several request bodies have."""

import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, StringConstraints

from planner.domain.urls import is_web_address

# Much other software ends a string at a NUL, so no text may contain one.
NO_NUL = r"^[^\x00]*$"

Text = Annotated[str, StringConstraints(pattern=NO_NUL)]


def _visible(text: str) -> str:
    if not text.strip():
        raise ValueError("must contain more than blanks")
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
    """Return a tag as it is stored and searched: without surrounding blanks, case-folded."""
    return tag.strip().casefold()


def _tags(tags: list[str]) -> list[str]:
    folded = list(dict.fromkeys(fold_tag(tag) for tag in tags))
    if len(folded) > 20:
        raise ValueError("must be at most 20 tags")
    if any(not 1 <= len(tag) <= 32 for tag in folded):
        raise ValueError("each tag must have 1 to 32 characters")
    return folded


def _email(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        # The library's message would quote parts of the address.
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
        description="Letters, digits, dots, hyphens and underscores. Unique, regardless of letter case.",
    ),
]
Password = Annotated[
    str,
    Field(
        min_length=8,
        max_length=128,
        pattern=NO_NUL,
        description="8 to 128 characters.",
        json_schema_extra={"format": "password", "writeOnly": True},
    ),
]
# At sign-in a password is only compared: one that no account can have is wrong, not invalid.
PasswordAttempt = Annotated[
    str,
    Field(max_length=1024, pattern=NO_NUL, json_schema_extra={"format": "password", "writeOnly": True}),
]


def fold(text: str) -> str:
    """Return an e-mail address or a username as it is compared: in lower case and in normal form C.

    `casefold` would not do: it makes straße.de and strasse.de equal, which are different domains.
    """
    return unicodedata.normalize("NFC", text.strip()).lower()
