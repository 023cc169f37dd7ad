"""Request bodies: declared for the OpenAPI document, and read up to a limit once the caller's role is known."""

import re
from collections.abc import AsyncGenerator
from typing import Any, TypeVar

from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from etracker_admin_api.errors import TorrentTooLargeError
from etracker_admin_api.torrent_file.bencoding import MAX_TORRENT_BYTES, too_large_message

MAX_JSON_BYTES = 64 * 1024
MAX_FORM_BYTES = MAX_TORRENT_BYTES + 64 * 1024

ModelT = TypeVar("ModelT", bound=BaseModel)


class _InMemoryParser(MultiPartParser):
    """Keeps the file in memory: its size is limited, and a container's disk may be read-only."""

    spool_max_size = MAX_FORM_BYTES

    def close(self) -> None:
        """Close every file, even if the form was cut short."""
        for file in self._files_to_close_on_error:
            file.close()


def body(model: type[BaseModel]) -> dict[str, Any]:
    """Declare a JSON body for ``openapi_extra``; the application has to be given the model too."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read_json(request: Request, model: type[ModelT], max_bytes: int = MAX_JSON_BYTES) -> ModelT:
    """Read a JSON body, whatever the content type.

    Raises:
        HTTPException: 413 if it's too large, without reading it if its length is declared; 400 for any other problem.
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
    """Read a file of at most 16 MiB from a multipart form.

    Raises:
        TorrentTooLargeError: as soon as that is known.
        HTTPException: 400 if the form doesn't have this file.
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
            raise HTTPException(400, f"The form's file field is missing: {field}.")
        return await file.read()
    except MultiPartException:
        raise HTTPException(400, "The multipart form is malformed or contains more than one file.") from None
    finally:
        parser.close()


def _declared_bytes(request: Request) -> int:
    """Return the declared length of the body, 0 if there is none."""
    declared = request.headers.get("content-length", "")
    return int(declared) if re.fullmatch("[0-9]{1,18}", declared) else 0


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > MAX_FORM_BYTES:
            raise TorrentTooLargeError(too_large_message())
        yield chunk
