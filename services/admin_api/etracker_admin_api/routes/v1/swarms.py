from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response, Security

from etracker_admin_api.domain.infohashes import parse_info_hash
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.domain.swarm_peers import Peer
from etracker_admin_api.ports import AuditLog, LiveCountsUnavailableError, SwarmPeers, TorrentLists
from etracker_admin_api.routes.problems import problems_v1
from etracker_admin_api.routes.roles import Roles
from etracker_admin_api.routes.v1.infohashes import find
from etracker_admin_api.routes.v1.models.swarms import PeerV1, SwarmV1
from etracker_admin_api.routes.v1.models.torrents import InfoHashPath
from etracker_admin_api.use_cases.swarm_peers import look_into_swarm


def swarms_router(swarms: SwarmPeers, lists: TorrentLists, log: AuditLog, roles: Roles) -> APIRouter:
    """Build ``GET /api/v1/infohashes/{info_hash:infohash}/peers``."""
    router = APIRouter(prefix="/api/v1/infohashes", tags=["infohashes"])
    operator = Security(roles.operator)

    @router.get("/{info_hash:infohash}/peers", responses=problems_v1(400, 401, 403, 404, 429, 503))
    async def show_peers(
        response: Response,
        info_hash: InfoHashPath,
        actor: Annotated[Actor, operator],
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> SwarmV1:
        """Show who is in the swarm of this infohash, which the audit log records; a hybrid's two are two swarms."""
        await find(lists, info_hash)
        try:
            view = await look_into_swarm(swarms, log, parse_info_hash(info_hash), limit, actor)
        except LiveCountsUnavailableError:
            raise HTTPException(503, "Redis doesn't answer. Try again in a moment.", {"Retry-After": "5"}) from None
        response.headers["Cache-Control"] = "no-store"
        items = [_write(peer) for peer in view.peers]
        return SwarmV1(items=items, seeders=view.seeders, leechers=view.leechers, truncated=view.truncated)

    return router


def _write(peer: Peer) -> PeerV1:
    return PeerV1(
        address=str(peer.address),
        address6=str(peer.address6) if peer.address6 else None,
        port=peer.port,
        port6=peer.port6,
        seeder=peer.seeder,
        partial=peer.partial,
        tier=peer.tier,
        guest=peer.guest,
        reachable=peer.reachable,
        client=peer.client,
        key_id=peer.key_id,
        first_seen=peer.first_seen,
        last_seen=peer.last_seen,
    )
