"""Request bodies: JSON, forms and iCalendar files, read within limits of size and media type."""

from collections.abc import Callable
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

import orjson
from fastapi import HTTPException
from starlette.requests import Request

from planner.domain.ics.reading.upload_limits import FileTooLarge, UploadLimits

MAX_BODY_BYTES = 1024 * 1024
MAX_FILE_BYTES = 20 * 1024 * 1024
FORM = "application/x-www-form-urlencoded"
CALENDAR = "text/calendar"
# The charsets that programs write iCalendar files in; the first is that of the standard (RFC 5545 §3.1.4). Who declares
# ASCII and sends other characters means UTF-8.
CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "iso-8859-1": "latin-1", "windows-1252": "cp1252"}
CHARSETS |= {"utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}


async def read_body(
    request: Request, max_bytes: int = MAX_BODY_BYTES, on_chunk: Callable[[bytes], None] | None = None
) -> bytes:
    """Return the body, and call `on_chunk` with each part of it as it arrives.

    Raises 413 as soon as the body is known to be larger than `max_bytes`, 415 for one that is compressed or otherwise
    encoded, and whatever `on_chunk` raises.
    """
    require_no_encoding(request)
    too_large = HTTPException(413, f"The body must have at most {max_bytes} bytes.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise too_large
        if on_chunk is not None:
            on_chunk(chunk)
        chunks.append(chunk)
    return b"".join(chunks)


def require_no_encoding(request: Request) -> None:
    """Raise 415 for a body that is compressed or otherwise encoded (RFC 9110 §15.5.16)."""
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise HTTPException(
            415, "Send the body as it is, without a Content-Encoding.", headers={"accept-encoding": "identity"}
        )


def parse_media_type(request: Request) -> str:
    """Return the media type of the body in lower case, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


class JsonRequest(Request):
    """A request whose JSON is parsed strictly: no NaN, no lone surrogates, no deep nesting."""

    async def body(self) -> bytes:
        """Return the body of a JSON request; raises 413 and 415."""
        if not hasattr(self, "_body"):
            kind = parse_media_type(self)
            body = await read_body(self)
            if body and kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
                raise HTTPException(415, "Send the body as application/json.")
            self._body = body
        return self._body

    async def json(self) -> Any:
        """Return the value in the body; raises 400 when it is not JSON (RFC 8259)."""
        try:
            return orjson.loads(await self.body())
        except orjson.JSONDecodeError as error:
            # The parser's message says what it expected and where, and quotes nothing of the body.
            raise HTTPException(400, f"The body is not valid JSON: {error.msg}.") from None


async def read_form(request: Request) -> dict[str, str]:
    """Return the parameters of a form.

    The form is read as browsers' parsers do (https://url.spec.whatwg.org/#urlencoded-parsing). Raises `ValueError` for
    a repeated parameter (RFC 6749 §3.2), for bytes that are not UTF-8 and for NUL; its message says why, and quotes
    nothing of the form. Raises 413 and 415 as for other bodies.
    """
    if parse_media_type(request) != FORM:
        raise HTTPException(415, f"Send the body as {FORM}.")
    body = await read_body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        # The library's message would quote the form.
        raise ValueError("it must be a URL-encoded form in UTF-8") from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise ValueError("each parameter must be sent once")
    if any("\0" in text for pair in pairs for text in pair):
        raise ValueError("no parameter may contain a NUL character")
    return parameters


async def read_calendar_file(request: Request) -> tuple[bytes, str]:
    """Return an iCalendar file and its charset.

    Raises 415 for another media type, an unknown charset or a compressed body, and 413 for a body
    that is too large, as soon as that much of it has arrived.
    """
    if parse_media_type(request) != CALENDAR:
        raise HTTPException(415, f"Send the file as {CALENDAR}.")
    require_no_encoding(request)
    charset = CHARSETS.get(_parse_charset(request))
    if charset is None:
        raise HTTPException(415, "Send the file in UTF-8.")
    try:
        return await read_body(request, MAX_FILE_BYTES, UploadLimits().add_chunk), charset
    except FileTooLarge as error:
        raise HTTPException(413, str(error)) from None


def _parse_charset(request: Request) -> str:
    """Return the charset of the body in lower case; UTF-8 when none is declared."""
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    return str(message.get_content_charset("utf-8"))
