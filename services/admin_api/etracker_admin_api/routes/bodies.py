"""Request bodies, read no further than they may go."""

from collections.abc import AsyncGenerator
from typing import TypeVar

from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from etracker_admin_api.domain.bencoding import MAX_TORRENT_BYTES, too_large_message
from etracker_admin_api.domain.errors import TorrentTooLargeError

MAX_JSON_BYTES = 64 * 1024
_MULTIPART_OVERHEAD = 64 * 1024

ModelT = TypeVar("ModelT", bound=BaseModel)


class _InMemoryParser(MultiPartParser):
    """Keeps the file in memory: it is bounded, and a container's disk may be read-only."""

    spool_max_size = MAX_TORRENT_BYTES + _MULTIPART_OVERHEAD

    def close(self) -> None:
        """Close every file, those of a form that ended too early included."""
        for file in self._files_to_close_on_error:
            file.close()


async def read_json(request: Request, model: type[ModelT], max_bytes: int = MAX_JSON_BYTES) -> ModelT:
    """Read a JSON body, whatever its content type says.

    Raises:
        HTTPException: 400, with what is wrong in one sentence.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise HTTPException(400, f"The body is larger than {max_bytes // 1024} KiB.")
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


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    limit = MAX_TORRENT_BYTES + _MULTIPART_OVERHEAD
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise TorrentTooLargeError(too_large_message())
        yield chunk
