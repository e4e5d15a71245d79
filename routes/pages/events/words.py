"""What the pages of events say, in English; another language is another class like this one.

Those with a blank in braces are filled with `str.format`. A title that people have written is isolated from the words
around it (U+2068, U+2069), so that marks of direction in it turn nothing else around.
"""

from typing import Any, ClassVar

from planner.domain.colors import CSS_COLORS
from routes.pages.events.form_values import USUAL_REMINDERS
from routes.pages.events.rule_sentence import write_recurrence


class EventWords:
    """The words of the pages of events."""

    write_recurrence = staticmethod(write_recurrence)
    edit = "Edit"
    edit_title = "Edit “\u2068{title}\u2069”"
    new_title = "New event"
    duplicate = "Duplicate"
    history = "History"
    download = "Download (.ics)"
    back = "Back to the event"
    back_to_form = "Back"
    to_calendar = "To the calendar"
    only_title = "Only the title is needed."
    labels: ClassVar = {
        "title": "Title",
        "start": "Start",
        "end": "End",
        "all_day": "All day",
        "time_zone": "Time zone",
        "end_time_zone": "Zone of arrival",
        "location": "Location",
        "geo": "Position on the map",
        "lat": "Latitude",
        "lon": "Longitude",
        "url": "Web page",
        "image": "Image",
        "tags": "Tags",
        "color": "Colour",
        "priority": "Priority",
        "status": "Status",
        "visibility": "Who may see it",
        "transparency": "Are you busy?",
        "reminders": "Reminders",
        "description": "Description",
        "recurrence": "Repeats",
        "occurrences": "Occurrences",
        "organizer": "Organizer",
        "attendees": "Attendees",
        "conference": "Conference",
        "alarms": "Alarms",
        "takedown": "Taken down",
        "creator": "Creator",
        "times": "Start and end",
    }
    when = "When"
    details = "Details"
    helps: ClassVar = {
        "start": "Without it, the event has no date.",
        "end": "Of events that last all day, the last day.",
        "end_time_zone": "Only if it ends in another time zone, as a flight does.",
        "url": "An address that begins with http:// or https://.",
        "image": "The address of a picture, which begins with https://.",
        "tags": "With commas between them.",
        "color": "A name such as teal, or #rrggbb.",
        "other_reminders": "More of them, in minutes before, with commas between them; after it with a minus.",
        "rrule": "As RFC 5545 writes it, such as FREQ=MONTHLY;BYDAY=2TU.",
        "dates": "One on each line, such as 2026-12-08T18:00.",
        "weekdays": "Without any, it is the weekday of the first time.",
    }
    recurrence_legend = "Recurrence"
    other_reminders = "Others"
    interval = "Every how many days, weeks, months or years"
    weekdays_legend = "On these weekdays"
    weekdays: ClassVar = {
        "MO": "Monday",
        "TU": "Tuesday",
        "WE": "Wednesday",
        "TH": "Thursday",
        "FR": "Friday",
        "SA": "Saturday",
        "SU": "Sunday",
    }
    day_of_month = "On which day of the month"
    until = "Until this day"
    count = "Or so many times"
    rrule = "Rule"
    rdates = "Additional dates"
    exdates = "Dates left out"
    more_dates = "Single dates"
    repeats_choices: ClassVar = {
        "": "Does not repeat",
        "daily": "Daily",
        "weekly": "Weekly",
        "monthly": "Monthly",
        "yearly": "Yearly",
        "custom": "By a rule of its own",
    }
    day_of_month_choices: ClassVar = {
        "date": "The same date, such as the 8th",
        "weekday": "The same weekday, such as the second Tuesday",
        "last_weekday": "The last such weekday, such as the last Tuesday",
        "last_day": "The last day",
    }
    status_choices: ClassVar = {"confirmed": "Confirmed", "tentative": "Tentative", "cancelled": "Cancelled"}
    visibility_choices: ClassVar = {
        "private": "Only you",
        "unlisted": "Everybody who is signed in and has its address",
        "public": "Everybody who is signed in",
    }
    transparency_choices: ClassVar = {"opaque": "Busy", "transparent": "Free"}
    priority_choices: ClassVar = {
        "0": "None",
        "1": "1 (highest)",
        "2": "2",
        "3": "3",
        "4": "4",
        "5": "5 (medium)",
        "6": "6",
        "7": "7",
        "8": "8",
        "9": "9 (lowest)",
    }
    color_names = tuple(CSS_COLORS)
    usual_reminders: ClassVar = USUAL_REMINDERS
    repeats_sentence = "Repeats {sentence}."
    say_rule = "Say the rule in words"
    undated = "No date yet"
    also_at = "{time} in {zone}"
    from_zone_to_zone = "{start} in {zone} – {end} in {end_zone}"
    one_of_series = "One of several: {sentence}."
    whole_series = "The whole series"
    next_occurrences = "Next times"
    no_more_occurrences = "It does not take place any more."
    of_somebody_else = "This event is somebody else’s. You can read it, and not change it."
    taken_down = "A moderator has taken this event down: {reason}"
    edits_all = "This changes every occurrence of the event."
    changed_meanwhile = (
        "Somebody has changed this meanwhile. What you have typed is still here; save it if it is right."
    )
    changed_fields = "Changed meanwhile: {fields}."
    now = "Now: {value}"
    nothing_now = "nothing"
    gone_meanwhile = "This does not exist any more. What you have typed is still here; save it as a new event."
    conflicts_title = "At this time there is something else"
    to_save = "To the button that saves it anyway"
    save_anyway = "Save anyway"
    confirm_visibility = "Let others see it all the same"
    confirm_text = "The file from which this was imported says that it is not for everyone."
    which_title = "What do you want to change?"
    which_text = "“\u2068{title}\u2069” is one of several."
    which_delete_title = "What do you want to delete?"
    only_some = "Some of what you have changed can only be changed for several occurrences together."
    scopes: ClassVar = {"this": "This event", "following": "This and following events", "all": "All events"}
    deleted_title = "“\u2068{title}\u2069” was deleted"
    deleted_text = "For 30 days it can be restored."
    deleted_one_title = "Deleted from “\u2068{title}\u2069”"
    deleted_one_text = "The other occurrences are still there."
    not_deleted_title = "This was changed since"
    not_deleted_text = "The deletion cannot be undone with one press any more. The history has all that was before."
    history_title = "History of “\u2068{title}\u2069”"
    restore = "Restore"
    restore_label = "Restore revision {revision}"
    current = "This is how it is now."
    earlier = "Earlier changes"
    acts: ClassVar = {
        "created": "Created",
        "changed": "Changed",
        "deleted": "Deleted",
        "restored": "Restored",
        "taken-down": "Taken down by a moderator",
        "takedown-lifted": "Given back by a moderator",
    }
    by_you = "by you"
    by_somebody = "by somebody else"
    field = "Field"
    before = "Before"
    after = "After"
    unsaved = "You have not saved what you have typed. Press Enter to leave it, or go on."
    created_at = "Created"
    updated_at = "Changed"
    uid = "UID"
    attendee_statuses: ClassVar = {
        "needs-action": "has not answered",
        "accepted": "comes",
        "declined": "does not come",
        "tentative": "may come",
        "delegated": "sends somebody else",
    }

    @staticmethod
    def write_reminder(minutes: int) -> str:
        """Return when a reminder is due, such as `10 minutes before`."""
        if minutes == 0:
            return "At the beginning"
        number, unit = abs(minutes), "minute"
        for size, larger in ((10080, "week"), (1440, "day"), (60, "hour")):
            if number % size == 0:
                number, unit = number // size, larger
                break
        return f"{number} {unit}{'' if number == 1 else 's'} {'before' if minutes > 0 else 'after'}"

    @classmethod
    def write_value(cls, name: str, value: Any) -> str:
        """Return the value of a field of an event as it is shown in its history."""
        if value in (None, "", []):
            return cls.nothing_now
        choices = getattr(cls, f"{name}_choices", {})
        if str(value) in choices:
            return str(choices[str(value)])
        if name == "reminders":
            return ", ".join(map(cls.write_reminder, value))
        if name == "geo":
            return f"{value['lat']}, {value['lon']}"
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return ", ".join(value)
        return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
