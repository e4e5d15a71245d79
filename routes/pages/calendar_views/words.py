"""What the pages of the calendar say, in English; another language is another class like this one.

Those with a blank in braces are filled with `str.format`.
"""

from typing import ClassVar

from routes.pages.dates import WEEKDAYS


class CalendarWords:
    """The words of the calendar."""

    view_names: ClassVar = {"month": "Month", "week": "Week", "day": "Day", "agenda": "Agenda"}
    views = "Views"
    period = "Period"
    previous = "Previous"
    next = "Next"
    own_events = "Your events"
    public_events = "Public events"
    whose = "Whose events"
    weekdays: ClassVar = WEEKDAYS
    all_day = "All day"
    status_names: ClassVar = {"tentative": "Tentative", "cancelled": "Cancelled"}
    day_of = "day {number} of {count}"
    add_on = "Add on {day}"
    more_on_day = "{count} more"
    more_on_incomplete_day = "Show all"
    too_many_events = "There are too many events to show them all here. Open a day that says “{link}”."
    empty_period = "Nothing is planned here."
    empty_calendar = (
        "Begin with “New event”, or choose a day. With “Import” you bring along what is in another calendar program."
    )
    empty_public_calendar = "Nobody has published an event for these days. What you make public is shown here."
    keys = "Keys"
    keys_title = "Keys of the calendar"
    keys_of_calendar: ClassVar = (
        (("←", "→", "↑", "↓"), "Go to another day or hour"),
        (
            ("Enter",),
            "Open the event; of several, choose with ↑ and ↓; without one, open the day or begin an event",
        ),
        (("Esc",), "Go back to the day, or close this list"),
        (("Page Up", "Page Down"), "Previous, next"),
        (("t",), "Today"),
        (("n",), "New event, on the day or at the hour that has the focus"),
        (("/",), "Search"),
        (("?",), "Show this list"),
    )
    keys_single = "Use the keys that are single letters or signs"
    dragging = "Drag an event to another day or hour to move it. On a touch screen, hold your finger on it first."
    close = "Close"
    move_title = "Which events should move?"
    move_scopes: ClassVar = {"this": "This event", "following": "This and following events", "all": "All events"}
    move = "Move"
    moved = "“{title}” was moved to {day}."
    picked_up = "Picked up. Lift your finger where the event should be."
    unreachable = "The planner cannot be reached."
    move_failed = "“{title}” was not moved. {reason}"
