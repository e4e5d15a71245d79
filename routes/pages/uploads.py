"""Forms with a file, as browsers send them (RFC 7578), and only from a page of this planner."""

from collections.abc import AsyncGenerator
from typing import Annotated, NamedTuple

from fastapi import Depends, HTTPException
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from planner.domain.ics.reading.upload_limits import FileTooLarge, UploadLimits
from routes.http.bodies import MAX_FILE_BYTES, parse_media_type, require_no_encoding
from routes.pages.forms import TOKEN_FIELD, PageForm, require_form_token, require_own_origin
from routes.pages.visitors import find_visitor

FILE_FIELD = "file"
# The other fields, and what stands between the parts.
MAX_OVERHEAD_BYTES = 64 * 1024


class Upload(NamedTuple):
    """A form, and the file that came with it; empty if none was chosen."""

    form: PageForm
    content: bytes


async def read_upload(request: Request) -> Upload:
    """Return a form with its file.

    Raises `FormRefused` unless it was sent from a page of this planner, 413 for a file that is too large, as soon as
    that much of it has arrived, and 400 and 415 for anything that is no such form.
    """
    require_own_origin(request)
    require_no_encoding(request)
    if parse_media_type(request) != "multipart/form-data":
        raise HTTPException(415, "Send the form as multipart/form-data.")
    parser = MultiPartParser(
        request.headers, _bounded(request), max_files=1, max_fields=20, max_part_size=MAX_OVERHEAD_BYTES
    )
    try:
        sent = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from None
    except FileTooLarge as error:
        raise HTTPException(413, str(error)) from None
    try:
        file = sent.get(FILE_FIELD)
        content = await file.read() if isinstance(file, UploadFile) else b""
    finally:
        await sent.close()
    texts = {name: [text.replace("\0", "")] for name, text in sent.multi_items() if isinstance(text, str)}
    form = PageForm(texts)
    require_form_token(request, form.get(TOKEN_FIELD))
    await find_visitor(request)
    return Upload(form, content)


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    """Yield the parts of the body; raises 413 and `FileTooLarge`."""
    size, limits = 0, UploadLimits()
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_FILE_BYTES + MAX_OVERHEAD_BYTES:
            raise HTTPException(413, f"The file must have at most {MAX_FILE_BYTES // 1024 // 1024} MiB.")
        limits.add_chunk(chunk)
        yield chunk


UploadedForm = Annotated[Upload, Depends(read_upload)]
