"""Background work survives any failure, not only those that somebody thought of: it is logged, and tried again."""

import asyncpg
import pytest
from structlog.testing import capture_logs

from etracker_admin_api.settings import AdminSettings
from tests.support.admin_api import serving
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    ("work", "column", "result"),
    [
        ("sampling", "tracker_samples.swarms", "SELECT count(*) > 0 FROM tracker_samples"),
        ("pruning", "peers.created_time", "SELECT count(*) = 0 FROM peers"),
    ],
)
async def test_work_that_fails_in_an_unexpected_way_is_logged_and_goes_on(
    admin_settings: AdminSettings, database: asyncpg.Connection, work: str, column: str, result: str
) -> None:
    table, _, name = column.partition(".")
    await database.execute("INSERT INTO peers (announce_key, created_time) VALUES ('k', now() - interval '1 year')")
    await database.execute(f"ALTER TABLE {table} RENAME COLUMN {name} TO hidden")
    with capture_logs() as logs:
        async with serving(admin_settings.model_copy(update={"sample_seconds": 1})):

            async def failed() -> bool:
                return any(line["event"] == "background_work_failed" and line["work"] == work for line in logs)

            async def done() -> bool:
                return bool(await database.fetchval(result))

            await eventually(failed, f"the failure of {work} is logged")
            await database.execute(f"ALTER TABLE {table} RENAME COLUMN hidden TO {name}")
            await eventually(done, f"{work} goes on")
