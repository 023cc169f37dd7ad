"""Suspected and confirmed keys and guests, kept in memory."""

import json
import math
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import chain

import asyncpg

from etracker_announce.adapters.followed_rows import ROWS_AT_ONCE, FollowedRows
from etracker_announce.domain.suspects import MOST_SUSPECTS, Suspect, Suspects
from etracker_announce.metrics import Metrics
from etracker_shared.agreements.anomalies import AnomalyState, Override, Verdict
from etracker_shared.agreements.block_lists import accused_prefixes
from etracker_shared.agreements.notifications import ANOMALIES_CHANNEL, KEYS_CHANNEL
from etracker_shared.language.identity import InfoHash, KeyHash
from etracker_shared.plumbing.postgres import Listener

# An operator's decision beats the detector's until it ends.
_STATE = f"""
CASE WHEN override IS NULL OR override_until <= clock_timestamp() THEN state
     WHEN override = {Override.CONFIRMED:d} THEN {AnomalyState.CONFIRMED:d} ELSE {AnomalyState.OK:d} END
"""
# What a suspect wasted is a reason for messages once it is confirmed. Both halves of a hybrid torrent share one row.
_SUSPECTS = f"""
SELECT a.id, coalesce(p.key_hash, a.guest) AS key_hash, {_STATE} AS state, a.verdict, a.state AS found, a.score,
    extract(epoch FROM a.since)::bigint AS since,
    date_part('epoch', a.override_until - clock_timestamp()) AS seconds_left, a.prefixes, w.torrents, w.sizes
FROM anomalies a LEFT JOIN peers p ON p.id = a.key_id
LEFT JOIN LATERAL (
    SELECT array_agg(i.info_hash) AS torrents, array_agg(sizes::float8) AS sizes
    FROM jsonb_each_text(a.wasted) wasted (torrent, sizes) JOIN infohashes i ON i.id = torrent::bigint
) w ON a.verdict = {Verdict.WASTE:d}
"""  # noqa: S608 - only our own constants

# The worst first, in the order of an index, so a page reads no more rows than it has.
NEXT_SUSPECTS = f"""
{_SUSPECTS} WHERE (a.state, a.score, a.id) < ($1::smallint, $2::float8, $3::bigint)
    AND a.state >= {AnomalyState.SUSPECTED:d} ORDER BY a.state DESC, a.score DESC, a.id DESC LIMIT $4
"""
# A decision that the worker hasn't carried out yet: there are few.
_DECIDED = f"{_SUSPECTS} WHERE a.override IS DISTINCT FROM a.applied LIMIT $1"


class PostgresAnomalies(FollowedRows):
    """Keeps the suspects fresh. ``current`` has none until they are loaded."""

    channel = ANOMALIES_CHANNEL
    load_changed = f"{_SUSPECTS} WHERE a.id = ANY($1::bigint[])"
    name = "anomalies"

    def __init__(self, pool: asyncpg.Pool, listener: Listener, metrics: Metrics) -> None:
        super().__init__(pool, listener)
        self._metrics = metrics
        self.current = Suspects()
        self._rows = _Rows()
        self._new, self._new_rows = Suspects(), _Rows()

    def hear(self, channel: str, row_ids: Sequence[bytes] | None) -> None:
        """Handle a notification from Postgres; of keys, too, since a rotated key has another hash."""
        if channel == KEYS_CHANNEL:
            channel, row_ids = self.channel, self._rows.of_keys(row_ids or ())
        super().hear(channel, row_ids)

    async def pages(self) -> AsyncIterator[Sequence[asyncpg.Record]]:
        """Fetch the worst suspects."""
        yield await self._fetch(_DECIDED, ROWS_AT_ONCE)
        place: tuple[int, float, int] = (AnomalyState.CLEARED, -math.inf, 0)
        for _ in range(MOST_SUSPECTS // ROWS_AT_ONCE):
            rows = await self._fetch(NEXT_SUSPECTS, *place, ROWS_AT_ONCE)
            yield rows
            if len(rows) < ROWS_AT_ONCE:
                return
            place = (rows[-1]["found"], rows[-1]["score"], rows[-1]["id"])

    def begin(self) -> None:
        """Begin to collect all rows."""
        self._new, self._new_rows = Suspects(), _Rows()

    def collect(self, rows: Sequence[asyncpg.Record]) -> None:
        """Add a page to the collection."""
        for row in rows:
            self._add(self._new, self._new_rows, row)

    def replace(self) -> None:
        """Put the collection in the place of what was known."""
        self.current, self._rows = self._new, self._new_rows

    def change(self, row_ids: Sequence[int], rows: Sequence[asyncpg.Record]) -> None:
        """Forget the rows with these ids, and add those that are still there.

        What holds for a key holds for its former hash, too, until all rows are loaded again: its sessions are still
        in the swarms.
        """
        former = {row_id: self._rows.forget(row_id) for row_id in row_ids}
        for key_hash in chain.from_iterable(former.values()):
            self.current.remove(key_hash)
        for row in rows:
            self._add(self.current, self._rows, row, former.get(row["id"], ()))
        if len(self.current) > MOST_SUSPECTS + ROWS_AT_ONCE:
            self._everything_changed = True

    def refreshed(self) -> None:
        """Report how many there are."""
        self._metrics.suspects.set(len(self.current))

    def _add(self, suspects: Suspects, known: "_Rows", row: asyncpg.Record, former: Sequence[KeyHash] = ()) -> None:
        if row["seconds_left"] is not None and row["seconds_left"] > 0:
            self.load_again(time.monotonic() + row["seconds_left"])
        if row["state"] not in {AnomalyState.SUSPECTED, AnomalyState.CONFIRMED}:
            return
        suspect = _parse(row)
        key_hashes = dict.fromkeys((*former, suspect.key_hash))
        known.remember(row["id"], tuple(key_hashes))
        for key_hash in key_hashes:
            suspects.add(suspect._replace(key_hash=key_hash))


class _Rows:
    """Which row is about which key hashes."""

    def __init__(self) -> None:
        self._key_hashes: dict[int, tuple[KeyHash, ...]] = {}
        self._row_ids: dict[bytes, int] = {}

    def remember(self, row_id: int, key_hashes: tuple[KeyHash, ...]) -> None:
        self._key_hashes[row_id] = key_hashes
        self._row_ids.update(dict.fromkeys(key_hashes, row_id))

    def forget(self, row_id: int) -> Sequence[KeyHash]:
        """Forget a row; return the key hashes that it was about."""
        key_hashes = self._key_hashes.pop(row_id, ())
        for key_hash in key_hashes:
            del self._row_ids[key_hash]
        return key_hashes

    def of_keys(self, key_hashes: Iterable[bytes]) -> Sequence[bytes]:
        """Return the ids of the rows about keys, as a notification has them."""
        row_ids = (self._row_ids.get(key_hash) for key_hash in key_hashes)
        return [row_id.to_bytes(8, "big") for row_id in row_ids if row_id is not None]


def _parse(row: asyncpg.Record) -> Suspect:
    points = {bytes.fromhex(prefix): points for prefix, points in json.loads(row["prefixes"]).items()}
    wasted = zip(row["torrents"] or (), row["sizes"] or (), strict=True)
    return Suspect(
        key_hash=KeyHash(row["key_hash"]),
        confirmed=row["state"] == AnomalyState.CONFIRMED,
        verdict=Verdict(row["verdict"] or Verdict.STATISTICS),
        score=row["score"],
        since=row["since"],
        prefixes=accused_prefixes(points),
        wasted={InfoHash(info_hash): sizes for info_hash, sizes in wasted},
    )
