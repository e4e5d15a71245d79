"""Reading a file in a process of its own, which runs `import_worker.py`."""

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
from planner.domain.ics.reading.entry_times import FloatingZone
from planner.errors import Invalid, Unavailable
from planner.services.files.import_messages import DraftBatch, EndOfFile, FileRefused, Message, decode_message
from planner.services.files.import_worker import read_batches

log = logging.getLogger("planner.imports")

# Files up to this size are read in this process, because it takes longer to start another one.
SMALL_FILE_BYTES = 16 * 1024
# A process that sends no message for so long is ended.
SILENCE_SECONDS = 120.0
_TOO_EXPENSIVE = "the file takes too much time or memory to read"
_WRITE_BYTES = 256 * 1024
_LENGTH_BYTES = 4
# The variables that Python needs to run; no secrets.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_ROOT = Path(planner.__file__).parent.parent


async def read_file(content: bytes, charset: str, floating: FloatingZone) -> AsyncGenerator[DraftBatch, None]:
    """Yield the entries of a file in batches. The process has ended when the generator is closed.

    Raises `Invalid` for a file that cannot be imported at all, and `Unavailable` when the process
    was ended by somebody else.
    """
    is_small = len(content) <= SMALL_FILE_BYTES
    read = _read_in_this_process if is_small else _read_in_child_process
    batches = read(content, charset, floating)
    try:
        async for batch in batches:
            yield batch
    finally:
        await batches.aclose()


async def _read_in_this_process(
    content: bytes, charset: str, floating: FloatingZone
) -> AsyncGenerator[DraftBatch, None]:
    for batch in read_batches(content, charset, floating):
        yield batch
        await asyncio.sleep(0)


async def _read_in_child_process(
    content: bytes, charset: str, floating: FloatingZone
) -> AsyncGenerator[DraftBatch, None]:
    arguments = [charset, floating.requested or "", floating.of_account]
    process = await asyncio.create_subprocess_exec(
        *end_with_parent([sys.executable, "-m", "planner.services.files.import_worker", *arguments]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
    )
    assert process.stdin is not None and process.stdout is not None
    sending = asyncio.create_task(_send(process.stdin, content))
    try:
        while True:
            match await asyncio.wait_for(_receive_message(process.stdout), SILENCE_SECONDS):
                case DraftBatch() as batch:
                    yield batch
                case FileRefused() as refused:
                    raise refused.to_error()
                case EndOfFile():
                    return
    except TimeoutError:
        log.warning("a file of %d bytes took too long to read", len(content))
        raise Invalid.field("", _TOO_EXPENSIVE) from None
    except (asyncio.IncompleteReadError, ConnectionError):
        code = await process.wait()
        log.warning("the process that read a file of %d bytes ended with %d", len(content), code)
        if code == -signal.SIGTERM:
            # Whoever ends this process with SIGTERM is about to end the planner.
            raise Unavailable("The planner is shutting down. Try again.") from None
        raise Invalid.field("", _TOO_EXPENSIVE) from None
    finally:
        sending.cancel()
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())
        await asyncio.gather(sending, return_exceptions=True)


async def _send(target: asyncio.StreamWriter, content: bytes) -> None:
    """Send the file in parts, so that other requests are served in between."""
    view = memoryview(content)
    with suppress(ConnectionError):
        for start in range(0, len(content), _WRITE_BYTES):
            target.write(view[start : start + _WRITE_BYTES])
            await target.drain()
        target.close()
        await target.wait_closed()


async def _receive_message(source: asyncio.StreamReader) -> Message:
    # A BSON document begins with its own length, four bytes little-endian.
    length = await source.readexactly(_LENGTH_BYTES)
    rest = await source.readexactly(int.from_bytes(length, "little") - _LENGTH_BYTES)
    return decode_message(length + rest)
