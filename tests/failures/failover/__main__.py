"""Run every failure, print what each brought, and fail if a promise was broken: `python -m tests.failures.failover`."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.failures.failover.failures import FAILURES
from tests.failures.failover.trial import Result, open_trial

# MongoDB's own default.
ELECTION_TIMEOUT_SECONDS = 10.0
NAMES = ("writes", "503", "lost", "gap s", "elected s", "longest s", "not ready")


def main() -> int:
    """Run the failures; returns the exit status."""
    parser = argparse.ArgumentParser(description="Run a planner through failures of its database and its workers.")
    parser.add_argument("--only", default="", help="only the failures whose name has this in it")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="planner-failures-") as folder:
        results = asyncio.run(run(Path(folder), options.only))
    broken = sum(len(result.broken_promises) for result in results)
    writes = sum(result.writes for result in results)
    print(
        f"{writes:,} acknowledged writes are stored, with exact embedded ids, and no Idempotency-Key created two "
        f"events; {broken} broken promises; {time.monotonic() - began:.0f} s"
    )
    return 1 if broken else 0


async def run(folder: Path, only: str) -> list[Result]:
    """Run the failures whose names have `only` in them, one after the other, and print what each brought."""
    results = []
    async with open_trial(folder, ELECTION_TIMEOUT_SECONDS) as trial:
        print(f"{'':37} " + " ".join(f"{name:>9}" for name in NAMES))
        for failure in FAILURES:
            if only not in failure.name:
                continue
            results.append(result := await trial.run(failure))
            name, writes, refused, lost, *seconds, not_ready, broken = result
            figures = [f"{writes:,}", refused, lost, *(f"{number:.1f}" for number in seconds), not_ready]
            print(f"{name:37} " + " ".join(f"{figure:>9}" for figure in figures), flush=True)
            for sentence in broken:
                print(f"    broken promise: {sentence}", flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
