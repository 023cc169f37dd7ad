"""Request bodies, read no further than they may go."""

import re
from collections.abc import AsyncGenerator
from typing import TypeVar

from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from etracker_admin_api.domain.bencoding import MAX_TORRENT_BYTES, too_large_message
from etracker_admin_api.domain.errors import TorrentTooLargeError

MAX_JSON_BYTES = 64 * 1024
MAX_FORM_BYTES = MAX_TORRENT_BYTES + 64 * 1024

ModelT = TypeVar("ModelT", bound=BaseModel)


class _InMemoryParser(MultiPartParser):
    """Keeps the file in memory: it is bounded, and a container's disk may be read-only."""

    spool_max_size = MAX_FORM_BYTES

    def close(self) -> None:
        """Close every file, those of a form that ended too early included."""
        for file in self._files_to_close_on_error:
            file.close()


async def read_json(request: Request, model: type[ModelT], max_bytes: int = MAX_JSON_BYTES) -> ModelT:
    """Read a JSON body, whatever its content type says.

    Raises:
        HTTPException: 413 if it's too large, before it's read if its length is known; 400 if anything else is wrong.
    """
    too_large = HTTPException(413, f"The body is larger than {max_bytes // 1024} KiB.")
    if _declared_bytes(request) > max_bytes:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise too_large
    try:
        return model.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "The body"
        raise HTTPException(400, f"{where}: {first['msg']}.") from None


async def read_upload(request: Request, field: str) -> bytes:
    """Read the file of a multipart form, at most 16 MiB of it.

    Raises:
        TorrentTooLargeError: as soon as that is known.
        HTTPException: 400 when there is no such file.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(400, f"The torrent must be sent as multipart/form-data, in the field {field}.")
    if _declared_bytes(request) > MAX_FORM_BYTES:
        raise TorrentTooLargeError(too_large_message())
    parser = _InMemoryParser(
        request.headers, _bounded(request), max_files=1, max_fields=8, max_part_size=MAX_JSON_BYTES
    )
    try:
        file = (await parser.parse()).get(field)
        if not isinstance(file, UploadFile):
            raise HTTPException(400, f"The form has no file in the field {field}.")
        return await file.read()
    except MultiPartException:
        raise HTTPException(400, "The multipart form is malformed, or holds more than one file.") from None
    finally:
        parser.close()


def _declared_bytes(request: Request) -> int:
    """Return how long the body says it is, 0 if it doesn't."""
    declared = request.headers.get("content-length", "")
    return int(declared) if re.fullmatch("[0-9]{1,18}", declared) else 0


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > MAX_FORM_BYTES:
            raise TorrentTooLargeError(too_large_message())
        yield chunk
