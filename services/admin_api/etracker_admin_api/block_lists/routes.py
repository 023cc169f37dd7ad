import hashlib
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import PlainTextResponse

from etracker_admin_api.block_lists.formats import WHY, Form, format_list
from etracker_admin_api.block_lists.models import BlockedPeer, BlockList
from etracker_admin_api.block_lists.store import BlockListStore
from etracker_admin_api.errors import RedisUnavailableError
from etracker_admin_api.http.address_limit import OwnWindows
from etracker_admin_api.http.caching import NOT_MODIFIED, is_known
from etracker_admin_api.http.problems import RETRY_SECONDS, problems
from etracker_admin_api.metrics import Metrics
from etracker_shared.language.outages import PostgresUnavailableError

FRESH_SECONDS = 900

_HEADERS = {"Cache-Control": f"private, max-age={FRESH_SECONDS}", "Referrer-Policy": "no-referrer"}
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The list, never empty"}
}

Token = Annotated[str, Path(description="from the tracker's message; a secret")]


def block_lists_router(lists: BlockListStore, limit: OwnWindows, metrics: Metrics) -> APIRouter:
    """Build the routes that return block lists."""
    router = APIRouter(prefix="/api/blocklist", tags=["block lists"])

    async def answer(request: Request, token: str, form: Form) -> Response:
        if wait_seconds := limit.take(_name(token)):
            metrics.block_lists.labels(form, "limited").inc()
            return _refuse(429, "too many requests for this list", wait_seconds)
        try:
            peers = await lists.find(token)
        except (PostgresUnavailableError, RedisUnavailableError):
            return _refuse(503, "the list isn't available right now", RETRY_SECONDS)
        text = format_list(form, (peer.address for peer in peers))
        headers = {**_HEADERS, "ETag": f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'}
        unchanged = is_known(headers["ETag"], request.headers.get("if-none-match", ""))
        metrics.block_lists.labels(form, "unchanged" if unchanged else "listed" if peers else "empty").inc()
        return Response(status_code=304, headers=headers) if unchanged else PlainTextResponse(text, headers=headers)

    responses = {**_TEXT, **NOT_MODIFIED, **problems(429, 503)}

    @router.get("/{token}.txt", responses=responses, response_class=PlainTextResponse)
    async def block_list_txt(request: Request, token: Token) -> Response:
        """Return the peers to block, one address per line, for PeerBanHelper.

        The response to a wrong or expired token is a list without peers.
        """
        return await answer(request, token, Form.TXT)

    @router.get("/{token}.p2p", responses=responses, response_class=PlainTextResponse)
    async def block_list_p2p(request: Request, token: Token) -> Response:
        """Return the peers to block as ranges with names, for Transmission, Deluge and BiglyBT. IPv4 only.

        The response to a wrong or expired token is a list without peers.
        """
        return await answer(request, token, Form.P2P)

    @router.get("/{token}.dat", responses=responses, response_class=PlainTextResponse)
    async def block_list_dat(request: Request, token: Token) -> Response:
        """Return the peers to block in eMule's format, for qBittorrent.

        The response to a wrong or expired token is a list without peers.
        """
        return await answer(request, token, Form.DAT)

    return router


def block_list_page_router(lists: BlockListStore, limit: OwnWindows, metrics: Metrics) -> APIRouter:
    """Build the route from which a page shows a block list."""
    router = APIRouter(prefix="/api/blocklist", tags=["block lists"])

    @router.get("/{token}", responses=problems(429, 503))
    async def show_block_list(response: Response, token: Token) -> BlockList:
        """Return the peers to block and where the lists for programs are.

        The response to a wrong or expired token is a list without peers.
        """
        if wait_seconds := limit.take(_name(token)):
            metrics.block_lists.labels("json", "limited").inc()
            message = "This block list was requested too often. Try again later."
            raise HTTPException(429, message, {"Retry-After": str(wait_seconds)})
        peers = await lists.find(token)
        response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        metrics.block_lists.labels("json", "listed" if peers else "empty").inc()
        shown = [BlockedPeer(address=str(peer.address), port=peer.port, why=WHY, given=peer.given) for peer in peers]
        return BlockList(peers=shown, **{form.value: f"/api/blocklist/{quote(token, safe='')}.{form}" for form in Form})

    return router


def _name(token: str) -> str:
    """Return the name under which a token is counted: a secret isn't kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _refuse(status: int, why: str, wait_seconds: int) -> Response:
    """Respond without a list. PeerBanHelper reads the body as one, and keeps its old list only if it has no entries."""
    return PlainTextResponse(f"# etracker: {why}, try again later\n", status, {"Retry-After": str(wait_seconds)})
