"""The mails that the planner sends, each as text and as HTML from one template."""

from datetime import datetime
from email.message import EmailMessage
from html import escape
from typing import NamedTuple

from planner.domain.mail_addresses import is_read_literally


class UnusableAddress(ValueError):
    """Mail programs would read the address of a recipient as another one."""


class MailContent(NamedTuple):
    """The subject and the paragraphs of a mail, and the link after them with its label, if it has one."""

    subject: str
    paragraphs: tuple[str, ...]
    label: str | None = None
    link: str | None = None


def build_verification_mail(link: str) -> MailContent:
    """Return the mail that asks the owner of an address to confirm it."""
    return MailContent(
        "Confirm your e-mail address",
        (
            "Someone used this e-mail address for an account at the planner.",
            "If it was you, confirm the address within 24 hours. You need the password of the account for it."
            " If it was not you, ignore this mail: nobody can confirm the address without you.",
        ),
        "Confirm this address",
        link,
    )


def build_recovery_mail(link: str) -> MailContent:
    """Return the mail with which the owner of an account can set a new password."""
    return MailContent(
        "Set a new password",
        (
            "Someone asked for a new password for your account at the planner.",
            "If it was you, set it within one hour. The link works once."
            " If it was not you, ignore this mail; your password stays the same.",
        ),
        "Set a new password",
        link,
    )


def build_address_change_requested_mail(new_address: str) -> MailContent:
    """Return the mail to the present address of an account for which a new one was asked for."""
    return MailContent(
        "Your e-mail address is to be changed",
        (
            f"Someone who is signed in to your account at the planner asked to change its e-mail address to"
            f" {new_address}. It is changed when the new address is confirmed.",
            "If it was not you, set a new password now: use 'forgot password' to get a link for it at this address."
            " That also takes back the change, and signs everybody else out.",
        ),
    )


def build_address_changed_mail(new_address: str) -> MailContent:
    """Return the mail to the old address of an account that has a new one."""
    return MailContent(
        "Your e-mail address was changed",
        (
            f"The e-mail address of your account at the planner was changed to {new_address}.",
            "If it was not you, sign in and change your password, or ask the operator of the planner for help.",
        ),
    )


def build_password_changed_mail() -> MailContent:
    """Return the mail to the owner of an account whose password was changed."""
    return MailContent(
        "Your password was changed",
        (
            "The password of your account at the planner was changed, and all its other sessions were signed out.",
            "If it was not you, set a new password now: use 'forgot password' to get a link for it.",
        ),
    )


def build_sign_in_ways_changed_mail() -> MailContent:
    """Return the mail to the owner of an account to which a provider was linked, or from which one was removed."""
    return MailContent(
        "Your ways to sign in were changed",
        (
            "An account at another service was linked to your account at the planner, or such a link was removed.",
            "If it was not you, set a new password now: use 'forgot password' to get a link for it."
            " That also removes all links to other services, and signs everybody else out.",
        ),
    )


def build_password_removed_mail() -> MailContent:
    """Return the mail to who signed in with a provider, to an account whose address was not proved before."""
    return MailContent(
        "Your password was removed",
        (
            "You signed in to the planner with another service, which confirmed your e-mail address. The address of"
            " your account had not been confirmed before, so somebody else could have chosen its password. It was"
            " removed, and everybody else was signed out.",
            "You can set a new password, or go on without one.",
        ),
    )


def compose_message(
    content: MailContent, sender: str, recipient: str, *, date: datetime, message_id: str
) -> EmailMessage:
    """Return the message (RFC 5322 §3.6), with a text part and an HTML part of the same content.

    `message_id` is what is unique before the @ of the Message-ID; after it is the domain of the sender. Raises
    `UnusableAddress` for a recipient that mail programs would read as another one.
    """
    if not is_read_literally(recipient):
        raise UnusableAddress("mail programs would read the address as another one")
    message = EmailMessage()
    message["Subject"] = content.subject
    message["From"] = sender
    message["To"] = recipient
    message["Date"] = date
    message["Message-ID"] = f"<{message_id}@{message['From'].addresses[0].domain}>"
    message["Auto-Submitted"] = "auto-generated"
    text = _render_text(content)
    # ASCII text is not encoded, so that the link can be copied from a mail that was saved as a file.
    message.set_content(text, cte="7bit" if text.isascii() else "quoted-printable")
    message.add_alternative(_render_html(content), subtype="html", cte="quoted-printable")
    return message


def _render_text(content: MailContent) -> str:
    parts = [*content.paragraphs]
    if content.link:
        parts.append(f"{content.label}:\n{content.link}")
    return "\n\n".join(parts) + "\n"


def _render_html(content: MailContent) -> str:
    body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in content.paragraphs)
    if content.link:
        body += f'<p><a href="{escape(content.link)}">{escape(content.label or content.link)}</a></p>'
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(content.subject)}</title>{body}</html>'
