"""An operator's decision beats the score, for keys and for guests, in whatever order things happen.

The detector's rows are written and concluded upon in Postgres, as the worker does it.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from etracker_scoring.detection.blocks import identity_of_key
from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.points import kind_of
from etracker_scoring.detection.records import Evidence, Identity
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.faults import Faults
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.store import transaction
from etracker_scoring.worker.suspicions import load_accused, store_accused
from etracker_scoring.worker.upkeep.suspects import Suspects
from etracker_shared.agreements.anomalies import AnomalyState, Kind, Override
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.settings import PostgresSettings

KEY, GUEST = identity_of_key(1), b"a guest's hash!!"
OK, SUSPECTED, CONFIRMED, CLEARED = AnomalyState
HOUR = 3600
PARAMETERS = DetectionParameters()
RICH = """
TRUNCATE peers, infohashes, anomalies CASCADE;
INSERT INTO infohashes (id, info_hash) VALUES (1, decode(repeat('01', 20), 'hex'));
INSERT INTO peers (id, announce_key, tier, score, score_time, origin_time, seeding_seconds, score_recent, score_average,
    score_length_days) VALUES (1, 'alice', 4, 80, now(), now() - interval '90 days', 8000000, 20, 20, 40)
"""
Action = tuple[Any, ...]
WHO = st.sampled_from([KEY, GUEST])
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("evidence"), WHO, st.sampled_from([Kind.RATE, Kind.CYCLE, Kind.HIDDEN]), st.integers(5, 120)),
        st.tuples(st.just("decide"), WHO, st.sampled_from([*Override, None]), st.sampled_from([None, 1, 30])),
        st.tuples(st.just("wait"), st.sampled_from([1, 5, 40])),
    ),
    max_size=10,
)


class Tracker:
    """The worker's rows in a database, and a clock."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.metrics = WorkerMetrics(CollectorRegistry())
        self.faults = Faults(self.metrics.anomalies.faults)
        self.freezer = Freezer(ScoreParameters, enforced=True)
        self.suspects = Suspects(pool, self.freezer, PARAMETERS, self.metrics)
        self.now = int(time.time())
        self.muted: dict[Identity, set[str]] = {KEY: set(), GUEST: set()}

    async def evidence(self, who: Identity, kind: Kind, points: int) -> None:
        found = Evidence(self.now, kind, float(points), 1, "why", {}, prefix=b"\x04\x01\x02\x03\x00\x00\x00")
        async with transaction(self.pool, self.metrics) as rows:
            await self.freezer.lock([who], rows)
            accused = await load_accused([who], self.now, rows, self.faults)
            accused[who].accuse(found, PARAMETERS)
            await store_accused(list(accused.values()), rows)
            targets = {one.key_id: one.target for one in accused.values() if one.key_id is not None}
            await self.freezer.apply(targets, self.now, rows)

    async def decide(self, who: Identity, override: Override | None, hours: int | None) -> None:
        row = await self.row(who)
        if row is None:
            return
        until = self.now + hours * HOUR if hours and override else None
        self.muted[who] = {kind_of(key) for key in json.loads(row["points"])}
        await self.pool.execute(
            "UPDATE anomalies SET override = $2, override_until = to_timestamp($3), applied = 0 WHERE id = $1",
            row["id"],
            override,
            until,
        )
        await self.suspects.apply_overrides()

    async def wait(self, hours: int) -> None:
        self.now += hours * HOUR
        await self.suspects.let_time_pass(float(self.now))

    async def row(self, who: Identity) -> asyncpg.Record | None:
        query = "SELECT *, date_part('epoch', override_until) AS until FROM anomalies WHERE key_id = $1 OR guest = $2"
        return await self.pool.fetchrow(query, 1 if who == KEY else None, who if who == GUEST else None)

    async def check(self) -> None:
        """Check the laws."""
        for who in (KEY, GUEST):
            row = await self.row(who)
            if row is not None:
                self._check_decision(row, self.muted[who])
        row = await self.row(KEY)
        state = row["state"] if row is not None else OK
        key = await self.pool.fetchrow("SELECT tier, score, frozen, confirmed_time FROM peers")
        assert key is not None
        assert (key["frozen"] is not None) == (state in {SUSPECTED, CONFIRMED})
        assert (key["confirmed_time"] is not None) == (state == CONFIRMED)
        assert (key["tier"] == 0) == (key["score"] == 0) == (state == CONFIRMED)
        assert self.metrics.anomalies.faults.labels("passing")._value.get() == 0

    def _check_decision(self, row: asyncpg.Record, muted: set[str]) -> None:
        points = {key: worth for key, worth in json.loads(row["points"]).items() if worth}
        assert row["until"] is None or row["until"] > self.now
        match row["override"]:
            case Override.EXEMPT:
                assert (row["state"] in {OK, CLEARED}, points, row["prefixes"]) == (True, {}, "{}")
            case Override.CLEARED:
                assert not muted & {kind_of(key) for key in points}
                assert row["state"] in {OK, CLEARED} or points
            case Override.CONFIRMED:
                assert row["state"] == CONFIRMED
            case _:
                assert row["override"] is None
        assert bool(json.loads(row["prefixes"])) <= bool(points or row["override"] == Override.CONFIRMED)


async def run(postgres: PostgresSettings, actions: Sequence[Action]) -> None:
    async with create_pool(postgres, max_size=1) as pool:
        await pool.execute(RICH)
        tracker = Tracker(pool)
        for name, *arguments in actions:
            await getattr(tracker, name)(*arguments)
            await tracker.check()


@pytest.mark.parametrize("examples", [12, pytest.param(300, marks=pytest.mark.full)])
def test_a_decision_beats_the_score_until_it_ends(postgres_settings: PostgresSettings, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(ACTIONS)
    def check(actions: Sequence[Action]) -> None:
        asyncio.run(run(postgres_settings, actions))

    check()
