from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response, Security
from pydantic import BaseModel, Field

from etracker_admin_api.actors import Actor
from etracker_admin_api.http.bodies import read_upload
from etracker_admin_api.http.callers import Callers
from etracker_admin_api.http.infohashes import InfoHashPath, parse_info_hash
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.torrent_file.parsing import ParsedTorrent
from etracker_admin_api.torrents.files.downloads import Downloads
from etracker_admin_api.torrents.files.responses import FORM, MEDIA_TYPE, describe, personal_file
from etracker_admin_api.torrents.files.uploads import Uploads
from etracker_admin_api.torrents.list_store import TorrentLists
from etracker_admin_api.torrents.models import TorrentV1
from etracker_admin_api.torrents.routes import find


class UploadedTorrent(BaseModel):
    """The torrent as it is now tracked.

    ``changed``: the upload wasn't private, so it was made private and its infohashes changed. Download the torrent file
    from here and seed that one.
    """

    message: str
    torrent: TorrentV1
    info_hash_v1: str | None = Field(description="hex, 40 digits")
    info_hash_v2: str | None = Field(description="hex, 64 digits")
    changed: bool


_KNOWN: dict[int | str, dict[str, Any]] = {200: {"model": UploadedTorrent, "description": "It was already tracked"}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}


def files_router(
    uploads: Uploads, downloads: Downloads, lists: TorrentLists, roles: Roles, callers: Callers
) -> APIRouter:
    """Build the upload for operators, and the download for key holders."""
    router = APIRouter(prefix="/api/v1", tags=["torrent files"])
    operator, key_holder = Security(roles.operator), Security(roles.key_holder)

    @router.post(
        "/torrents",
        status_code=201,
        responses={**_KNOWN, **problems_v1(400, 401, 403, 413, 429, 503)},
        openapi_extra=FORM,
    )
    async def upload_torrent(
        request: Request, response: Response, actor: Annotated[Actor, operator]
    ) -> UploadedTorrent:
        """Track a torrent and store its file, made private and stripped of its trackers, DHT nodes and web seeds."""
        torrent, is_new = await uploads.take(partial(read_upload, request, "file"), actor)
        if not is_new:
            response.status_code = 200
        return await _answer(lists, torrent, is_new=is_new)

    @router.get(
        "/infohashes/{info_hash:infohash}/torrent",
        response_class=Response,
        responses={**_FILE, **problems_v1(400, 401, 403, 404, 429, 503)},
    )
    async def download_torrent(
        request: Request, info_hash: InfoHashPath, announce_key: Annotated[str, key_holder]
    ) -> Response:
        """Download a torrent file that contains your key's announce URL."""
        return await personal_file(downloads, announce_key, parse_info_hash(info_hash), callers, request)

    return router


async def _answer(lists: TorrentLists, torrent: ParsedTorrent, *, is_new: bool) -> UploadedTorrent:
    return UploadedTorrent(
        message=describe(torrent, is_new=is_new),
        torrent=await find(lists, torrent.info_hashes[0].hex()),
        info_hash_v1=torrent.v1.hex() if torrent.v1 else None,
        info_hash_v2=torrent.v2.hex() if torrent.v2 else None,
        changed=torrent.made_private,
    )
