"""The words of the pages about accounts, files and the work of moderators, in English."""

from typing import ClassVar


class AccountWords:
    """The part of the words that `words.py` has from here."""

    # What has just been done, by the name that the address of a page has in `done`.
    done: ClassVar = {
        "saved": "Saved.",
        "email-requested": "We have sent an e-mail to the new address. It is yours when you open the link in it.",
        "email-kept": "The address stays as it is.",
        "email-verified": "Thank you: your address is confirmed.",
        "verification-sent": "The e-mail is on its way.",
        "password-changed": "Your password is changed. All other sessions were ended.",
        "password-reset": "Your password is set. Sign in with it.",
        "reset-requested": "If there is an account with this address, an e-mail is on its way to it. The link in it is "
        "valid for one hour.",
        "session-ended": "The session was ended.",
        "sessions-ended": "The sessions were ended.",
        "token-deleted": "The token was deleted. It does not work any more.",
        "feed-deleted": "The feed was deleted. Its address does not work any more.",
        "linked": "The account is linked. You can sign in with it.",
        "unlinked": "The account is not linked any more.",
        "account-deleted": "The account was deleted.",
        "unlocked": "They can sign in again.",
        "taken-down": "The event was taken down.",
        "takedown-lifted": "The takedown was lifted. The event is private until its creator publishes it again.",
    }
    is_wrong = "is wrong"
    is_needed = "is needed"
    wrong_address = "The address of this page is not right."
    more = "More"
    never = "never"
    name = "Name"
    or_ = "or"

    # One's account.
    account_pages: ClassVar = [
        ("/account", "Profile"),
        ("/account/email", "E-mail"),
        ("/account/password", "Password"),
        ("/account/sessions", "Sessions"),
        ("/account/tokens", "Tokens"),
        ("/account/providers", "Providers"),
        ("/feeds", "Feeds"),
        ("/account/delete", "Export and deletion"),
    ]
    account_menu = "Your account"
    username = "Username"
    username_help = "You can sign in with it. Others do not see it."
    time_zone_help = "Such as Europe/Berlin. The pages show all times in it."
    profile_title = "Your profile"
    email_title = "Your e-mail address"
    email_now = "Your address is {email}."
    email_unverified = "It is not confirmed yet. Open the link in the e-mail that we have sent you."
    email_pending = "It will be replaced by {email} when you open the link in the e-mail that we have sent there."
    send_again = "Send the e-mail again"
    keep_address = "Keep the present address"
    new_email = "New e-mail"
    change_address = "Change the address"
    current_password = "Current password"  # noqa: S105 - the name of a field
    current_password_help = "Leave it empty if your account has none and you have just signed in."  # noqa: S105
    recent_help = "You can leave it empty within 15 minutes after a sign-in."
    password_title = "Your password"  # noqa: S105
    password_effect = "All your other sessions end when you change it."  # noqa: S105
    sessions_title = "Where you are signed in"
    this_session = "This browser"
    unknown_device = "Unknown device"
    session_facts = "Signed in on {created}; last used on {used}; from {address}"
    end_session = "End"
    end_session_of = "End the session of {device}"
    end_others = "End all other sessions"
    tokens_title = "Personal access tokens"
    tokens_text = "With a token, a program reads or changes your events without your password."
    no_tokens = "You have no token."
    new_token = "New token"  # noqa: S105
    token_name_help = "What it is for, such as the name of the program."  # noqa: S105
    token_scopes = "It may"  # noqa: S105
    token_days = "Days until it expires"  # noqa: S105
    token_create = "Create token"  # noqa: S105
    token_created = "Your new token"  # noqa: S105
    token_once = "Copy it now. It is shown only this once."  # noqa: S105
    token_facts = "{scopes}; expires on {expires}; last used: {used}"  # noqa: S105
    scope_words: ClassVar = {
        "events:read": "read your events, and others that you may see",
        "events:write": "create, change, delete and import your events",
        "account:read": "read your account",
    }
    copy = "Copy"
    copied = "Copied."
    delete_named = "Delete {name}"
    delete_sure = "It stops working at once. This cannot be undone."
    providers_title = "Sign in with a provider"
    no_identities = "No account at a provider is linked to yours."
    no_providers = "This planner has no providers."
    link_title = "Link another one"
    link_with = "Link {name}"
    remove_identity = "Remove"
    remove_named = "Remove {name}"
    unknown_provider = "A provider that is not configured any more"
    to_provider_title = "On to {name}"
    to_provider_text = "You sign in there, and come back."
    provider_failed = "The sign-in with the provider did not succeed. Start it again."
    export_title = "Everything that is stored about you"
    export_text = "Your account, sessions, tokens, feeds, imports and events with their history, as a JSON file."
    export_data = "Download your data"
    deletion_title = "Delete your account"
    deletion_text = "It is closed at once, and all your events, tokens and feeds are deleted. It cannot be undone."

    # Before one is signed in.
    forgot_title = "Forgot your password?"
    forgot_text = "We send you an e-mail with a link, with which you can set a new one."
    send_email = "Send the e-mail"
    reset_title = "Set a new password"
    reset_effect = "You are signed out everywhere, and tokens, feeds and linked providers are removed."
    set_password = "Set the password"  # noqa: S105
    verify_title = "Confirm your e-mail address"
    verify_text = "Only who has the account can confirm its address."
    confirm = "Confirm"
    mailed_link = "Link from the e-mail"
    mailed_link_help = "Copy the whole link here, if it is not here already."
    new_link = "Request another e-mail"

    # Files.
    import_title = "Import a calendar"
    import_text = "Choose a file of another calendar (.ics). You see what it would change before anything is changed."
    import_file = "File"
    import_file_help = "An iCalendar file of at most 20 MiB."
    no_file = "is not chosen, or is empty"
    import_zone = "Time zone of times without one"
    import_zone_help = "Without it, those of the file or of your account."
    import_reject = "Leave out what overlaps with my events"
    import_running: ClassVar = {True: "The file is being read", False: "The file is being imported"}
    import_progress = "{done} of {total} entries"
    import_begins = "It begins in a moment."
    import_refresh = "Show the progress"
    import_would = "This is what the import would do"
    import_did = "The file is imported"
    import_broke = "The file could not be imported"
    import_counts: ClassVar = [
        ("created", "New events"),
        ("updated", "Changed events"),
        ("unchanged", "Unchanged events"),
    ]
    import_failed_entries = "Not imported"
    import_warnings = "Imported otherwise than the file says"
    import_more_notes = "… and {count} more"
    import_whole_file = "The file"
    import_other = "Choose another file"
    show_calendar = "Show the calendar"
    calendar_file_title = "Export"
    calendar_file_text = "All your events as one file, which other calendar programs read."
    calendar_file = "Download your events"
    feeds_title = "Feeds"
    feeds_text = "A feed is a private address to which a calendar program subscribes, such as the one of your phone. "
    feeds_secret = "Everybody who has the address can read its events until you delete the feed."  # noqa: S105
    no_feeds = "You have no feed. Create one to have your events on your phone."
    new_feed = "New feed"
    feed_name_help = "Calendar programs show it as the title."
    feed_scope = "Events"
    feed_scopes: ClassVar = {"mine": "mine", "public": "public ones of everybody", "all": "both"}
    feed_tag = "Only with the tag"
    feed_create = "Create feed"
    feed_created = "The address of {name}"
    feed_address = "Address"
    feed_once = "Copy it now, or scan it with your phone. It is shown only this once."
    feed_of_this_computer = (
        "Only this computer can open this address. For a phone, the planner must be started with HOST=0.0.0.0 and with "
        "a PUBLIC_URL that the phone can open."
    )
    feed_qr = "QR code of the address of the feed"
    feed_open = "Open in a calendar program"
    feed_facts = "Events: {scope}; created on {created}; last read: {read}"

    # The work of moderators and admins.
    only_moderators = "Only moderators can see this page."
    only_admins = "Only admins can do this."
    admin_menu = "Administration pages"
    admin_pages: ClassVar = [
        ("/admin", "Accounts"),
        ("/admin/events", "Public events"),
        ("/admin/taken-down", "Taken down"),
    ]
    admin_audit_page = ("/admin/audit", "Audit")
    accounts_title = "Accounts"
    account_search_help = "The beginning of an e-mail address or username."
    no_accounts = "No account begins so."
    role = "Role"
    roles: ClassVar = {"user": "user", "moderator": "moderator", "admin": "admin"}
    disabled = "Disabled"
    disabled_help = "Nobody can sign in to it."
    verified = "confirmed"
    not_verified = "not confirmed"
    account_facts = "{role}; since {created}"
    unlock = "Unlock"
    unlock_help = "After ten wrong passwords a sign-in is refused for 15 minutes; this ends it."
    end_sessions = "End all sessions"
    account_events = "What happened to this account"
    delete_account_text = "It is closed at once, and all its events, tokens and feeds are deleted. It cannot be undone."
    public_events_title = "Public events"
    no_public_events = "There is no such public event."
    undated = "without a date"
    take_down = "Take down"
    takedown_title = "Take this event down"
    takedown_text = "It becomes private. Its creator can read the reason, and cannot publish it again."
    reason = "Reason"
    lift_takedown = "Lift the takedown"
    taken_down_text = "This event was taken down. Its creator can publish it again when you lift the takedown."
    taken_down_title = "Events that were taken down"
    taken_down_facts = "Taken down on {at}: \u2068{reason}\u2069"
    nothing_taken_down = "No event is taken down."
    not_public_text = "This event is not public."
    audit_title = "What happened to accounts"
    audit_account = "Account"
    audit_event = "Event"
    no_entries = "There is no such entry."
    filter = "Filter"
