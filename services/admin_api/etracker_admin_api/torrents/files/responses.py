"""Responses with torrent files, and descriptions of uploads for both versions of the API."""

import re
import unicodedata
from typing import Any
from urllib.parse import quote

from fastapi import HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from structlog import get_logger

from etracker_admin_api.errors import FileChangedError, UnknownTorrentError, WrongKeyError
from etracker_admin_api.http.callers import Callers
from etracker_admin_api.http.infohashes import not_tracked
from etracker_admin_api.http.roles import key_not_registered
from etracker_admin_api.torrent_file.parsing import ParsedTorrent
from etracker_admin_api.torrents.files.downloads import Download, Downloads
from etracker_shared.language.identity import InfoHash
from etracker_shared.language.outages import PostgresUnavailableError

log = get_logger("admin_api")

MEDIA_TYPE = "application/x-bittorrent"
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()-]+")
_PLAIN_LETTERS = 100
_FILE_NAME_BYTES = 240
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


async def personal_file(
    downloads: Downloads, announce_key: str, info_hash: InfoHash, callers: Callers, request: Request
) -> Response:
    """Respond with a torrent's file that contains the key's announce URL.

    Raises:
        HTTPException: 403 if the key isn't registered; 404 if the torrent isn't tracked, or its file isn't stored.
    """
    try:
        download = await downloads.start(
            announce_key, info_hash, callers.announce_origin(request), callers.limited_address(request)
        )
    except WrongKeyError:
        raise key_not_registered() from None
    except UnknownTorrentError as error:
        if not error.tracked:
            raise not_tracked() from None
        raise HTTPException(404, "This torrent's file hasn't been uploaded.") from None
    return DownloadResponse(download)


class DownloadResponse(StreamingResponse):
    """Sends a torrent file piece by piece, each after the client has received the previous one."""

    def __init__(self, download: Download) -> None:
        headers = {
            "Content-Disposition": attachment(download.name),
            "Content-Length": str(download.size),
            "Cache-Control": "no-store",
        }
        super().__init__(download.rest, media_type=MEDIA_TYPE, headers=headers)
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, and end the download whatever happens."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._download.allowed.give_back()

    async def stream_response(self, send: Send) -> None:
        """Send head and body. If the body can't be completed, leave it unfinished, which closes the connection."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            await self._send_pieces(send)
        except (FileChangedError, PostgresUnavailableError) as error:
            log.warning("download_broken_off", error=type(error).__name__)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_pieces(self, send: Send) -> None:
        piece: bytes | None = self._download.first
        while piece is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = None  # free it: sending nothing waits until the client has received what was sent before
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            piece = await anext(self._download.rest, None)


def attachment(name: str) -> str:
    """Return a Content-Disposition header for a torrent of any name. Source: RFC 6266, RFC 8187.

    The plain file name is for programs that don't know the other one, like curl. It is ASCII, and always ends in
    ``.torrent``.
    """
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = _UNSAFE.sub("_", letters).strip(" ._")[:_PLAIN_LETTERS] or "download"
    full = _shortened(name.replace("/", "_").replace("\\", "_")) or "download"
    return f"attachment; filename=\"{plain}.torrent\"; filename*=UTF-8''{quote(full, safe='')}.torrent"


def _shortened(name: str) -> str:
    """Shorten a name so that file systems, which count bytes, accept it with its ending."""
    return name.encode()[:_FILE_NAME_BYTES].decode(errors="ignore")


def describe(torrent: ParsedTorrent, *, is_new: bool) -> str:
    """Describe the result of an upload, and what was changed in the file."""
    sentences = ["The torrent is now tracked." if is_new else "The torrent was already tracked."]
    if torrent.made_private:
        sentences.append(
            "It wasn't private, so it was made private and its infohashes changed:"
            " seed the file you download from here."
        )
    return " ".join((*sentences, *torrent.remarks))
