"""Copies seeders and leechers from the swarms to Postgres, so that lists can be sorted by them.

Each round compares the swarms that have changed since the previous round; the first round compares all swarms. Later
rounds also compare every swarm of a tag whose mark has changed, since that means that Redis lost data. A hybrid
torrent's swarms are counted together.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

from structlog import get_logger

from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.worker.swarms import NOBODY, RedisSwarms, Twice
from etracker_scoring.worker.upkeep.hybrids import count_hybrid, merge
from etracker_scoring.worker.upkeep.torrent_counts import TorrentCounts
from etracker_shared.language.identity import InfoHash

OVERLAP_SECONDS = 60
"""Allowance for differing clocks and for slow announces."""

CHUNK = 1000

log = get_logger("counts")


class CountsSync:
    """Keeps counts in Postgres up to date: they lag by ``pause_seconds`` and the time a round takes."""

    def __init__(
        self, swarms: RedisSwarms, torrents: TorrentCounts, metrics: WorkerMetrics, pause_seconds: float
    ) -> None:
        self._swarms = swarms
        self._torrents = torrents
        self._metrics = metrics
        self._pause_seconds = pause_seconds
        self._mark: int | None = None
        self._lost: set[int] = set()

    async def run(self) -> None:
        """Sync until cancelled.

        Raises:
            PostgresUnavailableError: Postgres isn't available.
            StreamsUnavailableError: Redis isn't available.
        """
        while True:
            await self.sync()
            await asyncio.sleep(self._pause_seconds)

    async def sync(self) -> None:
        """Run one round."""
        now = int(time.time())
        since = (now if self._mark is None else self._mark) - OVERLAP_SECONDS
        marks, changed = await self._swarms.changed(since)
        lost = self._lost | {tag for tag, mark in marks.items() if mark is None or mark != self._mark}
        if lost and self._mark is not None:
            log.warning("redis_lost_data", tags=len(lost))
        lost_since: set[int] = set()
        if lost:
            lost_since = await self._mark_tags(now, marks, forget_before=0)  # so that a loss from now on is noticed
            marks = dict.fromkeys(marks, now)
            for tag in sorted(lost):
                await self._sync_all(tag)
        await self._write(list({*changed, *await self._torrents.found_out()}))
        self._lost = lost_since | await self._mark_tags(now, marks, forget_before=now - 2 * OVERLAP_SECONDS)
        self._mark = now

    async def _mark_tags(self, now: int, expected: Mapping[int, int | None], forget_before: int) -> set[int]:
        """Mark every tag; return those whose mark was no longer the expected one.

        If Redis stalls, for example on a full or slow disk, the client repeats the command and Redis may run it twice:
        the second run finds the mark of the first.
        """
        replaced = await self._swarms.mark(now, forget_before)
        return {tag for tag, mark in replaced.items() if mark not in {expected[tag], now}}

    async def _sync_all(self, tag: int) -> None:
        """Compare all swarms of a tag, and the torrents that had peers when Redis lost them.

        One tag of 256 at a time: all of a large tracker's infohashes would take a lot of memory.
        """
        existing = await self._swarms.existing(tag)
        counted = await self._torrents.counted(tag)
        await self._write(list({*existing, *counted}))
        for start in range(0, len(existing), CHUNK):
            await self._swarms.publish(await self._torrents.snatches(existing[start : start + CHUNK]))

    async def _write(self, info_hashes: Sequence[InfoHash]) -> None:
        for start in range(0, len(info_hashes), CHUNK):
            chunk = info_hashes[start : start + CHUNK]
            hybrids = await self._torrents.hybrids(chunk)
            wanted = list({*chunk, *(info_hash for hybrid in hybrids for info_hash in hybrid.swarms)})
            counts = dict(zip(wanted, await self._swarms.counts(wanted), strict=True))
            twice = {hybrid.first: await count_hybrid(self._swarms, hybrid, counts) for hybrid in hybrids}
            merged = {
                hybrid.first: merge([counts[info_hash] for info_hash in hybrid.swarms], twice[hybrid.first])
                for hybrid in hybrids
            }
            await self._torrents.write_counts({**counts, **merged})
            await self._note_twice(wanted, twice)
            self._metrics.counts_synced.inc(len(chunk))

    async def _note_twice(self, info_hashes: Sequence[InfoHash], twice: Mapping[InfoHash, Twice]) -> None:
        """Note how many peers count twice, for each torrent where the number was or is above zero."""
        noted = dict.fromkeys(await self._swarms.noted_twice(info_hashes), NOBODY)
        found = {info_hash: peers for info_hash, peers in twice.items() if peers != NOBODY}
        await self._swarms.note_twice({**noted, **found})
