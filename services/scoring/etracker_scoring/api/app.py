"""The API program."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from etracker_scoring.api.account_query import accounts_query
from etracker_scoring.api.holders import Holders
from etracker_scoring.api.judging import Judge
from etracker_scoring.api.lookups import PostgresLookups
from etracker_scoring.api.standing import standing_router
from etracker_scoring.api.tiers import tiers_router
from etracker_scoring.metrics import ApiMetrics
from etracker_scoring.settings import ScoringSettings
from etracker_scoring.stored.community import Community
from etracker_scoring.stored.yardsticks import YardstickFollower
from etracker_shared.language.outages import PostgresUnavailableError
from etracker_shared.plumbing.background import Work, running
from etracker_shared.plumbing.health import health_router
from etracker_shared.plumbing.pool_metrics import observe_postgres, read_pool
from etracker_shared.plumbing.postgres import create_pool
from etracker_shared.plumbing.process_metrics import create_registry

RETRY_SECONDS = 1.0


def create_app(settings: ScoringSettings) -> FastAPI:
    """Build the application; it starts without Postgres and answers 503 until Postgres is available."""
    registry = create_registry("etracker-scoring")
    query = accounts_query(settings.policy, settings.interval_seconds)
    lookups = PostgresLookups(settings, query, settings.scoring_connections)
    pool = create_pool(settings, max_size=2)
    observe_postgres(registry, {**lookups.pools, "yardsticks": partial(read_pool, pool)})
    yardsticks = YardstickFollower(
        Community(pool),
        settings.score,
        policy=settings.policy,
        recalibrate=settings.recalibrate,
        active=timedelta(seconds=2 * settings.interval_seconds),
    )
    holders = Holders(pool, 2 * settings.interval_seconds)
    judge = Judge(lookups, settings.policy, lambda: yardsticks.current, with_notices=settings.tier_notices)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await pool  # opens the pool, not yet a connection
        following = Work("yardsticks", yardsticks.run, (PostgresUnavailableError,), RETRY_SECONDS)
        async with running(Work("lookups", lookups.run), following):
            yield
        pool.terminate()

    async def postgres_answers() -> bool:
        return lookups.connected

    app = FastAPI(
        title="etracker scoring", summary="Answers how to treat each peer.", lifespan=lifespan, redirect_slashes=False
    )
    app.include_router(tiers_router(judge, ApiMetrics(registry)))
    app.include_router(standing_router(holders, lambda: yardsticks.current.parameters))
    app.include_router(health_router({"postgres": postgres_answers}, registry, settings))
    return app
