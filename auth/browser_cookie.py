"""The cookie of a browser session: which session it is, and a mark that only this planner can make.

Nothing of it is stored: the session is one of the account's (`models/accounts/session.py`), listed and ended as the
others are. The cookie opens pages, and never the API.
"""

from typing import NamedTuple

from auth.opaque_tokens import OpaqueTokens
from auth.secret_keys import derive, is_derived
from database.queries import Id, parse_id


class BrowserSession(NamedTuple):
    """The account and the session that a cookie names."""

    user: Id
    session: Id


class BrowserCookies:
    """Makes and reads the values of cookies, and the tokens that forms carry against forgery (CSRF)."""

    def __init__(self, tokens: OpaqueTokens) -> None:
        self._tokens = tokens

    def write(self, user: Id, session: Id) -> str:
        """Return the value of the cookie of a session."""
        named = f"{user}.{session}"
        return f"{named}.{derive(self._tokens.secrets.current, 'browser cookie', named)}"

    def read(self, value: str) -> BrowserSession | None:
        """Return what a cookie names, or None if this planner has not written it."""
        named, _, mark = value.rpartition(".")
        user, _, session = named.partition(".")
        if not is_derived(mark, self._tokens.secrets, "browser cookie", named):
            return None
        user_id, session_id = parse_id(user), parse_id(session)
        return None if user_id is None or session_id is None else BrowserSession(user_id, session_id)

    def new_visit(self) -> str:
        """Return the value of a cookie for somebody who is not signed in: its forms are tied to it."""
        return self._tokens.new_secret()

    def form_token(self, bound_to: str) -> str:
        """Return the token of the forms of a session, or of a visit without one."""
        return derive(self._tokens.secrets.current, "form", bound_to)

    def is_form_token(self, token: str, bound_to: str) -> bool:
        """Return whether a form carries the token of this session or visit."""
        return is_derived(token, self._tokens.secrets, "form", bound_to)
