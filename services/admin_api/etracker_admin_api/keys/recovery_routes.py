"""Routes with which holders recover a stolen key, and operators help them."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Request, Response, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.http.announce_urls import announce_url
from etracker_admin_api.http.bodies import body, read_json
from etracker_admin_api.http.callers import Callers
from etracker_admin_api.http.infohashes import parse_info_hash
from etracker_admin_api.http.paging import RowId
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import AnnounceKey, Roles, key_not_registered
from etracker_admin_api.keys.debts import KeyDebts
from etracker_admin_api.keys.disowning import Disowning as Disowner
from etracker_admin_api.keys.generation import KeyGenerator
from etracker_admin_api.keys.models import Key, NewKey
from etracker_admin_api.keys.recovery import RecoveryStore
from etracker_admin_api.keys.recovery_codes import hash_code, new_recovery_code
from etracker_admin_api.keys.recovery_models import (
    ClaimEntry,
    CodeEntry,
    DebtClearing,
    DebtList,
    Disowned,
    Disowning,
    EndedKey,
    NewAddressList,
    NewRecoveryRequest,
    Recovery,
    RecoveryCode,
)
from etracker_admin_api.keys.rotations import Rotations
from etracker_admin_api.keys.standings import Standings
from etracker_admin_api.keys.store import KeyStore

WRONG_CODE = "The recovery code is wrong."
NOT_A_FORMER_KEY = "No rotation of this announce key can be undone."


def rotations_router(rotations: Rotations, generator: KeyGenerator, roles: Roles, callers: Callers) -> APIRouter:
    """Build the routes with which a key is replaced, and brought back."""
    router = APIRouter(prefix="/api/v1/key", tags=["keys"])
    key_holder = Security(roles.key_holder)

    @router.post("/rotate", responses=problems_v1(401, 403, 409, 429, 503))
    async def rotate_own_key(request: Request, response: Response, announce_key: Annotated[str, key_holder]) -> NewKey:
        """Rotate your own announce key. The old key stops working; the history is kept.

        For some days the old key can undo this once, in case it was somebody else who rotated it. After that has
        happened, the key can only be rotated with its recovery code.
        """
        new_key = await generator.new_key(request)
        undo_until = await rotations.rotate(announce_key, new_key)
        if undo_until is None:  # rotated or disabled since it was checked
            raise key_not_registered()
        new = show_once(request, response, new_key, callers)
        return new.model_copy(update={"undo_until": undo_until})

    @router.get("/rotation", responses=problems_v1(401, 403, 429, 503))
    async def show_rotation(request: Request, response: Response, former_key: AnnounceKey) -> EndedKey:
        """Return when your former announce key was replaced, and until when it can undo that."""
        response.headers["Cache-Control"] = "no-store"
        ended = await rotations.find(_given(former_key))
        return ended or await roles.refuse(request, NOT_A_FORMER_KEY)

    @router.post("/rotation/undo", responses=problems_v1(401, 403, 409, 429, 503))
    async def undo_rotation(request: Request, response: Response, former_key: AnnounceKey) -> NewKey:
        """Bring back your former announce key, which somebody else has rotated. Their key stops working."""
        former_key = _given(former_key)
        await generator.count(request)
        if not await rotations.undo(former_key):
            await roles.refuse(request, NOT_A_FORMER_KEY)
        return show_once(request, response, former_key, callers)

    @router.post("/recover", responses=problems_v1(400, 403, 413, 429, 503), openapi_extra=body(CodeEntry))
    async def recover_key(request: Request, response: Response) -> NewKey:
        """Replace a stolen announce key, whatever it is now, with its recovery code. This can't be undone.

        The recovery code stays the same.
        """
        code_hash = hash_code((await read_json(request, CodeEntry)).recovery_code)
        new_key = await generator.new_key(request)
        if not await rotations.recover(code_hash, new_key):
            await roles.refuse(request, WRONG_CODE)
        return show_once(request, response, new_key, callers)

    return router


def recovery_router(recovery: RecoveryStore, generator: KeyGenerator, roles: Roles) -> APIRouter:
    """Build the routes with which the holder of a key without a recovery code gets one."""
    router = APIRouter(prefix="/api/v1/key/recovery", tags=["keys"])
    key_holder = Security(roles.key_holder)

    @router.get("", responses=problems_v1(401, 403, 429, 503))
    async def show_recovery(response: Response, announce_key: Annotated[str, key_holder]) -> Recovery:
        """Return how your key can be recovered, and whether somebody has asked for its recovery code."""
        response.headers["Cache-Control"] = "no-store"
        found = await recovery.show(announce_key)
        if found is None:
            raise key_not_registered()
        return found

    @router.post("/request", status_code=201, responses=problems_v1(401, 403, 409, 429, 503))
    async def ask_for_recovery_code(
        request: Request, response: Response, announce_key: Annotated[str, key_holder]
    ) -> NewRecoveryRequest:
        """Ask for a recovery code for your key. Everybody who has the key can see this, and object."""
        await generator.count(request)
        response.headers["Cache-Control"] = "no-store"
        made = await recovery.ask(announce_key)
        if made is None:
            raise key_not_registered()
        return made

    @router.delete("/request", status_code=204, responses=problems_v1(401, 403, 404, 429, 503))
    async def object_to_recovery_code(announce_key: Annotated[str, key_holder]) -> None:
        """Object to the request for a recovery code for your key, which ends it."""
        if not await recovery.object(announce_key):
            raise HTTPException(404, "Nobody has asked for a recovery code.")

    @router.post(
        "/code",
        responses=problems_v1(400, 401, 403, 404, 409, 413, 429, 503),
        openapi_extra=body(ClaimEntry),
    )
    async def claim_recovery_code(
        request: Request, response: Response, announce_key: Annotated[str, key_holder]
    ) -> RecoveryCode:
        """Get the recovery code that you asked for, once, after the time in which others could object."""
        claim = (await read_json(request, ClaimEntry)).claim
        await generator.count(request)
        response.headers["Cache-Control"] = "no-store"
        code = new_recovery_code()
        if not await recovery.claim(announce_key, claim, hash_code(code)):
            raise HTTPException(404, "This request has ended: somebody objected, or the key was rotated.")
        return RecoveryCode(recovery_code=code)

    return router


def disowning_router(disowner: Disowner, standings: Standings, roles: Roles) -> APIRouter:
    """Build the routes with which a holder disowns what others did with the key."""
    router = APIRouter(prefix="/api/v1/key", tags=["keys"])
    key_holder = Security(roles.key_holder)

    @router.get("/addresses", responses=problems_v1(401, 403, 429, 503))
    async def list_new_addresses(response: Response, announce_key: Annotated[str, key_holder]) -> NewAddressList:
        """List what was added to your key from addresses that are new to it, without the addresses."""
        response.headers["Cache-Control"] = "no-store"
        return NewAddressList(items=await disowner.addresses(announce_key))

    @router.post("/disown", responses=problems_v1(400, 401, 403, 409, 413, 429, 503), openapi_extra=body(Disowning))
    async def disown_sessions(request: Request, announce_key: Annotated[str, key_holder]) -> Disowned:
        """Take out of your key what sessions from new addresses added to it: debts, snatches and seeding alike.

        This takes the recovery code, and works once in 180 days. The statistics of torrents don't change.
        """
        wanted = await read_json(request, Disowning)
        code_hash = hash_code(wanted.recovery_code)
        report = await standings.find(announce_key)
        if report is None:
            raise key_not_registered()
        disowned = await disowner.disown(announce_key, code_hash, wanted.since, report.half_life_days)
        return disowned or await roles.refuse(request, WRONG_CODE)

    return router


def operators_recovery_router(recovery: RecoveryStore, debts: KeyDebts, keys: KeyStore, roles: Roles) -> APIRouter:
    """Build the routes with which operators give recovery codes and clear debts."""
    router = APIRouter(prefix="/api/v1/keys", tags=["keys"])
    operator = Security(roles.operator)

    @router.post("/{key_id:int}/recovery-code", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def give_recovery_code(response: Response, key_id: RowId, actor: Annotated[Actor, operator]) -> RecoveryCode:
        """Give a key a recovery code, which is shown only once. The one that it has stops working."""
        response.headers["Cache-Control"] = "no-store"
        code = new_recovery_code()
        if not await recovery.give(key_id, hash_code(code), actor):
            raise _not_found()
        return RecoveryCode(recovery_code=code)

    @router.get("/{key_id:int}/debts", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def list_debts(key_id: RowId, _actor: Annotated[Actor, operator]) -> DebtList:
        """List the seeding that a key owes."""
        if await keys.find(key_id) is None:
            raise _not_found()
        return DebtList(items=await debts.list(key_id))

    @router.post(
        "/{key_id:int}/debts/clear",
        responses=problems_v1(400, 401, 403, 404, 413, 429, 503),
        openapi_extra=body(DebtClearing),
    )
    async def clear_debts(request: Request, key_id: RowId, actor: Annotated[Actor, operator]) -> Key:
        """Clear a key's debts, of one torrent or all. Its score and tier change with its next announce."""
        wanted = await read_json(request, DebtClearing)
        info_hash = None if wanted.info_hash is None else parse_info_hash(wanted.info_hash)
        cleared = await debts.clear(key_id, info_hash, wanted.reason, actor)
        found = await keys.find(key_id) if cleared else None
        if found is None:
            raise _not_found()
        return found

    return router


def show_once(
    request: Request, response: Response, announce_key: str, callers: Callers, recovery_code: str | None = None
) -> NewKey:
    """Return a new key in a response that must not be cached."""
    response.headers["Cache-Control"] = "no-store"
    url = announce_url(callers.announce_origin(request), announce_key)
    return NewKey(announce_key=announce_key, announce_url=url, recovery_code=recovery_code)


def _given(former_key: str | None) -> str:
    if former_key is None:
        raise HTTPException(401, "An announce key is required in the X-Announce-Key header.")
    return former_key


def _not_found() -> HTTPException:
    return HTTPException(404, "Key not found.")
