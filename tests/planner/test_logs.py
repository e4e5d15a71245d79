"""The log: its form, its levels, and the ids of requests in it."""

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from planner.logs import configure_logs


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    """Undo what a test has configured."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_elsewhere_than_on_a_terminal_each_line_is_a_json_object() -> None:
    stream = io.StringIO()
    log_request = configure_logs("info", "auto", stream)
    logging.getLogger("planner.mail").warning("a mail to %s\nwas lost", "a\x1b[31mdmin")
    log_request(method="GET", route="/healthz", status=200)
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["level"], first["logger"], first["message"]) == (
        "warning",
        "planner.mail",
        "a mail to a\x1b[31mdmin\nwas lost",
    )
    assert (second["message"], second["route"], second["status"]) == ("request", "/healthz", 200)
    assert first["timestamp"].endswith("Z")


def test_an_exception_is_one_line_of_json_with_its_traceback() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    try:
        raise ValueError("what went wrong")
    except ValueError:
        logging.getLogger("planner").exception("it failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: what went wrong" in json.loads(line)["exception"]


@pytest.mark.parametrize(("format", "stream"), [("text", io.StringIO()), ("auto", Terminal())])
def test_on_a_terminal_lines_are_text(format: str, stream: io.StringIO) -> None:
    log_request = configure_logs("info", format, stream)  # type: ignore[arg-type]
    log_request(route="/healthz")
    assert "request" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 3), ("warning", 1), ("error", 0)])
def test_lines_below_the_level_are_not_written(level: str, lines: int) -> None:
    stream = io.StringIO()
    log_request = configure_logs(level, "json", stream)  # type: ignore[arg-type]
    log_request(route="/healthz")
    logging.getLogger("planner").info("information")
    logging.getLogger("planner").warning("a warning")
    logging.getLogger("pymongo").debug("a command")
    assert len(stream.getvalue().splitlines()) == lines


def test_what_is_logged_during_a_request_has_its_id() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        logging.getLogger("planner.database").warning("slow")
    assert json.loads(stream.getvalue())["request_id"] == "abc"


async def test_the_lines_of_requests_that_end_together_are_written_at_once() -> None:
    stream = io.StringIO()
    log_request = configure_logs("info", "json", stream)
    for number in range(3):
        with structlog.contextvars.bound_contextvars(request_id=str(number)):
            log_request(route="/healthz", status=200)
    assert stream.getvalue() == ""
    await asyncio.sleep(0)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["request_id"] for line in lines] == ["0", "1", "2"]
    log_request(route="/readyz")
    await asyncio.sleep(0)
    assert len(stream.getvalue().splitlines()) == 4


def test_the_line_of_a_request_has_the_form_of_the_other_lines() -> None:
    stream = io.StringIO()
    log_request = configure_logs("info", "json", stream)
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        log_request(method="GET", route="/healthz", status=200, milliseconds=0.5, account=None)
        logging.getLogger("planner.requests").info("request")
    line, other = (json.loads(text) for text in stream.getvalue().splitlines())
    for each in (line, other):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", each.pop("timestamp"))
    assert line == other | {"method": "GET", "route": "/healthz", "status": 200, "milliseconds": 0.5, "account": None}
