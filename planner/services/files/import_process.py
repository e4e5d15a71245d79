"""What is in a file of events, read by a process of its own (`import_worker.py`)."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import planner
from database.embedded.processes import end_with_parent
from database.queries import Stored
from database.reads import decode
from planner.errors import Invalid, Malformed, PlannerError, Unavailable
from planner.services.files.import_worker import pieces

log = logging.getLogger("planner.imports")

# Small files are read here: a process takes longer to start than they take to read.
SMALL_BYTES = 16 * 1024
# So long a process may be silent before it is ended.
SILENCE_SECONDS = 120.0
_TOO_MUCH = "the file takes too much time or memory to read"
_CHUNK = 256 * 1024
_HEAD = 4
# What is needed to run Python, and no secrets.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_ROOT = Path(planner.__file__).parent.parent


async def read_pieces(content: bytes, charset: str) -> AsyncGenerator[Stored, None]:
    """The pieces of a file, as `import_worker.pieces` tells them; nothing of the process is left when it ends.

    Raises `Invalid` or `Malformed` for a file that cannot be imported at all, and `Unavailable`
    when somebody ended the process that was reading it.
    """
    source = _here(content, charset) if len(content) <= SMALL_BYTES else _elsewhere(content, charset)
    try:
        async for piece in source:
            if "refused" in piece:
                raise refusal(piece)
            yield piece
    finally:
        await source.aclose()


def refusal(piece: Stored) -> PlannerError:
    """Why a whole file is refused, as an error."""
    if piece["kind"] == "malformed":
        return Malformed(f"This cannot be imported: {piece['refused']}.")
    return Invalid.field("", piece["refused"])


async def _here(content: bytes, charset: str) -> AsyncGenerator[Stored, None]:
    for piece in pieces(content, charset):
        yield piece
        await asyncio.sleep(0)


async def _elsewhere(content: bytes, charset: str) -> AsyncGenerator[Stored, None]:
    process = await asyncio.create_subprocess_exec(
        *end_with_parent([sys.executable, "-m", "planner.services.files.import_worker", charset]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
    )
    assert process.stdin is not None and process.stdout is not None
    feeding = asyncio.create_task(_feed(process.stdin, content))
    try:
        while True:
            piece = await asyncio.wait_for(_next(process.stdout), SILENCE_SECONDS)
            if "end" in piece:
                return
            yield piece
    except TimeoutError:
        log.warning("a file of %d bytes took too long to read", len(content))
        raise Invalid.field("", _TOO_MUCH) from None
    except (asyncio.IncompleteReadError, ConnectionError):
        code = await process.wait()
        log.warning("the process that read a file of %d bytes ended with %d", len(content), code)
        if code == -signal.SIGTERM:
            # Whoever ends it so is about to end us.
            raise Unavailable("The planner is being stopped. Try again.") from None
        raise Invalid.field("", _TOO_MUCH) from None
    finally:
        feeding.cancel()
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())
        await asyncio.gather(feeding, return_exceptions=True)


async def _feed(target: asyncio.StreamWriter, content: bytes) -> None:
    """Hand the file over, in parts, so that others have their turn."""
    view = memoryview(content)
    with suppress(ConnectionError):
        for at in range(0, len(content), _CHUNK):
            target.write(view[at : at + _CHUNK])
            await target.drain()
        target.close()
        await target.wait_closed()


async def _next(source: asyncio.StreamReader) -> Stored:
    # A BSON document begins with its own length, four bytes little-endian.
    head = await source.readexactly(_HEAD)
    return decode(head + await source.readexactly(int.from_bytes(head, "little") - _HEAD))
