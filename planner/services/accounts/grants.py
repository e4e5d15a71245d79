"""The list of grants: by what somebody gets into an account, or at what belongs to it.

Whoever recovers an account by its proved address ends all of them, because somebody else may have made them. A test
fails when a kind of document, or a field of an account, is neither here nor known to be no grant
(`tests/services/accounts/holding/test_grants.py`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from database.documents import StoredDocument
from database.queries import Filter, Id, assign
from database.writes import Write
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
    cleared = [User.pending_email]
    if password is None:
        cleared.append(User.password)
    else:
        changes |= assign(User.password, password)
    return [
        User.update_write(user.id, now, changes, match=match, cleared=cleared),
        *end_grants_writes(user.id),
    ]
