from typing import Annotated

from fastapi import APIRouter, Query, Response, Security

from etracker_admin_api.actors import Actor
from etracker_admin_api.http.infohashes import InfoHashPath, not_tracked, parse_info_hash
from etracker_admin_api.http.problems import problems_v1
from etracker_admin_api.http.roles import Roles
from etracker_admin_api.swarms.models import SwarmV1
from etracker_admin_api.swarms.peers import describe_peer
from etracker_admin_api.swarms.store import SwarmStore
from etracker_shared.language.identity import InfoHash


def swarms_router(swarms: SwarmStore, roles: Roles) -> APIRouter:
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
        """List the peers in this infohash's swarm. The audit log records it.

        A hybrid torrent's two infohashes are two swarms.
        """
        wanted = parse_info_hash(info_hash)
        if not await swarms.is_tracked(wanted):
            raise not_tracked()
        await swarms.record_read(wanted, actor)
        response.headers["Cache-Control"] = "no-store"
        return await _read_swarm(swarms, wanted, limit)

    return router


async def _read_swarm(swarms: SwarmStore, info_hash: InfoHash, limit: int) -> SwarmV1:
    part = await swarms.part(info_hash, limit)
    key_ids = await swarms.key_ids([record.identity for record in part.records])
    described = (describe_peer(record, key_ids) for record in part.records)
    return SwarmV1(
        items=[peer for peer in described if peer is not None],
        seeders=part.seeders,
        leechers=part.leechers,
        truncated=part.truncated,
    )
