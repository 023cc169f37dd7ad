"""Torrents: sums over all peers of each torrent, and over the whole tracker. New snatches are published to swarms."""

from collections.abc import Iterable
from typing import NamedTuple

from etracker_scoring.worker.batch import Batch, SettledFact
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.store import Rows
from etracker_scoring.worker.sums import Sums, capped_addition
from etracker_scoring.worker.swarms import RedisSwarms, Snatches
from etracker_shared.language.identity import InfoHash

# An update locks rows in whatever order Postgres' plan meets them, and two workers that meet the same rows in different
# orders would wait for each other.
LOCK_TORRENTS = "SELECT 1 FROM infohashes WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE"

# ``seeders`` is set to itself: if a statement sets no column that ``health`` is generated from, Postgres parses the
# expression of ``health`` again for each row (docs/adr/0042).
ADD_TO_TORRENTS = f"""
UPDATE infohashes stored SET seeders = stored.seeders, downloaded = stored.downloaded + added.snatches,
    {capped_addition("uploaded_bytes")}, {capped_addition("downloaded_bytes")}, {capped_addition("seeding_seconds")},
    last_seen = greatest(stored.last_seen, to_timestamp(added.last_seen)),
    demand = coalesce(added.demand, stored.demand)
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::float8[], $7::bytea[])
    added (id, snatches, uploaded_bytes, downloaded_bytes, seeding_seconds, last_seen, demand)
WHERE stored.id = added.id
"""  # noqa: S608 - made of this code's own words

ADD_TO_TOTALS = """
INSERT INTO totals AS stored (announces, snatches, uploaded_bytes, downloaded_bytes, settled_time)
SELECT *, now() FROM unnest($1::numeric[], $2::numeric[], $3::numeric[], $4::numeric[])
ON CONFLICT (id) DO UPDATE SET announces = stored.announces + excluded.announces,
    snatches = stored.snatches + excluded.snatches, uploaded_bytes = stored.uploaded_bytes + excluded.uploaded_bytes,
    downloaded_bytes = stored.downloaded_bytes + excluded.downloaded_bytes, settled_time = excluded.settled_time
"""

SNATCHES = """
SELECT infohashes.info_hash, kept.downloaded
FROM unnest($1::bigint[]) wanted (id)
JOIN infohashes kept ON kept.id = wanted.id
JOIN infohashes ON infohashes.id = kept.id OR infohashes.same_as = kept.id
"""


class Changes(NamedTuple):
    """``sums``, ``demand``: by torrent. ``announces``: facts settled.

    ``snatches``: filled in when stored, absolute numbers. Of two workers that see a torrent's leechers at the same
    moment, one may overwrite the other's ``demand``; the leechers' next announces correct it.
    """

    sums: dict[int, Sums]
    demand: dict[int, bytes]
    announces: int
    snatches: list[Snatches]


def sum_up(facts: Iterable[SettledFact]) -> dict[int, Sums]:
    """Return what the facts add to each torrent."""
    torrents: dict[int, Sums] = {}
    for item in facts:
        sums = torrents.get(item.torrent.id)
        if sums is None:
            sums = torrents[item.torrent.id] = Sums()
        last_seen_ms = item.after.last_seen_ms
        sums.add(item.uploaded, item.downloaded, last_seen_ms, snatched=item.snatched)
        if item.seeded_from is not None:
            sums.seeding_seconds += last_seen_ms // 1000 - item.seeded_from
    return torrents


class TorrentsReader(Reader[None, Changes]):
    """Adds to the statistics of torrents and of the tracker."""

    shares_rows = True

    def __init__(self, swarms: RedisSwarms) -> None:
        self._swarms = swarms
        self._unpublished: dict[InfoHash, int] = {}

    async def load(self, batch: Batch, rows: Rows) -> None:
        """Load nothing: the statement adds to the stored sums."""

    def read(self, batch: Batch, known: None) -> Changes:  # noqa: ARG002 - see Reader
        """Return what is added to each torrent."""
        demand = {item.torrent.id: item.demand for item in batch.facts if item.demand}
        return Changes(sum_up(batch.facts), demand, len(batch.facts), [])

    async def store(self, changes: Changes, rows: Rows) -> None:
        """Add the sums, torrents in the order of their ids and the tracker's one row last."""
        demand = changes.demand
        added = [
            (torrent_id, *sums.columns(), demand.get(torrent_id)) for torrent_id, sums in sorted(changes.sums.items())
        ]
        if added:
            await rows.fetch(LOCK_TORRENTS, [torrent_id for torrent_id, *_ in added])
        await rows.write("infohashes", ADD_TO_TORRENTS, added)
        if snatched := [torrent_id for torrent_id, sums in changes.sums.items() if sums.snatches]:
            found = await rows.fetch(SNATCHES, snatched)
            changes.snatches[:] = [Snatches(row["info_hash"], row["downloaded"]) for row in found]
        sums = changes.sums.values()
        total = (
            changes.announces,
            sum(one.snatches for one in sums),
            sum(one.uploaded for one in sums),
            sum(one.downloaded for one in sums),
        )
        await rows.write("totals", ADD_TO_TOTALS, [total] if any(total) else [])

    def committed(self, changes: Changes) -> None:
        """Remember the snatches to publish."""
        self._unpublished.update(changes.snatches)

    async def publish(self) -> None:
        """Publish snatches to the swarms."""
        if self._unpublished:
            await self._swarms.publish([Snatches(*item) for item in self._unpublished.items()])
            self._unpublished.clear()
