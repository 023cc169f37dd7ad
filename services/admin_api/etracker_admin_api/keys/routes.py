from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.corrections import amounts_of
from etracker_admin_api.http.bodies import body, read_json
from etracker_admin_api.http.callers import Callers
from etracker_admin_api.http.paging import Cursor, Limit, RowId
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.keys.corrections import KeyCorrections
from etracker_admin_api.keys.generation import KeyGenerator
from etracker_admin_api.keys.listing import KeySort, parse_key_query
from etracker_admin_api.keys.models import AnnounceOrigin, Key, KeyChange, KeyCorrection, KeyList, KeyLookup, NewKey
from etracker_admin_api.keys.recovery_codes import hash_code, new_recovery_code
from etracker_admin_api.keys.recovery_routes import show_once
from etracker_admin_api.keys.store import KeyStore
from etracker_shared.language.identity import new_announce_key


def own_keys_router(generator: KeyGenerator, callers: Callers) -> APIRouter:
    """Build the routes with which users get an announce key and its URL."""
    router = APIRouter(prefix="/api/v1", tags=["keys"])

    @router.post("/keys", status_code=201, responses=problems_v1(429, 503))
    async def generate_key(request: Request, response: Response) -> NewKey:
        """Generate and register a new announce key, with its recovery code. The number per address is limited."""
        code = new_recovery_code()
        announce_key = await generator.generate(request, hash_code(code))
        return show_once(request, response, announce_key, callers, code)

    @router.get("/announce_origin", responses=problems_v1(503))
    async def show_announce_origin(request: Request, response: Response) -> AnnounceOrigin:
        """Return where clients announce, for those who have a key already."""
        response.headers["Cache-Control"] = "no-store"
        return AnnounceOrigin(announce_origin=callers.announce_origin(request))

    return router


def operators_keys_router(keys: KeyStore, roles: Roles, callers: Callers) -> APIRouter:
    """Build the routes with which operators manage all announce keys, without seeing them."""
    router = APIRouter(prefix="/api/v1/keys", tags=["keys"])
    operator = Security(roles.operator)

    @router.get("", responses=problems_v1(400, 401, 403, 429, 503))
    async def list_keys(
        _actor: Annotated[Actor, operator],
        *,
        q: Annotated[
            str, Query(pattern="^[0-9a-fA-F]{0,32}$", description="a key's id, or the start of its hash")
        ] = "",
        sort: KeySort = KeySort.CREATED_DESCENDING,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> KeyList:
        """List announce keys, one page at a time."""
        return await keys.page(parse_key_query(sort, limit, q, cursor))

    @router.post("/lookup", responses=problems_v1(400, 401, 403, 404, 413, 429, 503), openapi_extra=body(KeyLookup))
    async def look_up_key(request: Request, _actor: Annotated[Actor, operator]) -> Key:
        """Look up an announce key."""
        wanted = await read_json(request, KeyLookup)
        return _found(await keys.look_up(wanted.announce_key))

    @router.get("/{key_id:int}", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def show_key(key_id: RowId, _actor: Annotated[Actor, operator]) -> Key:
        """Show a key."""
        return _found(await keys.find(key_id))

    @router.patch(
        "/{key_id:int}", responses=problems_v1(400, 401, 403, 404, 413, 429, 503), openapi_extra=body(KeyChange)
    )
    async def change_key(request: Request, key_id: RowId, actor: Annotated[Actor, operator]) -> Key:
        """Disable or enable a key. This takes effect within a second."""
        wanted = await read_json(request, KeyChange)
        return _found(await keys.set_disabled(key_id, actor, disabled=wanted.disabled))

    @router.post("/{key_id:int}/rotate", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def rotate_key(
        request: Request, response: Response, key_id: RowId, actor: Annotated[Actor, operator]
    ) -> NewKey:
        """Rotate a key finally. The new key is shown only once; history and recovery code are kept."""
        new_key = new_announce_key()
        if not await keys.rotate(key_id, new_key, actor):
            raise _not_found()
        return show_once(request, response, new_key, callers)

    return router


def key_corrections_router(keys: KeyStore, corrections: KeyCorrections, roles: Roles) -> APIRouter:
    """Build the route with which operators correct a key's statistics."""
    router = APIRouter(prefix="/api/v1/keys", tags=["keys"])
    operator = Security(roles.operator)

    @router.post(
        "/{key_id:int}/corrections",
        responses=problems_v1(400, 401, 403, 404, 413, 429, 503),
        openapi_extra=body(KeyCorrection),
    )
    async def correct_key(request: Request, key_id: RowId, actor: Annotated[Actor, operator]) -> Key:
        """Correct a key's statistics. Its score and tier change with its next announce.

        The statistics of torrents and of the tracker don't change: correct the torrents too.
        """
        wanted = await read_json(request, KeyCorrection)
        if not await corrections.correct(key_id, amounts_of(wanted), wanted.reason, actor):
            raise _not_found()
        return _found(await keys.find(key_id))

    return router


def _found(key: Key | None) -> Key:
    if key is None:
        raise _not_found()
    return key


def _not_found() -> HTTPException:
    return HTTPException(404, "Key not found.")
