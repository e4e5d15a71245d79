"""Every word that the pages show, in one place, so that another language is another class like this one.

Those about accounts and files are in `account_words.py`.
"""

from typing import ClassVar

from routes.pages.account_words import AccountWords
from routes.pages.calendar_views.words import CalendarWords
from routes.pages.events.words import EventWords


class English(AccountWords):
    """The words of the pages in English. Those with a blank in braces are filled with `str.format`."""

    event = EventWords
    calendar_words = CalendarWords
    language = "en"
    app = "Planner"
    skip = "Skip to the content"
    menu = "Main"
    sign_up = "Sign up"
    sign_in = "Sign in"
    sign_out = "Sign out"
    sign_in_with = "Sign in with {name}"
    welcome_title = "Your events, on all your devices"
    welcome_text = "Plan what recurs and what does not, find it again, and read it in any calendar program."
    email = "E-mail"
    email_or_username = "E-mail or username"
    email_help = "It is only used to sign in and to reach you about your account."
    password = "Password"  # noqa: S105 - the name of a field
    password_help = "At least 8 characters. A few words that only you would put together are best."  # noqa: S105
    new_password = "New password"  # noqa: S105
    full_name = "Name"
    optional = "optional"
    forgot_password = "Forgot your password?"  # noqa: S105
    have_account = "You have an account already?"
    no_account = "You have no account yet?"
    time_zone = "Time zone"
    calendar = "Calendar"
    search = "Search"
    import_ = "Import"
    account = "Account"
    admin = "Administration"
    new_event = "New event"
    save = "Save"
    delete = "Delete"
    undo = "Undo"
    today = "Today"
    cancel = "Cancel"
    continue_ = "Continue"
    back_to_start = "Back to the start"
    error_summary = "Please check what is marked below."
    signed_out_title = "You were signed out"
    signed_out_text = "Sign in again. What you have written is kept, and you can save it afterwards."
    signed_out_before = "Sign in again, and do once more what you have just done."
    resume_title = "Save what you had written?"
    resume_text = "You are signed in again. What you had written before is still here."
    form_refused_title = "This form cannot be used any more"
    form_refused_text = (
        "It was opened in another session, or sent from another website. Go back, load the page again, and send the "
        "form once more."
    )
    error_titles: ClassVar = {
        400: "The request was not understood",
        403: "You may not do this",
        404: "There is nothing here",
        405: "This address does not support that",
        409: "That is not possible now",
        410: "This is not there any more",
        412: "Somebody else has changed this meanwhile",
        413: "That is too large",
        415: "This kind of file cannot be read",
        422: "Something is not right yet",
        429: "Too many attempts",
        500: "The planner has failed",
        503: "The planner is busy",
    }
    error_title = "Something went wrong"

    # Search
    search_words = (
        "Words, or the beginnings of words; “several words” in quotation marks; -word for what must not occur"
    )
    search_tag = "Tag"
    search_place = "Near"
    search_place_help = "Latitude and longitude, such as 52.52,13.405"
    search_km = "Within kilometres"
    search_from = "From"
    search_to = "To"
    search_labels: ClassVar = {
        "q": search,
        "tag": search_tag,
        "near": search_place,
        "from": search_from,
        "to": search_to,
    }
    search_scope = "Whose events"
    search_scopes: ClassVar = {"mine": "Yours", "public": "Public", "all": "Both"}
    search_filters = "More filters"
    search_hint = "Type what you look for, or choose a tag, a place or a time."
    search_nothing = "Nothing was found. Try fewer words, another spelling, or a longer time."
    search_found: ClassVar = {False: "{count} found", True: "The first {count}"}
    search_more = "More"
    search_truncated = (
        "So many public events have these words that only some of them were looked at. A shorter time or another word "
        "finds the others."
    )
    undated = "No date"
    search_repeats = "repeats"


WORDS = English()
