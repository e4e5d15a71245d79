"""Reads a file of events and tells what is in it, piece by piece; also as a process of its own.

Reading is work for the processor alone, and plenty of it. In a process of its own it takes nothing
of what others' requests are answered with, and whatever a file does to it ends with that process.
"""

import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from database.queries import Stored
from database.reads import encode
from planner.domain.ics.reading.components import NotACalendar
from planner.domain.ics.reading.groups import parse_groups
from planner.services.files.import_drafts import prepared

# So many groups of entries make a piece: it is written as one.
PIECE = 25
PIECE_BYTES = 256 * 1024
MEMORY_BYTES = 1024 * 1024 * 1024
PROCESSOR_SECONDS = 300


def pieces(content: bytes, charset: str) -> Iterator[Stored]:
    """What is in a file: first `total`, how many groups of entries, then them in pieces, each with its size `done`.

    A file that cannot be read at all is `refused`, with the `kind` of the error and why.
    """
    try:
        found = parse_groups(content.decode(charset))
    except UnicodeDecodeError:
        yield {"refused": f"the file is not in {charset}, which it should be", "kind": "malformed"}
        return
    except NotACalendar as error:
        yield {"refused": str(error), "kind": "invalid"}
        return
    yield {"total": len(found)}
    piece, size = _empty(), 0
    # From the end, so that what has been read can be forgotten.
    found.reverse()
    while found:
        entry, failures = prepared(found.pop())
        if entry is not None:
            told: dict[str, Any] = entry._asdict()
            size += len(encode(told))
            piece["entries"].append(told)
        piece["failed"] += [[failure.uid, failure.reason] for failure in failures]
        piece["done"] += 1
        if piece["done"] == PIECE or size > PIECE_BYTES:
            yield piece
            piece, size = _empty(), 0
    if piece["done"]:
        yield piece


def _empty() -> dict[str, Any]:
    return {"entries": [], "failed": [], "done": 0}


def main(charset: str, source: BinaryIO, target: BinaryIO) -> None:
    """Write the pieces of the file in `source` to `target`, one BSON document after the other."""
    content = source.read()
    for piece in pieces(content, charset):
        target.write(encode(piece))
        target.flush()
    target.write(encode({"end": True}))
    target.flush()


def _be_modest() -> None:
    """Let everybody else go first, and take no more than what a file may need."""
    import os
    import signal

    # Whoever started us says when it is over, not the terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(19)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _be_modest()
    try:
        main(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        # Nobody wants to know any more.
        sys.stderr.close()
        raise SystemExit(1) from None
    except MemoryError:
        # Whoever waits for us takes it from the way we end.
        raise SystemExit(1) from None
