"""What can go wrong, in the planner's own words; nothing here knows HTTP.

    PlannerError
    ├── ConfigurationError      the settings do not allow a start
    ├── Unauthenticated         nobody, or nobody we know, is calling
    │   ├── InvalidToken        a token was sent and does not hold
    │   └── SignInRefused       an OpenID Connect provider did not prove who is calling
    ├── Forbidden               the caller may see it but not do this
    │   └── InsufficientScope   the token's scope does not reach that far
    ├── NotFound                it is not there, or not there for this caller
    ├── Malformed               the request cannot be read at all
    ├── Invalid                 it can be read, and fields of it are wrong
    ├── Conflict                it collides with what is already stored
    │   └── DoubleBooking       it would take time that is taken, and was not to
    ├── Expired                 it was good once, and its time is over
    ├── Stale                   it was changed since the caller read it
    ├── GrantRefused            the token endpoint's own kind (RFC 6749 §5.2)
    ├── TooMany                 it was tried too often
    ├── ProviderFailed          an OpenID Connect provider does not answer, or not as it must
    └── Unavailable             try again in a moment
        └── Busy                too much of the same work is already waiting

`routes/http/errors.py` maps each kind to an HTTP status, in one table.
"""

from collections.abc import Sequence
from typing import NamedTuple


class PlannerError(Exception):
    """Any error the planner raises on purpose; its message is meant for the caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ConfigurationError(PlannerError):
    """The settings do not allow a start; the message says which one and what to do."""


class Unauthenticated(PlannerError):
    """The request carries no credentials (RFC 6750 §3: a bare challenge)."""


class InvalidToken(Unauthenticated):
    """A token was sent, and it is malformed, expired, revoked or not ours."""


class SignInRefused(Unauthenticated):
    """Signing in with an OpenID Connect provider did not prove who is calling; it can be begun anew."""


class Forbidden(PlannerError):
    """The caller may see the thing but may not do this to it."""


class InsufficientScope(Forbidden):
    """The token's scope does not cover the request; `scope` names what would."""

    def __init__(self, detail: str, scope: str) -> None:
        super().__init__(detail)
        self.scope = scope


class NotFound(PlannerError):
    """The thing is not there, or the caller may not know that it is."""

    def __init__(self, detail: str = "There is nothing here, or nothing that you may see.") -> None:
        super().__init__(detail)


class Malformed(PlannerError):
    """The request cannot be read: broken JSON, a header that makes no sense."""


class FieldError(NamedTuple):
    """One field that is wrong: a JSON pointer to it (RFC 6901), and why, without its value."""

    pointer: str
    message: str


class Invalid(PlannerError):
    """The request can be read but fields of it are wrong; `errors` lists each."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("Some fields are not valid; see errors.")
        self.errors = tuple(errors)

    @classmethod
    def field(cls, pointer: str, message: str) -> "Invalid":
        """The common case of a single wrong field."""
        return cls([FieldError(pointer, message)])


class Conflict(PlannerError):
    """The request collides with what is already stored."""


class Expired(PlannerError):
    """What was sent was good once; its time is over."""


class Collision(NamedTuple):
    """What takes the time already: an event of one's own, or the occurrence of one; its times as they are answered."""

    id: str
    title: str
    start: str
    end: str | None
    recurrence_id: str | None


class DoubleBooking(Conflict):
    """The event would take time that another one takes already; `conflicts` names the first of those."""

    def __init__(self, conflicts: Sequence[Collision]) -> None:
        super().__init__("The time is taken by other events of yours; see conflicts.")
        self.conflicts = tuple(conflicts)


class Stale(PlannerError):
    """The thing was changed since the caller read it (RFC 9110 §13.1.1)."""


class GrantRefused(PlannerError):
    """The token endpoint refuses; `code` is one of RFC 6749 §5.2."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class TooMany(PlannerError):
    """It was tried too often; `retry_after` says in how many seconds it may be tried again."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many attempts. Try again later.")
        self.retry_after = retry_after


class ProviderFailed(PlannerError):
    """An OpenID Connect provider does not answer in time, or answers what does not hold."""


class Unavailable(PlannerError):
    """The planner cannot answer now; `retry_after` says in how many seconds it may."""

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Busy(Unavailable):
    """Too much of the same work is waiting already."""
