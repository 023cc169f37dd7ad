"""Who is in a swarm."""

from collections.abc import Sequence
from dataclasses import dataclass

from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.domain.swarm_peers import Peer, describe_peer
from etracker_admin_api.ports import AuditLog, SwarmPeers
from etracker_shared.identity import InfoHash


@dataclass(frozen=True, slots=True)
class SwarmView:
    """Some peers of a swarm, seeders first, and the counts of all of them."""

    peers: Sequence[Peer]
    seeders: int
    leechers: int
    truncated: bool


async def look_into_swarm(
    swarms: SwarmPeers, log: AuditLog, info_hash: InfoHash, limit: int, actor: Actor
) -> SwarmView:
    """Return the peers of one infohash's swarm, ``limit`` of them at most, once it is on record who reads them.

    Raises:
        LiveCountsUnavailableError: Redis can't be asked.
        DatabaseUnavailableError: Postgres can't record the read, or can't be asked whose keys they use.
    """
    await log.record_read(info_hash, actor)
    part = await swarms.part(info_hash, limit)
    key_ids = await swarms.key_ids([record.identity for record in part.records])
    described = (describe_peer(record, key_ids) for record in part.records)
    peers = [peer for peer in described if peer is not None]
    return SwarmView(peers, part.seeders, part.leechers, part.truncated)
