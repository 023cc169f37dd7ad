"""How many address prefixes seed a torrent: the clients at one site are worth only one to the swarm, guests nothing."""

from etracker_announce.domain.swarm import PeerFlag, Records

MOST_PREFIXES = 16
"""Counting stops here: a torrent with this many prefixes is safe."""

LOOKED_AT = 64
_SEEDING = int(PeerFlag.SEEDER)
_FLAGS = int(PeerFlag.SEEDER | PeerFlag.UNREACHABLE | PeerFlag.GUEST)


def count_seeding_prefixes(candidates: Records, oldest_seen: int) -> int:
    """Count the distinct prefixes of reachable seeders with a key, up to :data:`MOST_PREFIXES`.

    Guests don't count: anybody could lower what a key earns by pretending to seed as one. Endpoints last seen before
    ``oldest_seen`` have expired. A peer on both families counts by its IPv4 address.
    """
    seeders = candidates.take((candidates["flags"] & _FLAGS == _SEEDING).nonzero()[0][:LOOKED_AT])
    over4 = seeders["seen4"] >= oldest_seen
    over6 = ~over4 & (seeders["seen6"] >= oldest_seen)
    prefixes = {endpoint[:3] for endpoint in seeders["endpoint4"][over4].tolist()}
    prefixes |= {endpoint[:6] for endpoint in seeders["endpoint6"][over6].tolist()}
    return min(len(prefixes), MOST_PREFIXES)
