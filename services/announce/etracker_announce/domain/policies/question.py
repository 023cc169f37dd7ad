"""The question that a policy answers: which peers does this asker get now?"""

from typing import NamedTuple

from etracker_announce.domain.swarm import Role


class Asker(NamedTuple):
    """The peer that asks. ``identity``, ``pair_hash``, ``tier`` and ``first_seen`` are as in a swarm's records.

    ``share``: what scoring grants under a list policy, in that policy's own unit.
    """

    identity: int
    pair_hash: int
    tier: int
    role: Role
    first_seen: int
    share: float


class Question(NamedTuple):
    """``torrent_length``: bytes or None. ``seed``: 32 bits, the same during an interval. ``now``: Unix seconds.

    ``seeders``: how many seeders the torrent has, if the asker seeds and its candidates include only some of them.
    ``leechers``: how many leechers the torrent has; 0 if that isn't known.
    """

    asker: Asker
    numwant: int
    torrent_length: int | None
    seed: int
    now: int
    seeders: int = 0
    leechers: int = 0
