"""What announce reads of suspects doesn't grow with their evidence, nor with those that are none any more."""

import json
import sys
import time
from typing import Any

import asyncpg
import pytest

from etracker_announce.adapters.anomalies import NEXT_SUSPECTS
from etracker_announce.adapters.followed_rows import ROWS_AT_ONCE
from etracker_announce.domain.suspects import MOST_SUSPECTS
from etracker_shared.agreements.anomalies import DetectionMode
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import running_announcer
from tests.support.waiting import eventually

SUSPECTS, CLEARED = MOST_SUSPECTS + 2000, 20_000
TORRENTS = 64

FILL = f"""
INSERT INTO infohashes (info_hash, length) SELECT decode(lpad(to_hex(n), 40, '0'), 'hex'), 1000
FROM generate_series(1, {TORRENTS}) n;
INSERT INTO anomalies (guest, state, verdict, score, prefixes, wasted)
SELECT decode(md5(n::text), 'hex'), CASE WHEN n > {SUSPECTS} THEN 3 ELSE 1 + n % 2 END,
    CASE WHEN n % 2 = 1 THEN 3 END, n % 977, '{{"04c6336400000000": 70}}',
    CASE WHEN n % 2 = 1 THEN (SELECT jsonb_object_agg(id, 0.5) FROM infohashes) ELSE '{{}}' END
FROM generate_series(1, {SUSPECTS + CLEARED}) n;
INSERT INTO anomaly_evidence (anomaly_id, info_hash_id, kind, points, text)
SELECT id, 1 + id % {TORRENTS}, 'P:redownload', 10, '' FROM anomalies, generate_series(1, 5)
WHERE state <> 3;
ANALYZE;
"""


def scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes of a plan that read a table."""
    found = [plan] if "Relation Name" in plan else []
    return found + [scan for part in plan.get("Plans", ()) for scan in scans(part)]


@pytest.mark.promise(35)
async def test_a_reload_reads_each_of_the_worst_suspects_once_and_none_of_their_evidence(
    database: asyncpg.Connection, postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    await database.execute(FILL)
    settings: dict[str, Any] = {"detection": DetectionMode.ENFORCE}
    async with running_announcer(postgres_settings, redis_settings, **settings) as announcer:
        began = time.monotonic()

        async def knows_all() -> bool:
            return f"etracker_announce_suspects {MOST_SUSPECTS}.0" in (await announcer.observe("/metrics"))[1]

        await eventually(knows_all, "all suspects are known")
        sys.stdout.write(f"{MOST_SUSPECTS} suspects known {time.monotonic() - began:.2f} s after the start\n")
    worst = (2, 500.0, 2**40, ROWS_AT_ONCE)
    (explained,) = json.loads(await database.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {NEXT_SUSPECTS}", *worst))
    sys.stdout.write(f"a page takes {explained['Execution Time']:.0f} ms\n")
    read = {scan["Alias"]: scan["Actual Rows"] * scan["Actual Loops"] for scan in scans(explained["Plan"])}
    assert read["a"] == ROWS_AT_ONCE
    assert read["i"] <= ROWS_AT_ONCE * TORRENTS
    assert read.keys() <= {"a", "p", "i"}
    removed = [scan.get("Rows Removed by Filter", 0) for scan in scans(explained["Plan"]) if scan["Alias"] == "a"]
    assert removed == [0]
