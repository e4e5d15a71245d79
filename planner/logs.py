"""The log: structured lines on standard error, for people on a terminal and as JSON elsewhere.

Every module logs with the standard library (`logging.getLogger("planner.mail")`). Here the lines get their
form, and the id of the request in which they were written.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "text", "json"]
# Writes the one line of a request; the arguments are its fields.
RequestLog = Callable[..., None]
# Libraries that write a line for what they do themselves each time.
_VERBOSE_LIBRARIES = ("uvicorn", "uvicorn.error", "httpx2", "urllib3", "pymongo", "beanie.migrations.runner")


def configure_logs(level: LogLevel, format: LogFormat, stream: TextIO | None = None) -> RequestLog:
    """Make the log of this process write lines of this level or above, and return what logs a request.

    With the format `auto`, the lines are text if the stream (default: standard error) is a terminal, and else one
    JSON object each.
    """
    target = sys.stderr if stream is None else stream
    is_json = format == "json" or (format == "auto" and not target.isatty())
    renderer = _render_json if is_json else structlog.dev.ConsoleRenderer(colors=target.isatty(), pad_event_to=0)
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    exceptions: list[Processor] = [structlog.processors.format_exc_info] if is_json else []
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *exceptions, renderer],
        )
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=number, handlers=[handler], force=True)
    for library in _VERBOSE_LIBRARIES:
        logging.getLogger(library).setLevel(max(number, logging.WARNING))
    if number > logging.INFO:
        return _ignore_request
    return _JsonRequestLog(target) if is_json else _build_request_log(target, [*common, renderer])


def _ignore_request(**fields: object) -> None:
    pass


def _build_request_log(target: TextIO, processors: list[Processor]) -> RequestLog:
    # It does not go through `logging`, which would make the line of a request cost several times as much.
    logger: Any = structlog.wrap_logger(
        structlog.PrintLogger(target),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        context_class=dict,
    ).bind(logger="planner.requests")

    def log_request(**fields: object) -> None:
        logger.info("request", **fields)

    return log_request


class _JsonRequestLog:
    """Writes the line of each request as JSON, in the form of the other lines.

    All lines of one iteration of the event loop are written at once, because during each write another thread may
    take over, and under load that costs more than all else about a line.
    """

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._lines: list[bytes] = []

    def __call__(self, **fields: object) -> None:
        """Add the line of a request, with the ids that are bound to it."""
        line = {"timestamp": datetime.now(UTC), "level": "info", "message": "request", "logger": "planner.requests"}
        line |= structlog.contextvars.get_contextvars() | fields
        options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
        self._lines.append(orjson.dumps(line, default=str, option=options))
        if len(self._lines) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self._write)
        except RuntimeError:
            self._write()

    def _write(self) -> None:
        lines, self._lines = b"".join(self._lines), []
        self._target.write(lines.decode())
        self._target.flush()


def _render_json(logger: WrappedLogger, name: str, fields: EventDict) -> str:
    """Return the fields of a line as JSON; `message` says what happened."""
    ordered = {"timestamp": fields.pop("timestamp"), "level": fields.pop("level"), "message": fields.pop("event")}
    return orjson.dumps({**ordered, **fields}, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
