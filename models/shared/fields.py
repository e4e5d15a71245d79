"""The types of fields that several request bodies have."""

import unicodedata
from email.headerregistry import Address, HeaderRegistry
from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from planner.domain.mail_addresses import ENCODED_WORD, is_read_literally
from planner.domain.zones import load_zone

# Much other software ends a string at a NUL, so no text may contain one.
NO_NUL = r"^[^\x00]*$"
MAX_EMAIL_LENGTH = 254

Text = Annotated[str, StringConstraints(pattern=NO_NUL)]


def _is_blank(character: str) -> bool:
    """Return whether a character shows nothing: white space, or a format character such as U+200B."""
    return character.isspace() or unicodedata.category(character) == "Cf"


def trim(value: Any) -> Any:
    """Return a text without the blanks around it, also those that nobody sees; anything else as it is."""
    if not isinstance(value, str):
        return value
    start, end = 0, len(value)
    while start < end and _is_blank(value[start]):
        start += 1
    while end > start and _is_blank(value[end - 1]):
        end -= 1
    return value[start:end]


def _email(text: str) -> str:
    if blank := next((character for character in text if _is_blank(character)), None):
        raise ValueError(f"must be an e-mail address without blanks; it has one, U+{ord(blank):04X}, inside")
    try:
        address = validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        # The library's message would quote parts of the address.
        raise ValueError("must be an e-mail address") from None
    if ENCODED_WORD in address:
        raise ValueError(f"must not have {ENCODED_WORD}, which mail programs take for encoded text (RFC 2047)")
    if not is_read_literally(address):
        raise ValueError("must be an e-mail address that every mail program reads in the same way")
    return address


Email = Annotated[
    str,
    BeforeValidator(trim),
    Field(max_length=MAX_EMAIL_LENGTH, pattern=NO_NUL, json_schema_extra={"format": "email"}),
    AfterValidator(_email),
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


def _zone(name: str) -> str:
    load_zone(name)
    return name


TimeZone = Annotated[
    str,
    Field(max_length=64, pattern=NO_NUL, description="An IANA time zone.", examples=["Europe/Berlin"]),
    AfterValidator(_zone),
]


def to_ascii_domain(address: str) -> str:
    """Return the address with its domain in ASCII (RFC 5891), so that every mail server accepts the domain."""
    if address.isascii():
        return address
    checked = validate_email(address, check_deliverability=False, test_environment=True, globally_deliverable=False)
    return f"{checked.local_part}@{checked.ascii_domain}"


def to_ascii_sender(sender: str) -> str:
    """Return the sender of mails, an address or `Name <address>`, with the domain of the address in ASCII."""
    header: Any = HeaderRegistry()("From", sender)
    (found,) = header.addresses
    return str(Address(found.display_name, addr_spec=to_ascii_domain(found.addr_spec)))


def parse_email(text: str) -> str:
    """Return an e-mail address as it is stored; raises `ValueError`, saying why, for anything else."""
    return _email(trim(text))


def fold_email(text: str) -> str:
    """Return an e-mail address as it is compared: its domain in Unicode, whether or not it was written in punycode."""
    text = trim(text)
    try:
        # What is longer is no address, and would take long to parse.
        return fold(_email(text) if len(text) <= MAX_EMAIL_LENGTH else text)
    except ValueError:
        return fold(text)


def fold_login(text: str) -> str:
    """Return an e-mail address or a username as it is compared."""
    return fold_email(text) if "@" in text else fold(trim(text))


def fold(text: str) -> str:
    """Return a text as it is compared: in lower case and in normal form C.

    `casefold` would not do: it makes straße.de and strasse.de equal, which are different domains.
    """
    return unicodedata.normalize("NFC", text.strip()).lower()
