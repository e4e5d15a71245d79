"""Reading a request's body: its size, its media type, its JSON."""

from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

import orjson
from fastapi import HTTPException
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from planner.domain.ics.reading.upload_limits import FileTooLarge, UploadLimits

MAX_BODY = 1024 * 1024
MAX_FILE = 20 * 1024 * 1024
FORM = "application/x-www-form-urlencoded"
CALENDAR = "text/calendar"
# What programs write such files in; the standard's own is the first (RFC 5545 §3.1.4).
CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "latin-1", "windows-1252": "cp1252"}


async def read_body(request: Request, most: int = MAX_BODY, look: Callable[[bytes], None] | None = None) -> bytes:
    """The body; raises 413 as soon as it is known to be larger than `most` bytes. `look` is shown each part of it."""
    too_large = HTTPException(413, f"The body may have {most} bytes at most.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise too_large
        if look is not None:
            look(chunk)
        chunks.append(chunk)
    return b"".join(chunks)


def media_type(request: Request) -> str:
    """The media type of the body, without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


class JsonRequest(Request):
    """A request whose JSON is read strictly: no NaN, no lone surrogates, no abyss of brackets."""

    async def body(self) -> bytes:
        """The body of a JSON request; raises 413 and 415."""
        if not hasattr(self, "_body"):
            kind = media_type(self)
            body = await read_body(self)
            if body and kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
                raise HTTPException(415, "Send the body as application/json.")
            self._body = body
        return self._body

    async def json(self) -> Any:
        """The body's value; raises 400 when it is not JSON (RFC 8259)."""
        try:
            return orjson.loads(await self.body())
        except orjson.JSONDecodeError as error:
            # Its message says where and what was expected, and quotes nothing.
            raise HTTPException(400, f"The body is not JSON: {error.msg}.") from None


class PlannerRoute(APIRoute):
    """A route that reads its body through `JsonRequest`, if it has one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler, given our kind of request."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def read_strictly(request: Request) -> Response:
            return await handler(JsonRequest(request.scope, request.receive))

        return read_strictly


async def read_form(request: Request) -> dict[str, str]:
    """The parameters of a form.

    Raises `ValueError`, whose message says why and repeats nothing, for one that is
    repeated (RFC 6749 §3.2), for bytes that are not UTF-8 and for NUL; 413 and 415 as
    other bodies do.
    """
    if media_type(request) != FORM:
        raise HTTPException(415, f"Send the body as {FORM}.")
    body = await read_body(request)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=100
        )
    except ValueError:
        # The library's own words would repeat what was sent.
        raise ValueError("the form cannot be read") from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise ValueError("a parameter is repeated")
    if any("\0" in text for pair in pairs for text in pair):
        raise ValueError("a parameter holds a NUL")
    return parameters


async def read_calendar(request: Request) -> tuple[bytes, str]:
    """An iCalendar file and the charset it is in.

    Raises 415 for another media type, an unknown charset, or a body that would have to be unpacked first, however
    small it is; and 413 for one that is too large, as soon as so much of it has come.
    """
    if media_type(request) != CALENDAR:
        raise HTTPException(415, f"Send the file as {CALENDAR}.")
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise HTTPException(415, "Send the file as it is, without a Content-Encoding.")
    charset = CHARSETS.get(_charset(request))
    if charset is None:
        raise HTTPException(415, "Send the file in UTF-8.")
    try:
        return await read_body(request, MAX_FILE, UploadLimits().take), charset
    except FileTooLarge as error:
        raise HTTPException(413, str(error)) from None


def _charset(request: Request) -> str:
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    return str(message.get_content_charset("utf-8"))
