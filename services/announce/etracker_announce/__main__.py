"""``python -m etracker_announce``: serve announces."""

import asyncio
import gc
import signal
import sys

import uvloop
from structlog import get_logger

from etracker_announce.app import serving
from etracker_announce.settings import AnnounceSettings
from etracker_shared.plumbing.logs import configure_logging
from etracker_shared.plumbing.serving import allow_many_connections
from etracker_shared.plumbing.settings import load_settings
from etracker_shared.plumbing.sockets import NOT_STARTED

YOUNG_OBJECTS = 20_000

log = get_logger("announce")


def main() -> None:
    """Read the settings and serve until SIGTERM or SIGINT."""
    settings = load_settings(AnnounceSettings)
    configure_logging(settings.log_level)
    allow_many_connections()
    _collect_garbage_less_often()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_serve_until_stopped(settings)))


async def _serve_until_stopped(settings: AnnounceSettings) -> int:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        async with serving(settings) as ports:
            log.info("serving", port=ports.announce, observation_port=ports.observation)
            await stopped.wait()
    except OSError as error:
        log.error("cannot_listen", reason=str(error))
        return NOT_STARTED
    return 0


def _collect_garbage_less_often() -> None:
    """Exclude the modules from garbage collection, and collect less often: a connection leaves only a small cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


if __name__ == "__main__":
    main()
