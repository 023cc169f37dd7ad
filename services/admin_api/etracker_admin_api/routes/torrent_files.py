import re
import unicodedata
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response, Security

from etracker_admin_api.domain.infohashes import parse_info_hash, to_base64
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.domain.torrents import Torrent
from etracker_admin_api.routes.bodies import read_upload
from etracker_admin_api.routes.callers import Callers
from etracker_admin_api.routes.models import UploadAnswer
from etracker_admin_api.routes.problems import problems
from etracker_admin_api.routes.roles import Roles
from etracker_admin_api.use_cases.torrent_files import TorrentFiles, UnknownKeyError, UnknownTorrentError
from etracker_shared.identity import InfoHash

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


def torrent_files_router(files: TorrentFiles, roles: Roles, callers: Callers) -> APIRouter:
    """Build the restricted upload and the download that a key is good for."""
    operator = Security(roles.original_operator)
    router = APIRouter(tags=["torrent files"])

    @router.post(
        "/api/torrentfile",
        status_code=201,
        responses={
            200: {"model": UploadAnswer, "description": "It was tracked already"},
            **problems(400, 401, 403, 503),
        },
        openapi_extra=FORM,
    )
    async def upload(request: Request, response: Response, actor: Annotated[Actor, operator]) -> UploadAnswer:
        """Track a torrent and keep its file: made private, its trackers, DHT nodes and web seeds removed."""
        torrent, is_new = await files.upload(read_upload(request, "file"), actor)
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
        return await personal_file(files, announce_key, wanted, callers.origin(request))

    return router


async def personal_file(files: TorrentFiles, announce_key: str, info_hash: InfoHash, origin: str) -> Response:
    """Answer with a torrent's file in which the key's announce URL stands.

    Raises:
        HTTPException: 403 if the key isn't registered, 404 if there is no such torrent, or no file of it.
    """
    try:
        name, content = await files.download(announce_key, info_hash, origin)
    except UnknownKeyError:
        raise _unknown_key() from None
    except UnknownTorrentError as error:
        sentence = "Nobody has uploaded this torrent's file." if error.tracked else "The infohash isn't tracked."
        raise HTTPException(404, sentence) from None
    headers = {"Content-Disposition": attachment(f"{name}.torrent"), "Cache-Control": "no-store"}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


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
