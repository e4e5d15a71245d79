"""The log: structured lines on standard error, for people on a terminal and as JSON elsewhere.

Every module logs with the standard library (`logging.getLogger("planner.mail")`). Here the lines get their
form, and the id of the request in which they were written.
"""

import logging
import sys
from collections.abc import Callable
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
    return _build_request_log(target, number, [*common, renderer])


def _build_request_log(target: TextIO, level: int, processors: list[Processor]) -> RequestLog:
    # It does not go through `logging`, which would make the line of a request cost several times as much.
    logger: Any = structlog.wrap_logger(
        structlog.PrintLogger(target),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
    ).bind(logger="planner.requests")

    def log_request(**fields: object) -> None:
        logger.info("request", **fields)

    return log_request


def _render_json(logger: WrappedLogger, name: str, fields: EventDict) -> str:
    """Return the fields of a line as JSON; `message` says what happened."""
    ordered = {"timestamp": fields.pop("timestamp"), "level": fields.pop("level"), "message": fields.pop("event")}
    return orjson.dumps({**ordered, **fields}, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
