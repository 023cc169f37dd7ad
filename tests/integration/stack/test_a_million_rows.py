"""A million torrents and keys cost no service memory: each looks them up only when it needs them."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil
import pytest

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from etracker_stack.services import server_variables
from tests.support.catalogue import fill_catalogue
from tests.support.postgres import PostgresServer, cloned_database, connect
from tests.support.processes import Program, free_ports

MILLION = 1_000_000
MOST_BYTES = 16 * 2**20
SETTLED_SECONDS = 5.0
"""By then every kind of background work had a turn."""

SERVICES = {
    "announce": "etracker_announce",
    "scoring": "etracker_scoring",
    "scoring worker": "etracker_scoring.worker",
    "admin API": "etracker_admin_api",
}


@pytest.mark.full
@pytest.mark.timeout(900)
async def test_a_million_torrents_and_keys_cost_no_service_memory(
    shared_postgres: PostgresServer, redis_settings: RedisSettings, tmp_path: Path
) -> None:
    with cloned_database(shared_postgres) as postgres:
        variables = _variables(postgres, redis_settings)
        before = {name: await _start(module, variables, tmp_path / name) for name, module in SERVICES.items()}
        connection = await connect(postgres)
        await fill_catalogue(connection, MILLION)
        await connection.execute(
            "INSERT INTO peers (announce_key) SELECT 'key-' || n FROM generate_series(1, $1::int) n",
            MILLION,
            timeout=600,
        )
        await connection.close()
        after = {name: await _start(module, variables, tmp_path / name) for name, module in SERVICES.items()}
    for name in SERVICES:
        (seconds_before, bytes_before), (seconds_after, bytes_after) = before[name], after[name]
        print(f"{name}: ready after {seconds_before:.1f} and {seconds_after:.1f} s, MiB", end=" ")  # noqa: T201 - shown by -s
        print(f"{bytes_before / 2**20:.0f} and {bytes_after / 2**20:.0f}")  # noqa: T201 - as above
        assert bytes_after - bytes_before < MOST_BYTES, name


def _variables(postgres: PostgresSettings, redis: RedisSettings) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        **server_variables(postgres, redis),
        "ETRACKER_LISTEN_HOST": "127.0.0.1",
    }


async def _start(module: str, variables: Mapping[str, str], log: Path) -> tuple[float, int]:
    """Run one service for a while; return the seconds until it was ready, and the memory it uses at the end."""
    port, observation_port = free_ports(2)
    ready = f"http://127.0.0.1:{observation_port if module == 'etracker_announce' else port}/readyz"
    started = time.monotonic()
    ports = {"ETRACKER_LISTEN_PORT": str(port), "ETRACKER_OBSERVATION_PORT": str(observation_port)}
    environment = {**variables, **ports}
    with Program([sys.executable, "-m", module], log=log, environment=environment) as program, httpx.Client() as client:
        program.wait_until(lambda: _answers(client, ready), f"{module} answers", 60)
        seconds = time.monotonic() - started
        await asyncio.sleep(SETTLED_SECONDS)
        return seconds, psutil.Process(program.pid).memory_info().rss


def _answers(client: httpx.Client, url: str) -> bool:
    """Return whether it is up; whether its dependencies are (announce asks scoring) doesn't matter here."""
    try:
        return client.get(url).status_code in {200, 503}
    except httpx.TransportError:
        return False
