"""The refusal of weak passwords, off the event loop."""

from auth.hash_password import PasswordHasher
from planner.domain.passwords import find_weakness
from planner.errors import Invalid


async def require_strong(hasher: PasswordHasher, password: str, pointer: str, *personal_data: str | None) -> None:
    """Raise `Invalid` at `pointer`, with the reason, for a weak password.

    `personal_data` is what others may know of the owner of the account, such as the name. Estimating the strength
    takes milliseconds of computing, so it waits in line with the hashing; raises `Busy` when that line is full.
    """
    if reason := await hasher.run(lambda: find_weakness(password, personal_data)):
        raise Invalid.field(pointer, reason)
