"""The end of a process, whatever its threads are doing."""

import logging
import os
import sys
from contextlib import suppress
from typing import NoReturn


def end_process(status: int) -> NoReturn:
    """End this process when everything has been closed; what it has written is flushed.

    Python would wait for each thread, and some may wait for a database that does not respond.
    """
    # What the log is written to may be full or closed.
    with suppress(OSError, ValueError):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
