import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response, Security
from fastapi.responses import StreamingResponse

from etracker_admin_api.domain.catalogue import ListedTorrent
from etracker_admin_api.domain.infohashes import parse_info_hash, to_base64
from etracker_admin_api.domain.names import check_name
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.ports import Catalogue
from etracker_admin_api.routes.bodies import read_json
from etracker_admin_api.routes.models import Done, InfoHashRequest, TorrentAnswer
from etracker_admin_api.routes.problems import problems
from etracker_admin_api.routes.roles import Roles

_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": InfoHashRequest.model_json_schema()}}}
}


def infohashes_router(catalogue: Catalogue, changed: Callable[[], None], roles: Roles) -> APIRouter:
    """Build the public list, and the restricted routes that add and remove infohashes."""
    operator = Security(roles.original_operator)
    router = APIRouter(tags=["infohashes"])

    @router.get(
        "/api/infohashes",
        response_class=StreamingResponse,
        responses={200: {"model": list[TorrentAnswer]}, **problems(503)},
    )
    async def list_infohashes() -> StreamingResponse:
        """List every tracked torrent, streamed in the order in which they were added."""
        batches = aiter(catalogue.stream())
        first = await anext(batches, None)  # before the status is sent: while Postgres is down it must be 503
        return StreamingResponse(_json_list(first or [], batches), media_type="application/json")

    @router.post(
        "/api/infohash",
        status_code=201,
        responses={200: {"model": Done, "description": "It was tracked already"}, **problems(400, 401, 403, 413, 503)},
        openapi_extra=_BODY,
    )
    async def add_infohash(request: Request, response: Response, actor: Annotated[Actor, operator]) -> Done:
        """Track an infohash; repeating it changes nothing and answers 200."""
        wanted = await read_json(request, InfoHashRequest)
        info_hash = parse_info_hash(wanted.info_hash)
        if await catalogue.add(info_hash, check_name(wanted.name), actor):
            changed()
            return Done(message="The infohash is tracked now.")
        response.status_code = 200
        return Done(message="The infohash was tracked already.")

    @router.delete(
        "/api/infohash",
        responses=problems(400, 401, 403, 404, 413, 503),
        openapi_extra={**_BODY, "requestBody": {**_BODY["requestBody"], "required": False}},
    )
    async def remove_infohash(
        request: Request, actor: Annotated[Actor, operator], info_hash: str | None = None
    ) -> Done:
        """Stop tracking a torrent, named by any of its infohashes: in the body, or in the query."""
        text = (await read_json(request, InfoHashRequest)).info_hash if info_hash is None else info_hash
        if not await catalogue.remove(parse_info_hash(text), actor):
            raise HTTPException(404, "The infohash isn't tracked.")
        changed()
        return Done(message="The infohash isn't tracked any more.")

    return router


async def _json_list(
    first: Sequence[ListedTorrent], batches: AsyncIterator[Sequence[ListedTorrent]]
) -> AsyncIterator[str]:
    yield "[" + _json_items(first)
    async for batch in batches:
        yield "," + _json_items(batch)
    yield "]"


def _json_items(batch: Sequence[ListedTorrent]) -> str:
    """Encode the batch's rows, without the brackets round them."""
    rows = [
        {
            "name": torrent.name,
            "downloaded": torrent.downloaded,
            "seeders": torrent.seeders,
            "leechers": torrent.leechers,
            "info_hash": to_base64(torrent.info_hash),
        }
        for torrent in batch
    ]
    return json.dumps(rows, separators=(",", ":"))[1:-1]
