"""`python -m tests.supply_chain audit` or `outdated`; the modules say with what exit status."""

import sys
from collections.abc import Callable

from tests.supply_chain import auditing, outdated

COMMANDS: dict[str, Callable[[], int]] = {"audit": auditing.main, "outdated": outdated.main}

if __name__ == "__main__":
    if sys.argv[1:] not in ([name] for name in COMMANDS):
        sys.exit(f"usage: python -m tests.supply_chain {' | '.join(COMMANDS)}")
    sys.exit(COMMANDS[sys.argv[1]]())
