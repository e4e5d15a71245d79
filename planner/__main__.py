"""`python -m planner …`: see cli.py. This part works before anything is imported, and does not wait at the end."""

import signal
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
    from planner.serving.ending import end_process

    end_process(status)
