"""Run one of etracker's FastAPI applications under uvicorn."""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from etracker_shared.logs import configure_logging
from etracker_shared.settings import ServingSettings

GRACEFUL_SHUTDOWN_SECONDS = 10
NOT_STARTED = 3
"""uvicorn's own exit status for a server that can't start."""


SettingsT = TypeVar("SettingsT", bound=ServingSettings)


def serve(
    create_app: Callable[[SettingsT], FastAPI],
    settings: SettingsT,
    http: type[asyncio.Protocol] | str = "httptools",
    make_server: Callable[[uvicorn.Config], uvicorn.Server] = uvicorn.Server,
) -> None:
    """Serve until SIGTERM or SIGINT, then let requests under way finish.

    ``create_app`` is called inside the event loop: drivers keep the loop they are made in.
    """
    configure_logging(settings.log_level)
    config = uvicorn.Config(
        partial(create_app, settings),
        factory=True,
        host=settings.listen_host,
        port=settings.listen_port,
        loop="uvloop",
        http=http,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=4096,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
    )
    server = make_server(config)
    server.run()
    if not server.started:
        sys.exit(NOT_STARTED)
