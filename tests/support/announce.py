"""The announce service in the test's own process, behind real sockets, and a scoring service that tests control."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

import fastbencode
import uvicorn
from fastapi import FastAPI, HTTPException

from etracker_announce.app import Ports
from etracker_announce.app import serving as serving_announces
from etracker_announce.settings import AnnounceSettings
from etracker_shared.agreements.tiers import TIERS_PATH, TiersRequest, TiersResponse, Treatment
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.language.tier import Tier
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.postgres import connect

DEADLINE_SECONDS = 10.0
ON_FREE_PORTS = {
    "listen_host": "127.0.0.1",
    "listen_port": 0,
    "observation_host": "127.0.0.1",
    "observation_port": 0,
}


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[uvicorn.Server]:
    """Serve an application on a free port, see :func:`port_of`."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not server.started:
                assert not task.done(), "the server didn't start"
                await asyncio.sleep(0.005)
        yield server
    finally:
        server.should_exit = True
        await task


def port_of(server: uvicorn.Server) -> int:
    return int(server.servers[0].sockets[0].getsockname()[1])


@dataclass
class SteeredScoring:
    """Answers ``/v1/tiers`` as a test demands.

    ``questions``: the batches of key hashes it was asked for. ``prefixes``: where they announced from.
    """

    treatments: dict[str, Treatment] = field(default_factory=dict)
    down: bool = False
    delay_seconds: float = 0.0
    questions: list[list[str]] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)

    def register(self, key: str, tier: Tier = Tier.CONTRIBUTOR, **treatment: Any) -> None:
        self.treatments[hash_announce_key(key).hex()] = Treatment(registered=True, tier=tier, **treatment)

    def forget(self, key: str) -> None:
        del self.treatments[hash_announce_key(key).hex()]

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post(TIERS_PATH)
        async def tiers(request: TiersRequest) -> TiersResponse:
            self.questions.append(request.keys)
            self.prefixes |= request.prefixes
            await asyncio.sleep(self.delay_seconds)
            if self.down:
                raise HTTPException(503)
            return TiersResponse(peers=[self._standing(key) for key in request.keys])

        return app

    def _standing(self, key: str) -> Treatment:
        return self.treatments.get(key, Treatment(registered=False, tier=Tier.FREE_RIDER))


@dataclass
class Announcer:
    """A running announce service and what it depends on."""

    ports: Ports
    scoring: SteeredScoring
    postgres: PostgresSettings
    settings: AnnounceSettings

    async def get(self, path: str | bytes, **headers: str) -> bytes:
        """Send one GET over a new connection and return the body of the answer, whose status must be 200."""
        head, body = await self.exchange(path, **headers)
        assert head.startswith(b"HTTP/1.1 200 "), head
        return body

    async def exchange(self, path: str | bytes, **headers: str) -> tuple[bytes, bytes]:
        """Send one GET and return head and body of the answer; ``headers`` with underscores for dashes."""
        return await self._exchange(self.ports.announce, path, **headers)

    async def observe(self, path: str) -> tuple[int, str]:
        """Get a path of the observation port; return status and body."""
        head, body = await self._exchange(self.ports.observation, path)
        return int(head.split()[1]), body.decode()

    async def _exchange(self, port: int, path: str | bytes, **headers: str) -> tuple[bytes, bytes]:
        raw = path.encode() if isinstance(path, str) else path
        lines = b"".join(b"%b: %b\r\n" % (k.replace("_", "-").encode(), v.encode()) for k, v in headers.items())
        request = b"GET " + raw + b" HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n" + lines + b"\r\n"
        head, _, body = (await self._send(port, request)).partition(b"\r\n\r\n")
        return head, body

    async def _send(self, port: int, request: bytes) -> bytes:
        """Send bytes and return everything that comes back until the server closes."""
        reader, writer = await asyncio.open_connection(self.settings.listen_host, port)
        try:
            writer.write(request)
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await reader.read()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def announce(self, key: str | None, info_hash: bytes, peer_id: bytes, **more: Any) -> dict[bytes, Any]:
        """Announce and return the decoded answer.

        ``source``: the address that a trusted proxy reports. ``client_key``: the parameter ``key``.
        """
        more["key"] = more.pop("client_key", None)
        headers = {"X_Forwarded_For": more.pop("source")} if "source" in more else {}
        path = "/announce" if key is None else f"/{key}/announce"
        answer = fastbencode.bdecode(await self.get(f"{path}?{query(info_hash, peer_id, **more)}", **headers))
        assert isinstance(answer, dict)
        return answer

    async def scrape(self, key: str | None, *info_hashes: bytes) -> dict[bytes, Any]:
        path = "/scrape" if key is None else f"/{key}/scrape"
        hashes = "&".join(f"info_hash={quote_from_bytes(info_hash)}" for info_hash in info_hashes)
        answer = fastbencode.bdecode(await self.get(f"{path}?{hashes}"))
        assert isinstance(answer, dict)
        return answer

    async def track(self, *info_hashes: bytes) -> None:
        """Put infohashes on the allowlist as an operator does with psql."""
        rows = [(info_hash, info_hash.hex()) for info_hash in info_hashes]
        await self.sql("INSERT INTO infohashes (info_hash, name) VALUES ($1, $2)", rows)

    async def sql(self, statement: str, rows: Sequence[Sequence[Any]] = ((),)) -> None:
        connection = await connect(self.postgres)
        try:
            await connection.executemany(statement, rows)
        finally:
            await connection.close()


def query(info_hash: bytes, peer_id: bytes, **more: Any) -> str:
    """Build an announce's query of a leecher on port 6881, changed by ``more`` (None leaves a parameter out)."""
    fields = {"port": 6881, "uploaded": 0, "downloaded": 0, "left": 1000, "compact": 1} | more
    tail = "".join(f"&{name}={value}" for name, value in fields.items() if value is not None)
    return f"info_hash={quote_from_bytes(info_hash)}&peer_id={quote_from_bytes(peer_id)}{tail}"


@asynccontextmanager
async def running_announcer(
    postgres: PostgresSettings, redis: RedisSettings, clock: Callable[[], float] = time.time, **settings: Any
) -> AsyncIterator[Announcer]:
    """Run the announce service on real servers, ready for announces. ``clock``: the Unix time of announces."""
    scoring = SteeredScoring()
    async with serving(scoring.app()) as scoring_server:
        announce_settings = AnnounceSettings.model_validate(
            postgres.model_dump()
            | redis.model_dump()
            | {"scoring_url": f"http://127.0.0.1:{port_of(scoring_server)}", **ON_FREE_PORTS}
            | settings
        )
        async with serving_announces(announce_settings, linger_seconds=0, clock=clock) as ports:
            announcer = Announcer(ports, scoring, postgres, announce_settings)
            await _wait_until_ready(announcer)
            yield announcer


async def _wait_until_ready(announcer: Announcer) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await announcer.observe("/readyz"))[0] != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
