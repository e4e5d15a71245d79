"""Reading a file: its entries as drafts, in batches. This module is also the program of a process.

Reading a large file takes much time of the processor. A process of its own takes none of the time in
which requests are served, and whatever a file does to the process ends with it.
"""

import sys
from collections.abc import Iterator
from typing import BinaryIO

from planner.domain.ics.reading.components import NotACalendar
from planner.domain.ics.reading.decoding import decode_file
from planner.domain.ics.reading.entry_times import FloatingZone
from planner.domain.ics.reading.groups import parse_groups
from planner.errors import Invalid
from planner.services.files.import_drafts import build_draft
from planner.services.files.import_messages import DraftBatch, EndOfFile, FileRefused, encode_message

# A batch ends after so many UIDs or octets. It is written as one group of writes.
BATCH_UIDS = 25
BATCH_OCTETS = 256 * 1024
MEMORY_BYTES = 1024 * 1024 * 1024
PROCESSOR_SECONDS = 300


def read_batches(content: bytes, charset: str, floating: FloatingZone) -> Iterator[DraftBatch]:
    """Yield the entries of a file in batches.

    Raises `Invalid` when it is not an iCalendar file.
    """
    try:
        groups = parse_groups(decode_file(content, charset), floating)
    except NotACalendar as error:
        raise Invalid.field("", str(error)) from None
    total = len(groups)
    batch, octets = DraftBatch(total, 0, [], [], []), 0
    # From the end, so that the memory of each group can be freed as soon as it was read.
    groups.reverse()
    while groups:
        drafted = build_draft(groups.pop())
        batch = batch._replace(done=batch.done + 1)
        batch.failures.extend(drafted.failures)
        batch.warnings.extend(drafted.warnings)
        if drafted.draft is not None:
            batch.drafts.append(drafted.draft)
            octets += drafted.octets
        if batch.done == BATCH_UIDS or octets > BATCH_OCTETS or not groups:
            yield batch
            batch, octets = DraftBatch(total, 0, [], [], []), 0


def main(charset: str, floating: FloatingZone, source: BinaryIO, target: BinaryIO) -> None:
    """Write the messages about the file in `source` to `target`."""
    content = source.read()
    try:
        for batch in read_batches(content, charset, floating):
            target.write(encode_message(batch))
            target.flush()
    except Invalid as error:
        target.write(encode_message(FileRefused.from_error(error)))
    target.write(encode_message(EndOfFile()))
    target.flush()


def _limit_resources() -> None:
    """Let all other processes go first, and take no more time and memory than a file may need."""
    import os
    import signal

    # Ctrl-C in a terminal is sent to every process; this one is ended by its parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(19)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _limit_resources()
    try:
        main(sys.argv[1], FloatingZone(sys.argv[2] or None, sys.argv[3]), sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # The parent does not need the rest. Closing stderr prevents a message of the interpreter.
        sys.stderr.close()
        raise SystemExit(1) from None
    except MemoryError:
        # The parent knows the reason by the exit code.
        raise SystemExit(1) from None
