"""Run one of etracker's FastAPI applications under uvicorn."""

import uvicorn
from fastapi import FastAPI

from etracker_shared.logs import configure_logging
from etracker_shared.settings import ServingSettings

GRACEFUL_SHUTDOWN_SECONDS = 10


def serve(app: FastAPI, settings: ServingSettings, http: type | str = "httptools") -> None:
    """Serve until SIGTERM or SIGINT, then let requests under way finish."""
    configure_logging(settings.log_level)
    uvicorn.run(
        app,
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
