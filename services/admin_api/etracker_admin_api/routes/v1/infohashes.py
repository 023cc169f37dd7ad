from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response, Security

from etracker_admin_api.domain.infohashes import parse_info_hash
from etracker_admin_api.domain.listing import Sort, SwarmHealth, TorrentDetail, parse_query
from etracker_admin_api.domain.names import check_name
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.ports import Catalogue, TorrentLists
from etracker_admin_api.routes.bodies import read_json
from etracker_admin_api.routes.problems import problems_v1
from etracker_admin_api.routes.roles import Roles
from etracker_admin_api.routes.v1.bodies import body
from etracker_admin_api.routes.v1.caching import LIST_SECONDS, NOT_MODIFIED, cacheable
from etracker_admin_api.routes.v1.models.torrents import (
    BulkResults,
    InfoHashPath,
    NewInfoHash,
    NewInfoHashes,
    NewName,
    TorrentDetailV1,
    TorrentPage,
    TorrentV1,
)
from etracker_admin_api.routes.v1.paging import Cursor, Limit
from etracker_admin_api.use_cases.bulk import add_in_bulk
from etracker_admin_api.use_cases.room import Room

MAX_BULK_BYTES = 4 * 1024 * 1024


def public_infohashes_router(lists: TorrentLists) -> APIRouter:
    """Build the list that everybody sees."""
    router = APIRouter(prefix="/api/v1/infohashes", tags=["infohashes"])

    @router.get("", response_model=TorrentPage, responses={**NOT_MODIFIED, **problems_v1(400, 503)})
    async def list_torrents(
        request: Request,
        *,
        q: Annotated[str, Query(max_length=200, description="words in the name, or an infohash from 8 digits on")] = "",
        sort: Sort = Sort.ADDED_DESCENDING,
        health: SwarmHealth | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        """List tracked torrents: searched, filtered and sorted, a page at a time."""
        page = await lists.page(parse_query(sort, limit, q, health, cursor))
        answer = TorrentPage(items=[TorrentV1.of(row) for row in page.rows], next=page.following)
        return cacheable(request, answer, LIST_SECONDS)

    @router.get(
        "/{info_hash:infohash}",
        response_model=TorrentDetailV1,
        responses={**NOT_MODIFIED, **problems_v1(400, 404, 503)},
    )
    async def show_torrent(request: Request, info_hash: InfoHashPath) -> Response:
        """Show a torrent by any of its infohashes."""
        answer = TorrentDetailV1.of_detail(await find(lists, info_hash))
        return cacheable(request, answer, LIST_SECONDS)

    return router


def added_infohashes_router(
    catalogue: Catalogue, lists: TorrentLists, changed: Callable[[], None], roles: Roles, room: Room
) -> APIRouter:
    """Build what operators add infohashes with."""
    router = APIRouter(prefix="/api/v1/infohashes", tags=["infohashes"])
    operator = Security(roles.operator)

    @router.post(
        "",
        status_code=201,
        responses={
            200: {"model": TorrentV1, "description": "It was tracked already"},
            **problems_v1(400, 401, 403, 413, 429, 503),
        },
        openapi_extra=body(NewInfoHash),
    )
    async def add_infohash_v1(request: Request, response: Response, actor: Annotated[Actor, operator]) -> TorrentV1:
        """Track an infohash; repeating it changes nothing and answers 200."""
        wanted = await read_json(request, NewInfoHash)
        info_hash = parse_info_hash(wanted.info_hash)
        if await catalogue.add(info_hash, check_name(wanted.name), actor):
            changed()
        else:
            response.status_code = 200
        return TorrentV1.of((await find(lists, info_hash.hex())).row)

    @router.post("/bulk", responses=problems_v1(400, 401, 403, 413, 429, 503), openapi_extra=body(NewInfoHashes))
    async def add_infohashes(request: Request, actor: Annotated[Actor, operator]) -> BulkResults:
        """Track up to 1,000 infohashes; those that are refused don't keep the others from being tracked."""
        async with room.place():
            wanted = await read_json(request, NewInfoHashes, MAX_BULK_BYTES)
            outcomes = await add_in_bulk(catalogue, [(item.info_hash, item.name) for item in wanted.items], actor)
        changed()
        return BulkResults.of(outcomes)

    return router


def listed_infohashes_router(
    catalogue: Catalogue, lists: TorrentLists, changed: Callable[[], None], roles: Roles
) -> APIRouter:
    """Build what operators do with an infohash that is listed."""
    router = APIRouter(prefix="/api/v1/infohashes", tags=["infohashes"])
    operator = Security(roles.operator)

    @router.patch(
        "/{info_hash:infohash}", responses=problems_v1(400, 401, 403, 404, 413, 429, 503), openapi_extra=body(NewName)
    )
    async def rename_torrent(request: Request, info_hash: InfoHashPath, actor: Annotated[Actor, operator]) -> TorrentV1:
        """Give a torrent another name; its file keeps the one it has."""
        wanted = await read_json(request, NewName)
        if not await catalogue.rename(parse_info_hash(info_hash), check_name(wanted.name), actor):
            raise HTTPException(404, "The infohash isn't tracked.")
        return TorrentV1.of((await find(lists, info_hash)).row)

    @router.delete("/{info_hash:infohash}", status_code=204, responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def remove_torrent(info_hash: InfoHashPath, actor: Annotated[Actor, operator]) -> None:
        """Stop tracking a torrent, with its statistics."""
        if not await catalogue.remove(parse_info_hash(info_hash), actor):
            raise HTTPException(404, "The infohash isn't tracked.")
        changed()

    return router


async def find(lists: TorrentLists, info_hash: str) -> TorrentDetail:
    """Return a torrent.

    Raises:
        HTTPException: 404.
    """
    detail = await lists.find(parse_info_hash(info_hash))
    if detail is None:
        raise HTTPException(404, "The infohash isn't tracked.")
    return detail
