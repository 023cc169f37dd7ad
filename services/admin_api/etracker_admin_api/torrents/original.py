import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response, Security
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from etracker_admin_api.actors import Actor
from etracker_admin_api.http.bodies import read_json
from etracker_admin_api.http.infohashes import BASE64_EXAMPLE, not_tracked, parse_info_hash, to_base64
from etracker_admin_api.http.problems import problems
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.torrent_file.names import check_name
from etracker_admin_api.torrents.store import ListedTorrent, TorrentStore


class TorrentAnswer(BaseModel):
    """One tracked torrent. Seeders and leechers are at most a minute old."""

    name: str
    downloaded: int = Field(description="completed downloads")
    seeders: int
    leechers: int
    info_hash: str = Field(description="base64", examples=[BASE64_EXAMPLE])


class InfoHashRequest(BaseModel):
    """``info_hash``: 20 bytes in base64; hex is accepted too."""

    info_hash: str = Field(examples=[BASE64_EXAMPLE])
    name: str = ""


class Done(BaseModel):
    """What happened, in one sentence."""

    message: str


_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": InfoHashRequest.model_json_schema()}}}
}


def original_router(store: TorrentStore, changed: Callable[[], None], roles: Roles) -> APIRouter:
    """Build the original API's public list, and its restricted routes that add and remove infohashes."""
    operator = Security(roles.original_operator)
    router = APIRouter(tags=["infohashes"])

    @router.get(
        "/api/infohashes",
        response_class=StreamingResponse,
        responses={200: {"model": list[TorrentAnswer]}, **problems(503)},
    )
    async def list_infohashes() -> StreamingResponse:
        """List every tracked torrent, streamed in the order they were added."""
        batches = aiter(store.stream())
        first = await anext(batches, None)  # before the status is sent, which has to be 503 if Postgres is down
        return StreamingResponse(_json_list(first or [], batches), media_type="application/json")

    @router.post(
        "/api/infohash",
        status_code=201,
        responses={200: {"model": Done, "description": "It was already tracked"}, **problems(400, 401, 403, 413, 503)},
        openapi_extra=_BODY,
    )
    async def add_infohash(request: Request, response: Response, actor: Annotated[Actor, operator]) -> Done:
        """Track an infohash. If it's already tracked, nothing changes and the status is 200."""
        wanted = await read_json(request, InfoHashRequest)
        info_hash = parse_info_hash(wanted.info_hash)
        if await store.add(info_hash, check_name(wanted.name), actor):
            changed()
            return Done(message="The infohash is now tracked.")
        response.status_code = 200
        return Done(message="The infohash was already tracked.")

    @router.delete(
        "/api/infohash",
        responses=problems(400, 401, 403, 404, 413, 503),
        openapi_extra={**_BODY, "requestBody": {**_BODY["requestBody"], "required": False}},
    )
    async def remove_infohash(
        request: Request, actor: Annotated[Actor, operator], info_hash: str | None = None
    ) -> Done:
        """Stop tracking a torrent, identified by any of its infohashes in the body or the query."""
        text = (await read_json(request, InfoHashRequest)).info_hash if info_hash is None else info_hash
        if not await store.remove(parse_info_hash(text), actor):
            raise not_tracked()
        changed()
        return Done(message="The infohash is no longer tracked.")

    return router


async def _json_list(
    first: Sequence[ListedTorrent], batches: AsyncIterator[Sequence[ListedTorrent]]
) -> AsyncIterator[str]:
    yield "[" + _json_items(first)
    async for batch in batches:
        yield "," + _json_items(batch)
    yield "]"


def _json_items(batch: Sequence[ListedTorrent]) -> str:
    """Encode the rows of a batch without the surrounding brackets."""
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
