from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.corrections import amounts_of
from etracker_admin_api.http.bodies import body, read_json
from etracker_admin_api.http.caching import LIST_SECONDS, NOT_MODIFIED, cacheable
from etracker_admin_api.http.infohashes import InfoHashPath, not_tracked, parse_info_hash
from etracker_admin_api.http.paging import Cursor, Limit
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.http.room import Room
from etracker_admin_api.torrent_file.names import check_name
from etracker_admin_api.torrents.bulk import add_in_bulk
from etracker_admin_api.torrents.corrections import TorrentCorrections
from etracker_admin_api.torrents.list_store import TorrentLists
from etracker_admin_api.torrents.listing import MAX_LINK, Sort, SwarmHealth, parse_query
from etracker_admin_api.torrents.models import (
    BulkResults,
    NewInfoHash,
    NewInfoHashes,
    NewName,
    TorrentCorrection,
    TorrentDetailV1,
    TorrentPage,
    TorrentV1,
)
from etracker_admin_api.torrents.store import TorrentStore

MAX_BULK_BYTES = 4 * 1024 * 1024


def public_router(lists: TorrentLists) -> APIRouter:
    """Build the public list and the public page of a torrent."""
    router = APIRouter(prefix="/api/v1/infohashes", tags=["infohashes"])

    @router.get("", response_model=TorrentPage, responses={**NOT_MODIFIED, **problems_v1(400, 503)})
    async def list_torrents(
        request: Request,
        *,
        q: Annotated[
            str,
            Query(
                max_length=MAX_LINK,
                description="words in the name, a magnet link, an infohash or at least its first 8 digits",
            ),
        ] = "",
        sort: Sort = Sort.ADDED_DESCENDING,
        health: SwarmHealth | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        """List tracked torrents, one page at a time, with search, filter and sort order."""
        return cacheable(request, await lists.page(parse_query(sort, limit, q, health, cursor)), LIST_SECONDS)

    @router.get(
        "/{info_hash:infohash}",
        response_model=TorrentDetailV1,
        responses={**NOT_MODIFIED, **problems_v1(400, 404, 503)},
    )
    async def show_torrent(request: Request, info_hash: InfoHashPath) -> Response:
        """Show a torrent by any of its infohashes."""
        return cacheable(request, await find(lists, info_hash), LIST_SECONDS)

    return router


def adding_router(
    store: TorrentStore, lists: TorrentLists, changed: Callable[[], None], roles: Roles, room: Room
) -> APIRouter:
    """Build the routes with which operators add infohashes."""
    router = APIRouter(prefix="/api/v1/infohashes", tags=["infohashes"])
    operator = Security(roles.operator)

    @router.post(
        "",
        status_code=201,
        responses={
            200: {"model": TorrentV1, "description": "It was already tracked"},
            **problems_v1(400, 401, 403, 413, 429, 503),
        },
        openapi_extra=body(NewInfoHash),
    )
    async def add_infohash_v1(request: Request, response: Response, actor: Annotated[Actor, operator]) -> TorrentV1:
        """Track an infohash. If it's already tracked, nothing changes and the status is 200."""
        wanted = await read_json(request, NewInfoHash)
        info_hash = parse_info_hash(wanted.info_hash)
        if await store.add(info_hash, check_name(wanted.name), actor):
            changed()
        else:
            response.status_code = 200
        return await find(lists, info_hash.hex())

    @router.post("/bulk", responses=problems_v1(400, 401, 403, 413, 429, 503), openapi_extra=body(NewInfoHashes))
    async def add_infohashes(request: Request, actor: Annotated[Actor, operator]) -> BulkResults:
        """Track up to 1,000 infohashes. Refused ones don't affect the others."""
        async with room.place():
            wanted = await read_json(request, NewInfoHashes, MAX_BULK_BYTES)
            results = await add_in_bulk(store, wanted.items, actor)
        changed()
        return BulkResults(results=results)

    return router


def changing_router(
    store: TorrentStore, corrections: TorrentCorrections, lists: TorrentLists, changed: Callable[[], None], roles: Roles
) -> APIRouter:
    """Build the routes with which operators rename, correct and remove torrents."""
    router = APIRouter(prefix="/api/v1/infohashes", tags=["infohashes"])
    operator = Security(roles.operator)

    @router.patch(
        "/{info_hash:infohash}", responses=problems_v1(400, 401, 403, 404, 413, 429, 503), openapi_extra=body(NewName)
    )
    async def rename_torrent(request: Request, info_hash: InfoHashPath, actor: Annotated[Actor, operator]) -> TorrentV1:
        """Rename a torrent. The name inside its file doesn't change."""
        wanted = await read_json(request, NewName)
        if not await store.rename(parse_info_hash(info_hash), check_name(wanted.name), actor):
            raise not_tracked()
        return await find(lists, info_hash)

    @router.delete("/{info_hash:infohash}", status_code=204, responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def remove_torrent(info_hash: InfoHashPath, actor: Annotated[Actor, operator]) -> None:
        """Stop tracking a torrent and delete its statistics."""
        if not await store.remove(parse_info_hash(info_hash), actor):
            raise not_tracked()
        changed()

    @router.post(
        "/{info_hash:infohash}/corrections",
        responses=problems_v1(400, 401, 403, 404, 413, 429, 503),
        openapi_extra=body(TorrentCorrection),
    )
    async def correct_torrent(
        request: Request, info_hash: InfoHashPath, actor: Annotated[Actor, operator]
    ) -> TorrentDetailV1:
        """Correct a torrent's statistics. The tracker's totals change equally; statistics of keys don't change."""
        wanted = await read_json(request, TorrentCorrection)
        if not await corrections.correct(parse_info_hash(info_hash), amounts_of(wanted), wanted.reason, actor):
            raise not_tracked()
        return await find(lists, info_hash)

    return router


async def find(lists: TorrentLists, info_hash: str) -> TorrentDetailV1:
    """Return a torrent.

    Raises:
        HTTPException: 404.
    """
    detail = await lists.find(parse_info_hash(info_hash))
    if detail is None:
        raise not_tracked()
    return detail
