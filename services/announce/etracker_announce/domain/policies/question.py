"""What a policy is asked: whom to introduce to this asker, now."""

from typing import NamedTuple

from etracker_announce.domain.swarm import Role


class Asker(NamedTuple):
    """Who asks. ``identity``, ``pair_hash``, ``tier`` and ``first_seen`` as in a swarm's records.

    ``share``: what scoring grants under a list policy, in that policy's own unit.
    """

    identity: int
    pair_hash: int
    tier: int
    role: Role
    first_seen: int
    share: float


class Question(NamedTuple):
    """``torrent_length``: bytes or None. ``seed``: 32 bits, the same for an interval. ``now``: Unix seconds.

    ``seeders``: how many seed the torrent, if a seeder isn't shown them because they are too many.
    """

    asker: Asker
    numwant: int
    torrent_length: int | None
    seed: int
    now: int
    seeders: int = 0
