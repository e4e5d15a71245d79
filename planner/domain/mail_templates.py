"""The mails the planner sends: each as text and as HTML, from one template."""

from email.message import EmailMessage
from html import escape
from typing import NamedTuple


class Letter(NamedTuple):
    """What a mail says: paragraphs, and a link to follow under a label."""

    subject: str
    paragraphs: tuple[str, ...]
    label: str | None = None
    link: str | None = None


def verification(link: str) -> Letter:
    """Asks the owner of an address to prove it."""
    return Letter(
        "Confirm your e-mail address",
        (
            "Somebody, hopefully you, gave this address to the planner.",
            "Confirm within 24 hours that it is yours. If it was not you, do nothing.",
        ),
        "Confirm this address",
        link,
    )


def recovery(link: str) -> Letter:
    """Lets the owner of an account set a new password."""
    return Letter(
        "Set a new password",
        (
            "Somebody, hopefully you, asked for a new password for your account at the planner.",
            "The link works once, within one hour. If it was not you, do nothing: your password stays.",
        ),
        "Set a new password",
        link,
    )


def address_changed(new: str) -> Letter:
    """Tells the old address that the account has another one now."""
    return Letter(
        "Your e-mail address was changed",
        (
            f"The e-mail address of your account at the planner is {new} now.",
            "If it was not you, sign in and change your password, or ask whoever runs the planner for help.",
        ),
    )


def password_changed() -> Letter:
    """Tells the owner of an account that its password is another one now."""
    return Letter(
        "Your password was changed",
        (
            "The password of your account at the planner was changed, and its other sessions were ended.",
            "If it was not you, set a new one at once: ask for a link with 'forgot password'.",
        ),
    )


def compose(letter: Letter, sender: str, recipient: str) -> EmailMessage:
    """The mail, with a text part and an HTML part that say the same."""
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = sender
    message["To"] = recipient
    message["Auto-Submitted"] = "auto-generated"
    text = _text(letter)
    # Unencoded where that is possible, so that the link can be read in the file as it stands.
    message.set_content(text, cte="7bit" if text.isascii() else "quoted-printable")
    message.add_alternative(_html(letter), subtype="html", cte="quoted-printable")
    return message


def _text(letter: Letter) -> str:
    parts = [*letter.paragraphs]
    if letter.link:
        parts.append(f"{letter.label}:\n{letter.link}")
    return "\n\n".join(parts) + "\n"


def _html(letter: Letter) -> str:
    body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in letter.paragraphs)
    if letter.link:
        body += f'<p><a href="{escape(letter.link)}">{escape(letter.label or letter.link)}</a></p>'
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(letter.subject)}</title>{body}</html>'
