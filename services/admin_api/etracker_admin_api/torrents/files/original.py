from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response, Security
from pydantic import BaseModel, Field

from etracker_admin_api.actors import Actor
from etracker_admin_api.http.bodies import read_upload
from etracker_admin_api.http.callers import Callers
from etracker_admin_api.http.infohashes import BASE64_EXAMPLE, parse_info_hash, to_base64
from etracker_admin_api.http.problems import problems
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.torrent_file.parsing import ParsedTorrent
from etracker_admin_api.torrents.files.downloads import Downloads
from etracker_admin_api.torrents.files.responses import FORM, MEDIA_TYPE, describe, personal_file
from etracker_admin_api.torrents.files.uploads import Uploads


class UploadAnswer(BaseModel):
    """The torrent as it is now tracked.

    ``changed``: the upload wasn't private, so it was made private and its infohashes changed. Download the torrent file
    from here and seed that one.
    """

    message: str
    name: str
    length: int = Field(description="bytes of content")
    info_hash: str = Field(description="base64; the v1 infohash, or the truncated v2 one", examples=[BASE64_EXAMPLE])
    info_hash_v1: str | None = Field(description="hex, 40 digits")
    info_hash_v2: str | None = Field(description="hex, 64 digits")
    changed: bool


def original_files_router(uploads: Uploads, downloads: Downloads, roles: Roles, callers: Callers) -> APIRouter:
    """Build the original API's restricted upload, and its download for key holders."""
    operator = Security(roles.original_operator)
    router = APIRouter(tags=["torrent files"])

    @router.post(
        "/api/torrentfile",
        status_code=201,
        responses={
            200: {"model": UploadAnswer, "description": "It was already tracked"},
            **problems(400, 401, 403, 413, 503),
        },
        openapi_extra=FORM,
    )
    async def upload(request: Request, response: Response, actor: Annotated[Actor, operator]) -> UploadAnswer:
        """Track a torrent and store its file, made private and stripped of its trackers, DHT nodes and web seeds."""
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
        """Download a torrent file that contains the key's announce URL.

        ``info_hash``: any of the torrent's infohashes, in hex.
        """
        wanted = parse_info_hash(info_hash)
        await roles.check_announce_key(request, announce_key)
        return await personal_file(downloads, announce_key, wanted, callers, request)

    return router


def _answer(torrent: ParsedTorrent, *, is_new: bool) -> UploadAnswer:
    return UploadAnswer(
        message=describe(torrent, is_new=is_new),
        name=torrent.name,
        length=torrent.length,
        info_hash=to_base64(torrent.info_hashes[0]),
        info_hash_v1=torrent.v1.hex() if torrent.v1 else None,
        info_hash_v2=torrent.v2.hex() if torrent.v2 else None,
        changed=torrent.made_private,
    )
