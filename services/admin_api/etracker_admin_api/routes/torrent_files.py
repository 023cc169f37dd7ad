import re
import unicodedata
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response, Security
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from structlog import get_logger

from etracker_admin_api.domain.downloads import FileChangedError
from etracker_admin_api.domain.infohashes import parse_info_hash, to_base64
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.domain.torrents import Torrent
from etracker_admin_api.ports import DatabaseUnavailableError
from etracker_admin_api.routes.bodies import read_upload
from etracker_admin_api.routes.callers import Callers
from etracker_admin_api.routes.models import UploadAnswer
from etracker_admin_api.routes.problems import problems
from etracker_admin_api.routes.roles import Roles
from etracker_admin_api.use_cases.torrent_files import (
    Download,
    Downloads,
    UnknownKeyError,
    UnknownTorrentError,
    Uploads,
)
from etracker_shared.identity import InfoHash

log = get_logger("admin_api")

MEDIA_TYPE = "application/x-bittorrent"
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()-]+")
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A torrent file of at most 16 MiB",
                        }
                    },
                }
            }
        },
    }
}


def torrent_files_router(uploads: Uploads, downloads: Downloads, roles: Roles, callers: Callers) -> APIRouter:
    """Build the restricted upload and the download that a key is good for."""
    operator = Security(roles.original_operator)
    router = APIRouter(tags=["torrent files"])

    @router.post(
        "/api/torrentfile",
        status_code=201,
        responses={
            200: {"model": UploadAnswer, "description": "It was tracked already"},
            **problems(400, 401, 403, 413, 503),
        },
        openapi_extra=FORM,
    )
    async def upload(request: Request, response: Response, actor: Annotated[Actor, operator]) -> UploadAnswer:
        """Track a torrent and keep its file: made private, its trackers, DHT nodes and web seeds removed."""
        torrent, is_new = await uploads.take(partial(read_upload, request, "file"), actor)
        if not is_new:
            response.status_code = 200
        return _answer(torrent, is_new=is_new)

    @router.get(
        "/api/torrentfile",
        response_class=Response,
        responses={200: {"content": {MEDIA_TYPE: {}}}, **problems(400, 403, 404, 429, 503)},
    )
    async def download(request: Request, announce_key: str, info_hash: str) -> Response:
        """Download a torrent file with the announce URL of a key. ``info_hash``: hex, any of the torrent's."""
        wanted = parse_info_hash(info_hash)
        await roles.check_announce_key(request, announce_key)
        return await personal_file(downloads, announce_key, wanted, callers, request)

    return router


async def personal_file(
    downloads: Downloads, announce_key: str, info_hash: InfoHash, callers: Callers, request: Request
) -> Response:
    """Answer with a torrent's file in which the key's announce URL stands.

    Raises:
        HTTPException: 403 if the key isn't registered, 404 if there is no such torrent, or no file of it.
    """
    try:
        download = await downloads.start(
            announce_key, info_hash, callers.origin(request), callers.limited_address(request)
        )
    except UnknownKeyError:
        raise _unknown_key() from None
    except UnknownTorrentError as error:
        sentence = "Nobody has uploaded this torrent's file." if error.tracked else "The infohash isn't tracked."
        raise HTTPException(404, sentence) from None
    return DownloadResponse(download)


class DownloadResponse(StreamingResponse):
    """Sends a torrent file piece by piece, each once the client has taken the one before."""

    def __init__(self, download: Download) -> None:
        headers = {
            "Content-Disposition": attachment(f"{download.name}.torrent"),
            "Content-Length": str(download.size),
            "Cache-Control": "no-store",
        }
        super().__init__(download.rest, media_type=MEDIA_TYPE, headers=headers)
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file; the download is over afterwards, however it ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._download.allowed.give_back()

    async def stream_response(self, send: Send) -> None:
        """Send head and body; one that can't be sent to its end is broken off, which closes the connection."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            await self._send_pieces(send)
        except (FileChangedError, DatabaseUnavailableError) as error:
            log.warning("download_broken_off", error=type(error).__name__)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_pieces(self, send: Send) -> None:
        piece: bytes | None = self._download.first
        while piece is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = None  # sending nothing waits until the client has taken what was sent before
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            piece = await anext(self._download.rest, None)


def _unknown_key() -> HTTPException:
    return HTTPException(403, "The announce key isn't registered. Generate one first.")


def attachment(filename: str) -> str:
    """Write a Content-Disposition that no file name breaks out of. Source: RFC 6266, RFC 8187."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    plain = _UNSAFE.sub("_", plain).strip(" .") or "download.torrent"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def describe(torrent: Torrent, *, is_new: bool) -> str:
    """Say what became of an upload."""
    message = "The torrent is tracked now." if is_new else "The torrent was tracked already."
    if torrent.made_private:
        message += (
            " It wasn't private: it got the flag and with it new infohashes, so seed the file downloaded from here."
        )
    return message


def _answer(torrent: Torrent, *, is_new: bool) -> UploadAnswer:
    return UploadAnswer(
        message=describe(torrent, is_new=is_new),
        name=torrent.name,
        length=torrent.length,
        info_hash=to_base64(torrent.info_hashes[0]),
        info_hash_v1=torrent.v1.hex() if torrent.v1 else None,
        info_hash_v2=torrent.v2.hex() if torrent.v2 else None,
        changed=torrent.made_private,
    )
