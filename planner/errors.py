"""The errors of the planner, independent of HTTP.

    PlannerError
    ├── ConfigurationError      the settings do not allow the planner to start
    ├── Unauthenticated         the caller is not known
    │   ├── InvalidToken        a token was sent, and it is not valid
    │   └── SignInRefused       an OpenID Connect provider did not authenticate the caller
    ├── Forbidden               the caller may read the resource, but not do this
    │   └── InsufficientScope   the token's scope does not permit the request
    ├── NotFound                the resource does not exist, or the caller may not read it
    ├── Malformed               the request cannot be parsed
    ├── Invalid                 the request was parsed, and fields of it are wrong
    ├── Conflict                the request conflicts with what is stored
    │   ├── ConfirmationNeeded  the request does what must be said a second time
    │   └── DoubleBooking       the event would overlap with another one
    ├── Expired                 what was sent has expired
    ├── Stale                   the resource was changed since the caller read it
    ├── GrantRefused            the token endpoint refuses (RFC 6749 §5.2)
    ├── TooMany                 a rate limit was exceeded
    ├── ProviderFailed          an OpenID Connect provider failed
    └── Unavailable             temporarily unavailable
        └── Busy                too many requests of this kind are waiting

`routes/http/errors.py` maps each class to an HTTP status, in one table.
"""

from collections.abc import Sequence
from typing import NamedTuple


class PlannerError(Exception):
    """The base class of all errors that the planner raises on purpose; the message is for the caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ConfigurationError(PlannerError):
    """The settings do not allow the planner to start; the message says which one, and what to do."""


class Unauthenticated(PlannerError):
    """The request carries no credentials (RFC 6750 §3: a bare challenge)."""


class InvalidToken(Unauthenticated):
    """A token was sent, and it is malformed, expired, revoked or was not issued here."""


class SignInRefused(Unauthenticated):
    """An OpenID Connect provider did not authenticate the caller, who may start again."""


class Forbidden(PlannerError):
    """The caller may read the resource, but not do this."""


class InsufficientScope(Forbidden):
    """The token's scope does not permit the request; `scope` is the one that would."""

    def __init__(self, detail: str, scope: str) -> None:
        super().__init__(detail)
        self.scope = scope


class NotFound(PlannerError):
    """The resource does not exist, or the caller may not learn that it does."""

    def __init__(self, detail: str = "There is nothing here, or nothing that you may see.") -> None:
        super().__init__(detail)


class Malformed(PlannerError):
    """The request cannot be parsed: invalid JSON, or a header of the wrong form."""


class FieldError(NamedTuple):
    """A field that is wrong: a JSON pointer to it (RFC 6901), and what is wrong, without its value."""

    pointer: str
    message: str


class Invalid(PlannerError):
    """The request was parsed, and fields of it are wrong; `errors` lists each."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("Some fields are not valid; see errors.")
        self.errors = tuple(errors)

    @classmethod
    def field(cls, pointer: str, message: str) -> "Invalid":
        """Return the error for a single wrong field."""
        return cls([FieldError(pointer, message)])


class Conflict(PlannerError):
    """The request conflicts with what is stored."""


class ConfirmationNeeded(Conflict):
    """The request lets others see what its file calls private; `visibility` is what must be said a second time."""

    def __init__(self, detail: str, visibility: str) -> None:
        super().__init__(detail)
        self.visibility = visibility


class Expired(PlannerError):
    """What was sent, such as a token, has expired."""


class Collision(NamedTuple):
    """An event of the same user, or one occurrence of it, that overlaps; its times as the API returns them."""

    id: str
    title: str
    start: str
    end: str | None
    recurrence_id: str | None


class DoubleBooking(Conflict):
    """The event would overlap with others of the same user; `conflicts` lists the first ten."""

    def __init__(self, conflicts: Sequence[Collision]) -> None:
        super().__init__("The event overlaps with other events of yours; see conflicts.")
        self.conflicts = tuple(conflicts)


class Stale(PlannerError):
    """The resource was changed since the caller read it (RFC 9110 §13.1.1)."""


class GrantRefused(PlannerError):
    """The token endpoint refuses; `code` is one of RFC 6749 §5.2."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class TooMany(PlannerError):
    """A rate limit was exceeded; `retry_after` is the number of seconds until the next attempt is accepted."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class ProviderFailed(PlannerError):
    """An OpenID Connect provider does not respond in time, or its response is not valid."""


class Unavailable(PlannerError):
    """The planner cannot handle the request now; `retry_after` is the number of seconds to wait."""

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Busy(Unavailable):
    """Too many requests of this kind are waiting already."""
