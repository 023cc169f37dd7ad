"""What was transferred in each torrent and block: sums over a batch, added to the stored ones in one statement.

``traffic_blocks`` is a ring of days. Facts of days whose part of the ring may be in use for other days are ignored.
"""

from collections.abc import Iterable

from etracker_scoring.detection.records import Identity, Traffic
from etracker_scoring.worker.store import Rows
from etracker_scoring.worker.sums import capped
from etracker_scoring.worker.traffic_ring import KEPT_BLOCKS, slot_of
from etracker_shared.agreements.facts import MAX_COUNTER

TrafficKey = tuple[int, int, int, Identity]
"""Slot, block, torrent, and key or guest."""


def _sum(column: str) -> str:
    return (
        f"{column} = CASE WHEN stored.{column} > {MAX_COUNTER} - excluded.{column} THEN {MAX_COUNTER} "
        f"ELSE stored.{column} + excluded.{column} END"
    )


ADD_TRAFFIC = f"""
INSERT INTO traffic_blocks AS stored (slot, block, info_hash_id, identity, uploaded, received, dropped)
SELECT * FROM unnest($1::smallint[], $2::int[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[])
ON CONFLICT (slot, block, info_hash_id, identity) DO UPDATE SET {_sum("uploaded")}, {_sum("received")},
    {_sum("dropped")}
"""  # noqa: S608 - made of this code's own words


class TrafficSums:
    """Traffic of a batch. ``latest``: the current block; later ones are ignored, as clocks differ by less."""

    def __init__(self, latest: int) -> None:
        self._blocks = range(latest - KEPT_BLOCKS, latest + 2)
        self.sums: dict[TrafficKey, Traffic] = {}

    def add(self, info_hash_id: int, identity: Identity, traffic: Iterable[tuple[int, Traffic]]) -> None:
        """Add what an announce is worth."""
        for block, added in traffic:
            if block in self._blocks:
                key = (slot_of(block), block, info_hash_id, identity)
                before = self.sums.get(key)
                self.sums[key] = _add(before, added) if before or max(added) > MAX_COUNTER else added


def _add(before: Traffic | None, added: Traffic) -> Traffic:
    return Traffic._make(capped(sum(pair)) for pair in zip(before or Traffic(), added, strict=True))


async def store_traffic(sums: TrafficSums, rows: Rows) -> None:
    """Add sums to the stored ones."""
    await rows.write("traffic_blocks", ADD_TRAFFIC, [(*key, *traffic) for key, traffic in sorted(sums.sums.items())])
