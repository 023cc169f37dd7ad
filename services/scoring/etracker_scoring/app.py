"""The API role: how to treat a peer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from etracker_scoring.adapters.community import PostgresCommunity
from etracker_scoring.adapters.history_queries import accounts_query
from etracker_scoring.adapters.holders import PostgresHolders
from etracker_scoring.adapters.standings import PostgresStandings
from etracker_scoring.metrics import ApiMetrics
from etracker_scoring.routes.standing import standing_router
from etracker_scoring.routes.tiers import tiers_router
from etracker_scoring.settings import ScoringSettings
from etracker_scoring.use_cases.follow_community import YardstickFollower
from etracker_scoring.use_cases.judge_askers import Tiers
from etracker_scoring.use_cases.report_standing import Reports
from etracker_shared.health import health_router
from etracker_shared.postgres import create_pool


def create_app(settings: ScoringSettings) -> FastAPI:
    """Build the application; it comes up without Postgres and answers 503 until that is there."""
    registry = CollectorRegistry()
    query = accounts_query(settings.policy, settings.interval_seconds)
    standings = PostgresStandings(settings, query, settings.scoring_connections)
    pool = create_pool(settings, max_size=2)
    yardsticks = YardstickFollower(
        PostgresCommunity(pool),
        settings.score,
        policy=settings.policy,
        recalibrate=settings.recalibrate,
        active=timedelta(seconds=2 * settings.interval_seconds),
    )
    holders = PostgresHolders(pool, 2 * settings.interval_seconds)
    reports = Reports(holders, lambda: yardsticks.current.parameters)
    tiers = Tiers(standings, settings.policy, lambda: yardsticks.current, with_notices=settings.tier_notices)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await pool  # connects when asked
        running = [asyncio.create_task(work()) for work in (standings.run, yardsticks.run)]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        pool.terminate()

    async def postgres_answers() -> bool:
        return standings.connected

    app = FastAPI(
        title="etracker scoring",
        summary="Tells announce how to treat each peer.",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.include_router(tiers_router(tiers, ApiMetrics(registry)))
    app.include_router(standing_router(reports))
    app.include_router(health_router({"postgres": postgres_answers}, registry, settings))
    return app
