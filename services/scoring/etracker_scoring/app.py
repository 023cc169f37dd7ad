"""The API role: how to treat a peer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from etracker_scoring.adapters.standings import PostgresStandings
from etracker_scoring.metrics import ApiMetrics
from etracker_scoring.routes import tiers_router
from etracker_scoring.settings import ScoringSettings
from etracker_shared.health import health_router


def create_app(settings: ScoringSettings) -> FastAPI:
    """Build the application; it comes up without Postgres and answers 503 until that is there."""
    registry = CollectorRegistry()
    standings = PostgresStandings(settings, settings.policy, settings.interval_seconds, settings.scoring_connections)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(standings.run())
        yield
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    async def postgres_answers() -> bool:
        return standings.connected

    app = FastAPI(title="etracker scoring", summary="Tells announce how to treat each peer.", lifespan=lifespan)
    app.include_router(tiers_router(standings, ApiMetrics(registry)))
    app.include_router(health_router({"postgres": postgres_answers}, registry))
    return app
