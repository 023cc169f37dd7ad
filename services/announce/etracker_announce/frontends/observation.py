"""Health, metrics and settings, on a separate port: publishing the port for announces doesn't publish them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic_settings import BaseSettings

from etracker_shared.plumbing.dependencies import Check
from etracker_shared.plumbing.health import health_router
from etracker_shared.plumbing.serving import IdleServer
from etracker_shared.plumbing.sockets import bind

BACKLOG = 128


class _Server(IdleServer):
    """A server without signal handlers: the process stops its front ends itself, in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def create_observation_app(checks: Mapping[str, Check], registry: CollectorRegistry, settings: BaseSettings) -> FastAPI:
    """Build ``/healthz``, ``/readyz``, ``/metrics`` and ``/settings``."""
    app = FastAPI(title="etracker announce", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.include_router(health_router(checks, registry, settings))
    return app


@asynccontextmanager
async def serving_observation(app: FastAPI, host: str, port: int) -> AsyncIterator[int]:
    """Serve the observation app; yield the port it listens on.

    Raises:
        OSError: the port is taken.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=1,
    )
    sockets = await bind(host, port)
    for listening in sockets:
        listening.listen(BACKLOG)  # connections may arrive before uvicorn accepts them
    server = _Server(config)
    bound = int(sockets[0].getsockname()[1])
    task = asyncio.create_task(server.serve(sockets), name="observation")
    try:
        yield bound
    finally:
        server.stop()
        await task
