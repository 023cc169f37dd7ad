"""What the detector's functions take and return."""

from collections.abc import Mapping
from typing import NamedTuple

from etracker_shared.agreements.anomalies import AnomalyState, Kind, Override, Verdict
from etracker_shared.agreements.facts import Event, FactFlag

Identity = bytes
"""A key's id in 8 bytes, big-endian, or a guest's key hash (16 bytes)."""


KEY_BYTES = 8


class Content(NamedTuple):
    """What is known about a torrent's content. Sizes are bytes, None if unknown. ``private``: BEP 27."""

    size: int | None = None
    piece_length: int | None = None
    private: bool = False


class Report(NamedTuple):
    """The counters of one announce, in bytes, or :data:`~etracker_shared.agreements.facts.UNKNOWN`."""

    at_ms: int
    uploaded: int
    downloaded: int
    left: int
    corrupt: int
    redundant: int
    event: Event


class Observation(NamedTuple):
    """An announce and the last one of its session.

    ``before``: None if the session began with this announce. ``same_place``: both came from the same address and port,
    or a counter fell compared with the last announce from there. ``place``: the address and port, hashed.
    ``uploaded``, ``downloaded``: what the announce adds to the session, in bytes, before any bound on what is
    plausible; reports of one counter over two address families add nothing twice.
    """

    now: Report
    before: Report | None
    same_place: bool
    uploaded: int
    downloaded: int
    peer_id: bytes
    port: int
    prefix: bytes
    flags: FactFlag
    suppressed: int
    place: int = 0


class Evidence(NamedTuple):
    """One finding against a key or guest.

    ``at``: Unix seconds. ``points``: added to the sum of its kind, except for ``C:upload``, whose points are a level:
    the highest one in a torrent counts. ``text``: for people, with the numbers of ``data`` in it.
    """

    at: int
    kind: Kind
    points: float
    info_hash_id: int
    text: str
    data: Mapping[str, float | int | str]
    block_from: int | None = None
    block_to: int | None = None
    peer_id: bytes | None = None
    prefix: bytes | None = None


class Suspicion(NamedTuple):
    """What the detector concludes about a key or guest; a row of ``anomalies``.

    ``points``: of each kind, as of ``at`` (Unix seconds). ``since``: when the state began.
    """

    state: AnomalyState = AnomalyState.OK
    verdict: Verdict | None = None
    score: float = 0.0
    points: Mapping[str, float] = {}
    at: int = 0
    since: int = 0
    evidence_at: int | None = None
    override: Override | None = None
    override_until: int | None = None


class Traffic(NamedTuple):
    """What one key or guest transferred in a torrent and a block, in bytes.

    ``received``: downloaded, corrupt and redundant bytes. ``dropped``: by how much ``left`` fell.
    """

    uploaded: int = 0
    received: int = 0
    dropped: int = 0


class Presence(NamedTuple):
    """In which blocks a key or guest announced: bit n stands for n blocks before ``block``.

    ``seeded``: with nothing left.
    """

    block: int
    present: int
    seeded: int


class SwarmBlock(NamedTuple):
    """The balance of a torrent in a block; a row of ``swarm_blocks``."""

    block: int
    uploaded: int
    received: int
    noise: float
    cusum: float
    onset: int | None
    trusted: bool
