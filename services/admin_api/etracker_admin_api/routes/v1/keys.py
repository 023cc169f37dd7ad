from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response, Security

from etracker_admin_api.domain.announce_urls import announce_url
from etracker_admin_api.domain.keys import KeyRow, KeySort, parse_key_query
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.ports import AddressLimit, KeyRegister, Keys
from etracker_admin_api.routes.bodies import read_json
from etracker_admin_api.routes.callers import Callers
from etracker_admin_api.routes.problems import problems_v1
from etracker_admin_api.routes.roles import Roles
from etracker_admin_api.routes.v1.bodies import body
from etracker_admin_api.routes.v1.models.keys import Key, KeyChange, KeyList, KeyLookup, NewKey, RowId
from etracker_admin_api.routes.v1.paging import Cursor, Limit
from etracker_shared.identity import new_announce_key

_ID_OR_HASH = "^[0-9a-fA-F]{0,32}$"
NO_KEY = "There is no such key."


def own_keys_router(
    keys: Keys, register: KeyRegister, limit: AddressLimit, *, roles: Roles, callers: Callers, metrics: Metrics
) -> APIRouter:
    """Build what anybody may do with announce keys of their own."""
    router = APIRouter(prefix="/api/v1", tags=["keys"])
    key_holder = Security(roles.key_holder)

    async def fresh_key(request: Request) -> str:
        address = callers.limited_address(request)
        wait_seconds = 0 if address is None else await limit.take(address)
        if wait_seconds:
            metrics.keys.labels("limited").inc()
            message = "Your address has generated enough keys for now. Use one of them, or come back later."
            raise HTTPException(429, message, {"Retry-After": str(wait_seconds)})
        return new_announce_key()

    @router.post("/keys", status_code=201, responses=problems_v1(429, 503))
    async def generate_key(request: Request, response: Response) -> NewKey:
        """Make and register a fresh announce key; each address may have only so many an hour."""
        announce_key = await fresh_key(request)
        await keys.register(announce_key)
        metrics.keys.labels("generated").inc()
        return show_once(request, response, announce_key, callers)

    @router.post("/key/rotate", responses=problems_v1(401, 403, 429, 503))
    async def rotate_own_key(request: Request, response: Response, announce_key: Annotated[str, key_holder]) -> NewKey:
        """Replace one's own announce key: the old one stops working, the history stays."""
        fresh = await fresh_key(request)
        if not await register.rotate_own(announce_key, fresh):  # rotated or disabled since it was looked at
            raise HTTPException(403, "The announce key isn't registered. Generate one first.")
        return show_once(request, response, fresh, callers)

    return router


def operators_keys_router(register: KeyRegister, roles: Roles, callers: Callers) -> APIRouter:
    """Build what operators do with everybody's announce keys, which they never see."""
    router = APIRouter(prefix="/api/v1/keys", tags=["keys"])
    operator = Security(roles.operator)

    @router.get("", responses=problems_v1(400, 401, 403, 429, 503))
    async def list_keys(
        _actor: Annotated[Actor, operator],
        *,
        q: Annotated[
            str, Query(pattern="^[0-9a-fA-F]{0,32}$", description="an id, or what the key's hash starts with")
        ] = "",
        sort: KeySort = KeySort.CREATED_DESCENDING,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> KeyList:
        """List announce keys, a page at a time."""
        page = await register.page(parse_key_query(sort, limit, q, cursor))
        return KeyList.of(page.rows, page.following)

    @router.post("/lookup", responses=problems_v1(400, 401, 403, 404, 413, 429, 503), openapi_extra=body(KeyLookup))
    async def look_up_key(request: Request, _actor: Annotated[Actor, operator]) -> Key:
        """Tell whose announce key this is."""
        wanted = await read_json(request, KeyLookup)
        return _found(await register.look_up(wanted.announce_key))

    @router.get("/{key_id:int}", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def show_key(key_id: RowId, _actor: Annotated[Actor, operator]) -> Key:
        """Show a key."""
        return _found(await register.find(key_id))

    @router.patch(
        "/{key_id:int}", responses=problems_v1(400, 401, 403, 404, 413, 429, 503), openapi_extra=body(KeyChange)
    )
    async def change_key(request: Request, key_id: RowId, actor: Annotated[Actor, operator]) -> Key:
        """Disable a key, or enable it again; announces obey within a second."""
        wanted = await read_json(request, KeyChange)
        return _found(await register.set_disabled(key_id, actor, disabled=wanted.disabled))

    @router.post("/{key_id:int}/rotate", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def rotate_key(
        request: Request, response: Response, key_id: RowId, actor: Annotated[Actor, operator]
    ) -> NewKey:
        """Replace a key by a fresh one, which is shown this once; the history stays."""
        fresh = new_announce_key()
        if not await register.rotate(key_id, fresh, actor):
            raise HTTPException(404, NO_KEY)
        return show_once(request, response, fresh, callers)

    return router


def show_once(request: Request, response: Response, announce_key: str, callers: Callers) -> NewKey:
    """Answer with a secret that nobody on the way may keep."""
    response.headers["Cache-Control"] = "no-store"
    return NewKey(announce_key=announce_key, announce_url=announce_url(callers.origin(request), announce_key))


def _found(row: KeyRow | None) -> Key:
    if row is None:
        raise HTTPException(404, NO_KEY)
    return Key.of(row)
