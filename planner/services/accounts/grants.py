"""The list of grants: by what somebody gets into an account, or at what belongs to it.

Whoever recovers an account by its proved address ends all of them, because somebody else may have made them. A test
fails when a kind of document, or a field of an account, is neither here nor known to be no grant
(`tests/services/accounts/holding/test_grants.py`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from auth.principal import Principal
from database.documents import StoredDocument
from database.queries import Filter, Id, assign
from database.writes import Require, Write
from models.accounts.oidc_login import AuthorizationCode, OidcLoginAttempt
from models.accounts.one_time_token import OneTimeToken
from models.accounts.personal_token import PersonalToken
from models.accounts.session import Session
from models.accounts.user import ProviderIdentity, User
from models.files.feed import Feed
from models.people.busy_share import BusyShare

# How each kind is ended, for all of an account.
GRANTS: dict[type[StoredDocument], Callable[[Id], Write]] = {
    Session: Session.delete_all_write,
    PersonalToken: PersonalToken.delete_all_write,
    Feed: Feed.delete_all_write,
    BusyShare: BusyShare.delete_all_of_owner_write,
    OneTimeToken: OneTimeToken.delete_all_write,
    AuthorizationCode: AuthorizationCode.delete_all_write,
    OidcLoginAttempt: OidcLoginAttempt.delete_all_write,
}
# The fields of an account that are grants themselves.
GRANT_FIELDS = (User.password, User.identities, User.pending_email)


def end_grants_writes(user: Id) -> list[Write]:
    """Return the writes that end every grant that is a document of its own."""
    return [end_all(user) for end_all in GRANTS.values()]


def recover_account_writes(
    user: User,
    now: datetime,
    match: Filter,
    *,
    password: str | None = None,
    identities: Sequence[ProviderIdentity] = (),
) -> list[Write]:
    """Return the writes that give an account to who has just proved to hold its address, and to nobody else.

    They end every grant. The account has this `password` then, a hash, or none, and these `identities` only. They are
    refused when the account does not `match`.
    """
    changes = assign(User.email_verified, True) | assign(User.identities, list(identities))
    changes |= assign(User.recoveries, user.recoveries + 1)
    cleared = [User.pending_email]
    if password is None:
        cleared.append(User.password)
    else:
        changes |= assign(User.password, password)
    return [
        User.update_write(user.id, now, changes, match=match | _as_often_recovered(user), cleared=cleared),
        *end_grants_writes(user.id),
    ]


def require_no_recovery_write(user: User) -> Require:
    """Return what refuses a group of writes when the account was recovered since `user` was read.

    Whoever has proved who they are before the recovery must not get a grant after it.
    """
    return Require(User, {User.id: user.id} | _as_often_recovered(user))


def require_session_writes(caller: Principal, now: datetime) -> list[Write]:
    """Return what refuses a new grant when the session of the caller has ended.

    Whoever is calling is known for a moment longer, because principals are cached.
    """
    return [] if caller.session is None else [Session.require_write(caller.session, caller.id, now)]


def _as_often_recovered(user: User) -> Filter:
    # Accounts that are older than the field lack it.
    return {User.recoveries: user.recoveries or {"$in": [0, None]}}
