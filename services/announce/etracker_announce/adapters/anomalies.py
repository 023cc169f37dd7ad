"""Suspected and confirmed keys and guests, kept in memory."""

import time
from collections.abc import Sequence

import asyncpg

from etracker_announce.adapters.followed_rows import FollowedRows
from etracker_announce.domain.suspects import MOST_SUSPECTS, Suspect, Suspects
from etracker_announce.metrics import Metrics
from etracker_shared.agreements.anomalies import VERDICTS, AnomalyState, Override, Verdict
from etracker_shared.agreements.block_lists import accused_prefixes
from etracker_shared.agreements.notifications import ANOMALIES_CHANNEL
from etracker_shared.language.identity import InfoHash, KeyHash
from etracker_shared.plumbing.postgres import Listener

# An operator's decision beats the detector's until it ends.
_STATE = f"""
CASE WHEN override IS NULL OR override_until <= clock_timestamp() THEN state
     WHEN override = {Override.CONFIRMED:d} THEN {AnomalyState.CONFIRMED:d} ELSE {AnomalyState.OK:d} END
"""
_STATES = f"({AnomalyState.SUSPECTED:d}, {AnomalyState.CONFIRMED:d})"
_WASTE = ", ".join(f"'{kind}'" for kind, verdict in VERDICTS.items() if verdict is Verdict.WASTE)
_COLUMNS = f"""
SELECT a.id, coalesce(p.key_hash, a.guest) AS key_hash, {_STATE} AS state, a.verdict, a.score,
    extract(epoch FROM a.since)::bigint AS since,
    date_part('epoch', a.override_until - clock_timestamp()) AS seconds_left, e.prefixes, e.points, w.torrents, w.sizes
FROM anomalies a LEFT JOIN peers p ON p.id = a.key_id
LEFT JOIN LATERAL (
    SELECT array_agg(prefix) AS prefixes, array_agg(points) AS points FROM (
        SELECT prefix, sum(points) AS points FROM anomaly_evidence
        WHERE anomaly_id = a.id AND prefix IS NOT NULL GROUP BY prefix
    ) sums
) e ON true
LEFT JOIN LATERAL (
    SELECT array_agg(info_hash) AS torrents, array_agg(sizes) AS sizes FROM (
        SELECT i.info_hash, max(coalesce((data->>'excess')::float8, (data->>'downloaded')::float8 - i.length, 0)
            / nullif(i.length, 0)) AS sizes
        FROM anomaly_evidence v JOIN infohashes i ON i.id = v.info_hash_id OR i.same_as = v.info_hash_id
        WHERE anomaly_id = a.id AND kind IN ({_WASTE}) GROUP BY i.info_hash
    ) torrents
) w ON true
"""  # noqa: S608 - only our own constants


class PostgresAnomalies(FollowedRows):
    """Keeps the suspects fresh. ``current`` has none until they are loaded."""

    channel = ANOMALIES_CHANNEL
    load_after = f"""
    {_COLUMNS} WHERE a.id > $1 AND a.id IN (
        SELECT id FROM anomalies WHERE {_STATE} IN {_STATES} ORDER BY {_STATE} DESC, score DESC LIMIT {MOST_SUSPECTS}
    ) ORDER BY a.id LIMIT $2
    """  # noqa: S608 - as above
    load_changed = f"{_COLUMNS} WHERE a.id = ANY($1::bigint[])"
    name = "anomalies"

    def __init__(self, pool: asyncpg.Pool, listener: Listener, metrics: Metrics) -> None:
        super().__init__(pool, listener)
        self._metrics = metrics
        self.current = Suspects()
        self._by_id: dict[int, Suspect] = {}
        self._new: dict[int, Suspect] = {}

    def begin(self) -> None:
        """Begin to collect all rows."""
        self._new = {}

    def collect(self, rows: Sequence[asyncpg.Record]) -> None:
        """Add a page to the collection."""
        self._add(self._new, rows)

    def replace(self) -> None:
        """Put the collection in the place of what was known."""
        self._by_id = self._new

    def change(self, row_ids: Sequence[int], rows: Sequence[asyncpg.Record]) -> None:
        """Forget the rows with these ids, and add those that are still there."""
        for row_id in row_ids:
            self._by_id.pop(row_id, None)
        self._add(self._by_id, rows)

    def refreshed(self) -> None:
        """Let announces see the changes."""
        self.current = Suspects(self._by_id.values())
        self._metrics.suspects.set(len(self.current))

    def _add(self, by_id: dict[int, Suspect], rows: Sequence[asyncpg.Record]) -> None:
        for row in rows:
            if row["seconds_left"] is not None and row["seconds_left"] > 0:
                self.load_again(time.monotonic() + row["seconds_left"])
            if row["state"] in {AnomalyState.SUSPECTED, AnomalyState.CONFIRMED}:
                by_id[row["id"]] = _parse(row)


def _parse(row: asyncpg.Record) -> Suspect:
    points = dict(zip(row["prefixes"] or (), row["points"] or (), strict=True))
    wasted = zip(row["torrents"] or (), row["sizes"] or (), strict=True)
    return Suspect(
        key_hash=KeyHash(row["key_hash"]),
        confirmed=row["state"] == AnomalyState.CONFIRMED,
        verdict=Verdict(row["verdict"] or Verdict.STATISTICS),
        score=row["score"],
        since=row["since"],
        prefixes=accused_prefixes(points),
        wasted={InfoHash(info_hash): sizes or 0.0 for info_hash, sizes in wasted},
    )
