"""GET /api/v1/standing: the admin API asks a real scoring service."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from httpx import AsyncClient

from etracker_admin_api.settings import AdminSettings
from etracker_scoring.api.app import create_app
from etracker_scoring.settings import ScoringSettings
from etracker_shared.agreements.standing import StandingReport
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.admin_api import serving
from tests.support.announce import port_of
from tests.support.announce import serving as serving_on_a_port
from tests.support.processes import free_port

KEY = "ab" * 15
HOLDER = {"X-Announce-Key": KEY}


@pytest.fixture
async def with_scoring(
    admin_settings: AdminSettings, postgres_settings: PostgresSettings, database: asyncpg.Connection
) -> AsyncIterator[AsyncClient]:
    await database.execute(
        "INSERT INTO peers (announce_key, uploaded, snatched, origin_time, last_seen, tier, score_time, score_recent)"
        " VALUES ($1, 77, 2, now() - interval '9 days', now(), 2, now(), 3)",
        KEY,
    )
    scoring = create_app(ScoringSettings(**postgres_settings.model_dump()))
    async with serving_on_a_port(scoring) as server:
        settings = admin_settings.model_copy(update={"scoring_url": f"http://127.0.0.1:{port_of(server)}"})
        async with serving(settings) as client:
            yield client


async def test_a_key_holder_is_told_what_scoring_knows(with_scoring: AsyncClient) -> None:
    response = await with_scoring.get("/api/v1/standing", headers=HOLDER)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    told = StandingReport.model_validate_json(response.content)
    assert (told.tier, told.snatches, told.uploaded_bytes) == (2, 2, 77)
    assert told.score == pytest.approx(50 * 3 / 8, rel=1e-3)
    assert KEY not in response.text


async def test_while_scoring_is_down_it_says_so(admin_settings: AdminSettings, database: asyncpg.Connection) -> None:
    await database.execute("INSERT INTO peers (announce_key) VALUES ($1)", KEY)
    settings = admin_settings.model_copy(update={"scoring_url": f"http://127.0.0.1:{free_port()}"})
    async with serving(settings) as client:
        response = await client.get("/api/v1/standing", headers=HOLDER)
    assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")
    assert response.json()["detail"].startswith("The scoring service isn't responding.")
    assert response.headers["retry-after"]


async def test_a_key_in_the_url_is_no_key(with_scoring: AsyncClient) -> None:
    assert (await with_scoring.get(f"/api/v1/standing?announce_key={KEY}")).status_code == 401
