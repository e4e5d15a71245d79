"""Refusing passwords that are too weak, off the event loop."""

from collections.abc import Mapping
from typing import Any

from auth.hash_password import PasswordHasher
from planner.domain.passwords import find_weakness
from planner.errors import Invalid


async def require_strong(hasher: PasswordHasher, password: str, pointer: str, about: Mapping[str, Any]) -> None:
    """Raise `Invalid` at `pointer`, saying why, for a password that is refused.

    `about` is what the account says of its owner. Estimating takes milliseconds of pure
    computing, so it stands in line with the hashing.
    """
    known = [about.get("email"), about.get("username"), about.get("full_name")]
    if reason := await hasher.run(lambda: find_weakness(password, known)):
        raise Invalid.field(pointer, reason)
