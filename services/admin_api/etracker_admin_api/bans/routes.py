import asyncio
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.bans.lines import ParsedLines, parse_lines
from etracker_admin_api.bans.listing import parse_ban_query
from etracker_admin_api.bans.models import (
    Ban,
    BanChange,
    BanList,
    ImportResult,
    LiftedBans,
    LiftResult,
    NewBan,
    NewBans,
)
from etracker_admin_api.bans.patterns import BanKind, doubt, parse_pattern
from etracker_admin_api.bans.store import BanStore, Terms
from etracker_admin_api.http.bodies import body, read_json
from etracker_admin_api.http.callers import Callers
from etracker_admin_api.http.paging import Cursor, Limit, RowId
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.http.room import Room

MAX_LIST_BYTES = 8 * 1024 * 1024
"""Holds 100,000 IPv6 networks written in full, with room for comments."""


def bans_router(bans: BanStore, roles: Roles, callers: Callers) -> APIRouter:
    """Build the routes with which operators see bans and add single ones."""
    router = APIRouter(prefix="/api/v1/bans", tags=["bans"])
    operator = Security(roles.operator)

    @router.get("", responses=problems_v1(400, 401, 403, 429, 503))
    async def list_bans(
        _actor: Annotated[Actor, operator],
        *,
        q: Annotated[
            str,
            Query(
                max_length=200,
                pattern=r"^[^\u0000]*$",
                description="an address, a network, the start of a peer_id or infohash, words of a reason, an operator",
            ),
        ] = "",
        kind: BanKind | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> BanList:
        """List bans, newest first. A search for an address finds the bans that apply to it."""
        return await bans.page(parse_ban_query(limit, q, kind, cursor))

    @router.post(
        "",
        status_code=201,
        responses={
            200: {"model": Ban, "description": "It was already banned for as long"},
            **problems_v1(400, 401, 403, 409, 413, 429, 503),
        },
        openapi_extra=body(NewBan),
    )
    async def add_ban(request: Request, response: Response, actor: Annotated[Actor, operator]) -> Ban:
        """Ban a network, a client or a torrent. This takes effect within a second.

        An existing ban that ends later stays as it is. 409: the ban looks like a mistake and needs `confirm`.
        """
        wanted = await read_json(request, NewBan)
        pattern = parse_pattern(wanted.kind, wanted.value)
        if not wanted.confirm and (why := doubt(pattern, callers.address(request))):
            raise HTTPException(409, f"{why} Confirm that you want to ban it.")
        ban, changed = await bans.add(pattern, Terms(wanted.reason, wanted.expires), actor)
        if not changed:
            response.status_code = 200
        return ban

    return router


def changing_bans_router(bans: BanStore, roles: Roles) -> APIRouter:
    """Build the routes with which operators change and lift single bans."""
    router = APIRouter(prefix="/api/v1/bans", tags=["bans"])
    operator = Security(roles.operator)

    @router.patch(
        "/{ban_id:int}", responses=problems_v1(400, 401, 403, 404, 413, 429, 503), openapi_extra=body(BanChange)
    )
    async def change_ban(request: Request, ban_id: RowId, actor: Annotated[Actor, operator]) -> Ban:
        """Change the reason or the end of a ban. This takes effect within a second."""
        wanted = await read_json(request, BanChange)
        ban = await bans.change(ban_id, wanted.model_dump(include=wanted.model_fields_set), actor)
        if ban is None:
            raise _not_found()
        return ban

    @router.delete("/{ban_id:int}", status_code=204, responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def lift_ban(ban_id: RowId, actor: Annotated[Actor, operator]) -> None:
        """Lift a ban. This takes effect within a second."""
        if not await bans.remove(ban_id, actor):
            raise _not_found()

    return router


def ban_lists_router(bans: BanStore, roles: Roles, callers: Callers, room: Room) -> APIRouter:
    """Build the routes with which operators import lists of bans, and lift them again."""
    router = APIRouter(prefix="/api/v1/bans", tags=["bans"])
    operator = Security(roles.operator)

    @router.post("/import", responses=problems_v1(400, 401, 403, 413, 429, 503), openapi_extra=body(NewBans))
    async def import_bans(request: Request, actor: Annotated[Actor, operator]) -> ImportResult:
        """Ban everything in a list, up to 8 MiB. Refused lines don't affect the others."""
        async with room.place():
            wanted = await read_json(request, NewBans, MAX_LIST_BYTES)
            parsed = await _parse(wanted.kind, wanted.lines, request, confirmed=wanted.confirm)
            terms = Terms(wanted.reason, wanted.expires)
            added = await bans.add_all(wanted.kind, list(parsed.patterns), terms, actor)
        return ImportResult(
            added=added.new,
            extended=added.extended,
            known=added.known,
            refused=parsed.refused,
            unconfirmed=parsed.unconfirmed,
            problems=parsed.problems,
        )

    @router.post("/lift", responses=problems_v1(400, 401, 403, 413, 429, 503), openapi_extra=body(LiftedBans))
    async def lift_bans(request: Request, actor: Annotated[Actor, operator]) -> LiftResult:
        """Lift the bans on everything in a list, for example one that was imported."""
        async with room.place():
            wanted = await read_json(request, LiftedBans, MAX_LIST_BYTES)
            parsed = await _parse(wanted.kind, wanted.lines, request, confirmed=True)
            lifted = await bans.remove_all(wanted.kind, list(parsed.patterns), actor)
        unknown = len(parsed.patterns) - lifted
        return LiftResult(lifted=lifted, unknown=unknown, refused=parsed.refused, problems=parsed.problems)

    async def _parse(kind: BanKind, lines: str, request: Request, *, confirmed: bool) -> ParsedLines:
        # In a thread, so that other requests are answered during the seconds that a long list takes.
        return await asyncio.to_thread(parse_lines, kind, lines, callers.address(request), confirmed=confirmed)

    return router


def _not_found() -> HTTPException:
    return HTTPException(404, "Ban not found.")
