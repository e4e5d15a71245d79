"""The source of randomness: the only way in which the planner makes secrets."""

import secrets
from collections.abc import Callable

RandomBytes = Callable[[int], bytes]
"""Returns so many unpredictable bytes. Tests give `create_app` one whose bytes they know."""

system_random_bytes: RandomBytes = secrets.token_bytes
