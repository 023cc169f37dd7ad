"""Lets time pass for anomalies, and applies what operators decide about them."""

import asyncio
import time
from collections.abc import Mapping, Sequence

import asyncpg

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.errors import postgres_errors
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.worker.accused import Accused
from etracker_scoring.worker.faults import Faults
from etracker_scoring.worker.freezing import Freezer, Target, lock_keys
from etracker_scoring.worker.store import Rows, transaction
from etracker_scoring.worker.suspicions import LOAD_BY_ID, parse_accused, store_accused
from etracker_shared.agreements.anomalies import AnomalyState

OVERRIDES_SECONDS = 2.0
PASSING_SECONDS = 60.0
CHUNK = 200

_OVERRULED = "SELECT id FROM anomalies WHERE id > $1 AND override IS DISTINCT FROM applied ORDER BY id LIMIT 200"

# A state that isn't suspected or confirmed changes with evidence only, or when an override ends.
_PASSING = """
SELECT id FROM anomalies WHERE id > $1 AND (state IN (1, 2) OR override_until <= to_timestamp($2)) ORDER BY id LIMIT 200
"""

_STATES = "SELECT state, count(*) AS number FROM anomalies GROUP BY state"

_DIFFERING = """
SELECT id FROM (
    SELECT peers.id FROM peers LEFT JOIN anomalies ON key_id = peers.id
    WHERE frozen IS NOT NULL
        AND (coalesce(state, 0) NOT IN (1, 2) OR (confirmed_time IS NOT NULL) <> (coalesce(state, 0) = 2))
    UNION SELECT key_id FROM anomalies JOIN peers ON peers.id = key_id WHERE state IN (1, 2) AND frozen IS NULL
) differing ORDER BY id LIMIT 200
"""

_AFFECTED = "SELECT id FROM peers WHERE frozen IS NOT NULL ORDER BY id LIMIT 200"

_STATES_OF = "SELECT key_id, state FROM anomalies WHERE key_id = ANY($1::bigint[])"

_KEYS_OF = "SELECT key_id FROM anomalies WHERE id = ANY($1::bigint[]) AND key_id IS NOT NULL ORDER BY key_id"


class Suspects:
    """The keys and guests with anomalies. Every method may raise PostgresUnavailableError or BatchConflictError."""

    def __init__(
        self, pool: asyncpg.Pool, freezer: Freezer, parameters: DetectionParameters, metrics: WorkerMetrics
    ) -> None:
        self._pool = pool
        self._freezer = freezer
        self._parameters = parameters
        self._metrics = metrics
        self._faults = Faults(metrics.anomalies.faults)

    async def align(self) -> None:
        """Make all keys' standings follow the mode: it may have changed since the last start."""
        statement = _DIFFERING if self._freezer.enforced else _AFFECTED
        while True:
            async with transaction(self._pool, self._metrics) as rows:
                found = [row["id"] for row in await rows.fetch(statement)]
                if not found:
                    return
                await lock_keys(found, rows)
                states = await rows.fetch(_STATES_OF, found) if self._freezer.enforced else []
                known = {row["key_id"]: AnomalyState(row["state"]) for row in states}
                targets = {key_id: Target(known.get(key_id, AnomalyState.OK), pays_back=True) for key_id in found}
                await self._freezer.put(targets, time.time(), rows)

    async def apply_overrides(self) -> None:
        """Apply what operators have decided since the last call."""
        last = 0
        while ids := [row["id"] for row in await self._fetch(_OVERRULED, last)]:
            await self._conclude(ids, time.time())
            last = ids[-1]

    async def let_time_pass(self, now: float) -> None:
        """End suspicions, confirmations and overrides whose time is over."""
        last = 0
        while ids := [row["id"] for row in await self._fetch(_PASSING, last, now)]:
            await self._conclude(ids, now)
            last = ids[-1]

    async def count(self) -> None:
        """Update the metric of states."""
        numbers: Mapping[int, int] = {row["state"]: row["number"] for row in await self._fetch(_STATES)}
        for state in AnomalyState:
            self._metrics.anomalies.states.labels(state.name.lower()).set(numbers.get(state, 0))

    async def _fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        with postgres_errors():
            return await self._pool.fetch(statement, *arguments)

    async def _conclude(self, ids: Sequence[int], now: float) -> None:
        async with transaction(self._pool, self._metrics) as rows:
            await self._lock_keys(ids, rows)
            accused = parse_accused(await rows.fetch(LOAD_BY_ID, ids), self._faults)
            changed = [one for one in accused if self._waits(one, int(now))]
            await store_accused(changed, rows)
            await self._freezer.apply(_targets(changed), now, rows)

    def _waits(self, accused: Accused, now: int) -> bool:
        try:
            return accused.wait_until(now, self._parameters)
        except Exception as error:  # noqa: BLE001 - see Faults
            self._faults.note("passing", error, anomaly=accused.id or 0)
            return False

    async def _lock_keys(self, ids: Sequence[int], rows: Rows) -> None:
        keys = [row["key_id"].to_bytes(8, "big") for row in await rows.fetch(_KEYS_OF, ids)]
        await self._freezer.lock(keys, rows)


def _targets(changed: Sequence[Accused]) -> dict[int, Target]:
    return {one.key_id: one.target for one in changed if one.key_id is not None}


class States:
    """Keeps the states of anomalies current."""

    def __init__(self, suspects: Suspects) -> None:
        self._suspects = suspects

    async def run(self) -> None:
        """Work until cancelled."""
        await self._suspects.align()
        due = 0.0
        while True:
            await self._suspects.apply_overrides()
            if time.monotonic() >= due:
                await self._suspects.let_time_pass(time.time())
                await self._suspects.count()
                due = time.monotonic() + PASSING_SECONDS
            await asyncio.sleep(OVERRIDES_SECONDS)


class Release:
    """Ends the effects of anomalies once, where nothing is detected any more."""

    def __init__(self, suspects: Suspects) -> None:
        self._suspects = suspects

    async def run(self) -> None:
        """Undo the effects."""
        await self._suspects.align()
