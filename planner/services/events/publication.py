"""Letting more people see an event of which its calendar file says that it is not for everyone."""

from models.events.event import Event
from models.events.event_fields import Visibility
from planner.domain.ics.imported_details import is_confidential
from planner.errors import ConfirmationNeeded

_ORDER: list[Visibility] = ["private", "unlisted", "public"]


def require_confirmation(before: Event, after: Event, confirmed: Visibility | None) -> None:
    """Raise `ConfirmationNeeded` if a change lets more people see a confidential event, unless it was said twice.

    `confirmed` is the visibility as it was said the second time.
    """
    target = after.visibility
    if _ORDER.index(target) <= _ORDER.index(before.visibility) or confirmed == target:
        return
    if is_confidential_event(after):
        raise ConfirmationNeeded(
            "The file that this event was imported from says that it is not for everyone: its CLASS is not PUBLIC. "
            f"To let others see it all the same, send the request again with the query confirm_visibility={target}.",
            target,
        )


def is_confidential_event(event: Event) -> bool:
    """Return whether the CLASS of the entry of an event, or of one of its occurrences, is not PUBLIC (§3.8.1.3)."""
    overridden = (override.get("fields", {}).get("ics") for override in event.overrides)
    return any(map(is_confidential, (event.ics, *overridden)))
