from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response, Security

from etracker_admin_api.domain.infohashes import parse_info_hash
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.domain.torrents import Torrent
from etracker_admin_api.ports import TorrentLists
from etracker_admin_api.routes.bodies import read_upload
from etracker_admin_api.routes.callers import Callers
from etracker_admin_api.routes.problems import problems_v1
from etracker_admin_api.routes.roles import Roles
from etracker_admin_api.routes.torrent_files import FORM, MEDIA_TYPE, describe, personal_file
from etracker_admin_api.routes.v1.infohashes import find
from etracker_admin_api.routes.v1.models.torrents import InfoHashPath, TorrentV1, UploadedTorrent
from etracker_admin_api.use_cases.torrent_files import Downloads, Uploads

_KNOWN: dict[int | str, dict[str, Any]] = {200: {"model": UploadedTorrent, "description": "It was tracked already"}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}


def torrents_v1_router(
    uploads: Uploads, downloads: Downloads, lists: TorrentLists, roles: Roles, callers: Callers
) -> APIRouter:
    """Build the operators' upload, and the download that an announce key is good for."""
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
        """Track a torrent and keep its file: made private, its trackers, DHT nodes and web seeds removed."""
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
        """Download a torrent file with the announce URL of one's own key."""
        return await personal_file(downloads, announce_key, parse_info_hash(info_hash), callers, request)

    return router


async def _answer(lists: TorrentLists, torrent: Torrent, *, is_new: bool) -> UploadedTorrent:
    detail = await find(lists, torrent.info_hashes[0].hex())
    return UploadedTorrent(
        message=describe(torrent, is_new=is_new),
        torrent=TorrentV1.of(detail.row),
        info_hash_v1=torrent.v1.hex() if torrent.v1 else None,
        info_hash_v2=torrent.v2.hex() if torrent.v2 else None,
        changed=torrent.made_private,
    )
