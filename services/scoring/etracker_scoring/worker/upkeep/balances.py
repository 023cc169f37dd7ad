"""Judges ended blocks: whether what each swarm uploaded and downloaded in them fits together.

A torrent is judged once in each block in which it had traffic. The position within the block is stored in the
transaction that stores the verdicts, so a job that is killed goes on where it was.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import asyncpg

from etracker_scoring.detection.balance import judge_block, needs_presence
from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import Evidence, Identity, Presence, Traffic
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.worker.faults import Faults
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.store import Rows, transaction
from etracker_scoring.worker.stream import FactStreams
from etracker_scoring.worker.suspicions import load_accused, store_accused
from etracker_scoring.worker.upkeep import balance_rows
from etracker_scoring.worker.upkeep.balance_rows import Progress
from etracker_scoring.worker.upkeep.canaries import read_canaries
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, WINDOW_BLOCKS
from etracker_shared.agreements.facts import SHARDS

CHECK_SECONDS = 30.0
FORGET_SECONDS = 600.0
"""How often old rows are deleted: looking for them may read all signals."""
PAUSE_SECONDS = 0.02

T = TypeVar("T")


class Balances:
    """Judges blocks some time after their end, once the facts about them are settled, and deletes old rows."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        streams: FactStreams,
        freezer: Freezer,
        parameters: DetectionParameters,
        metrics: WorkerMetrics,
    ) -> None:
        self._pool = pool
        self._streams = streams
        self._freezer = freezer
        self._parameters = parameters
        self._metrics = metrics
        self._faults = Faults(metrics.anomalies.faults)

    async def run(self) -> None:
        """Judge until cancelled.

        Raises:
            PostgresUnavailableError: Postgres isn't available.
            StreamsUnavailableError: Redis isn't available.
        """
        forget_at = 0.0
        while True:
            await self.judge_due(time.time())
            if time.monotonic() >= forget_at:
                await balance_rows.forget_old(self._pool, time.time())
                forget_at = time.monotonic() + FORGET_SECONDS
            await asyncio.sleep(CHECK_SECONDS)

    async def judge_due(self, now: float) -> None:
        """Judge all blocks that are due."""
        while await self._is_due(now):
            while await self.judge_some(now):  # noqa: ASYNC110 - a pause between steps
                await asyncio.sleep(PAUSE_SECONDS)

    async def _is_due(self, now: float) -> bool:
        progress = await balance_rows.begin(self._pool, int(now) // BLOCK_SECONDS)
        due = (progress.block + 1) * BLOCK_SECONDS + self._parameters.judge_after_seconds
        if now < due:
            return False
        states = await self._streams.inspect(range(SHARDS))
        waiting = [state.oldest.milliseconds for state in states.values() if state.oldest]
        return min(waiting, default=due * 1000) >= due * 1000

    async def judge_some(self, now: float) -> bool:
        """Judge the next torrents of the block; return whether there may be more of them."""
        started = time.process_time()
        async with transaction(self._pool, self._metrics) as rows:
            progress = await balance_rows.lock_progress(rows)
            torrents = await balance_rows.next_torrents(progress, rows)
            if not torrents:
                if self._freezer.enforced:
                    await self._accuse(
                        await read_canaries(progress.block, self._parameters, rows, self._faults), now, rows
                    )
                await balance_rows.move(progress, Progress(progress.block + 1, 0), rows)
                return False
            findings = await self._judge(progress.block, torrents, rows)
            await self._accuse(findings, now, rows)
            await balance_rows.move(progress, Progress(progress.block, torrents[-1]), rows)
        self._metrics.anomalies.judged_blocks.inc(len(torrents))
        self._metrics.anomalies.judging_seconds.inc(time.process_time() - started)
        for _, found in findings:
            self._metrics.anomalies.evidence.labels(str(found.kind)).inc()
        return True

    async def _judge(self, block: int, torrents: Sequence[int], rows: Rows) -> list[tuple[Identity, Evidence]]:
        contents = await balance_rows.load_contents(torrents, rows)
        traffic = await balance_rows.load_traffic(list(contents), range(block, block + 1), rows)
        history = await balance_rows.load_history(list(contents), block, rows)
        swarms, findings = [], []
        for torrent, content in contents.items():
            members, earlier = traffic[torrent], history[torrent]
            presence: Mapping[Identity, Presence] = {}
            looks_back = partial(needs_presence, content, block, members.get(block, {}), earlier, self._parameters)
            if self._try(torrent, looks_back):
                members, presence = await _look_back(torrent, block, rows)
            judge = partial(judge_block, content, torrent, block, members, presence, earlier, self._parameters)
            if judged := self._try(torrent, judge):
                swarms.append((torrent, judged[0]))
                findings += judged[1]
        await balance_rows.store_swarms(swarms, rows)
        return findings

    def _try(self, torrent: int, judge: Callable[[], T]) -> T | None:
        """Return what the detector says, None if it fails: this torrent is left out then."""
        try:
            return judge()
        except Exception as error:  # noqa: BLE001 - see Faults
            self._faults.note("balance", error, torrent=torrent)
            return None

    async def _accuse(self, findings: Sequence[tuple[Identity, Evidence]], now: float, rows: Rows) -> None:
        if not findings:
            return
        identities = sorted({identity for identity, _ in findings})
        await self._freezer.lock(identities, rows)
        accused = await load_accused(identities, min(found.at for _, found in findings), rows, self._faults)
        for identity, found in findings:
            if identity in accused:
                self._try(found.info_hash_id, partial(accused[identity].accuse, found, self._parameters))
        await store_accused(list(accused.values()), rows)
        targets = {one.key_id: one.target for one in accused.values() if one.key_id is not None}
        await self._freezer.apply(targets, now, rows)


async def _look_back(
    torrent: int, block: int, rows: Rows
) -> tuple[dict[int, dict[Identity, Traffic]], Mapping[Identity, Presence]]:
    """Load the window of one torrent at a time: that of a large swarm has a hundred thousand rows."""
    window = range(block + 1 - WINDOW_BLOCKS, block + 1)
    traffic = await balance_rows.load_traffic([torrent], window, rows)
    presence = await balance_rows.load_presence([torrent], block, rows)
    return traffic[torrent], presence[torrent]
