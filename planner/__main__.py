"""`python -m planner …`: see cli.py. This part works before anything is imported, and does not wait at the end."""

import logging
import os
import signal
import sys
from contextlib import suppress
from types import FrameType


def run() -> int:
    """Run a command, and return its exit status; SIGTERM ends it as Ctrl-C does."""
    interrupted_by = signal.SIGINT

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted_by
        interrupted_by = signal.Signals(number)
        raise KeyboardInterrupt

    # By default SIGTERM would end the process in the middle of its work; or it would be ignored, if this is the first
    # process of a container.
    signal.signal(signal.SIGTERM, interrupt)
    try:
        # Only now, because it takes seconds on a slow machine.
        from planner.cli import main

        return main()
    except KeyboardInterrupt:
        return 128 + interrupted_by
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        return ended.code


if __name__ == "__main__":
    status = run()
    # What the log is written to may be full or closed.
    with suppress(OSError, ValueError):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    # Python would wait for each thread, and some may wait for a database that does not respond.
    os._exit(status)
