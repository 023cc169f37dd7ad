"""Watches whether Redis accepts writes. It still answers reads while it is full or can't write its append-only file."""

import time
from collections.abc import Callable

import structlog

from etracker_announce.adapters.swarms.server import Refusal, Server, is_out_of_memory
from etracker_announce.ports import SwarmsUnavailableError
from etracker_shared.agreements import redis_keys

PROBE_SECONDS = 1.0
STEADY_SECONDS = 10.0
"""Report that Redis accepts writes again only after this time: a full one accepts some whenever memory is freed."""

_FULL = "it is out of memory: known peers are served, new ones told to try again; raise its maxmemory if this lasts"
_PROBES = [(b"SETRANGE", key, 0, b"") for key in redis_keys.ALL_SYNCED[::16]]
"""Writes that change nothing, on enough tags to reach every node of a cluster."""

_log = structlog.get_logger(__name__)


class WriteWatch:
    """Try to write every second; log when Redis begins to refuse writes and when it accepts them again.

    ``on_change`` is called with whether writes are refused, each time this or the reason changes.
    """

    def __init__(
        self, server: Server, on_change: Callable[[bool], None], steady_seconds: float = STEADY_SECONDS
    ) -> None:
        self._server = server
        self._steady_seconds = steady_seconds
        self._on_change = on_change
        self._told: str | None = None
        self._refused_at = 0.0

    async def check(self) -> None:
        """Try now, and report a change.

        Raises:
            SwarmsUnavailableError: Redis doesn't answer.
        """
        refusal = await self._refusal()
        if refusal is not None:
            self._refused_at = time.monotonic()
            if self._told != refusal:
                _log.error("redis refuses writes", error=refusal)
                self._tell(refusal)
        elif self._told is not None and time.monotonic() > self._refused_at + self._steady_seconds:
            _log.warning("redis accepts writes again")
            self._tell(None)

    async def complaint(self) -> str | None:
        """Return one sentence on what is wrong now, or None."""
        try:
            refusal = await self._refusal()
        except SwarmsUnavailableError as error:
            return str(error)
        return None if refusal is None else f"Redis refuses writes: {refusal}"

    async def _refusal(self) -> str | None:
        refusals = [reply for reply in await self._server.execute(_PROBES) if isinstance(reply, Refusal)]
        if not refusals:
            return None
        return _FULL if is_out_of_memory(refusals[0]) else str(refusals[0])

    def _tell(self, refusal: str | None) -> None:
        self._told = refusal
        self._on_change(refusal is not None)
