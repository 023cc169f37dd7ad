"""The last release works on the newest schema: an upgrade migrates while it serves, and a rollback starts it again.

The kind: a migration that takes away, renames or demands what running services know. It has to come a release later
than the code that no longer needs it (expand, then contract). That includes what the user of those services may do.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastbencode import bdecode

from etracker_migrations.upgrade import upgrade
from etracker_shared.agreements.database_roles import DatabaseRole, role_name, role_password
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from etracker_stack.services import server_variables
from tests.support.announce import query
from tests.support.postgres import PostgresServer, connect, running_postgres
from tests.support.processes import Program, free_ports
from tests.support.versions import check_out, last_release
from tests.support.waiting import eventually

KEY = "0123456789abcdef0123456789abcd"
INFO_HASH = bytes(range(20))
PEER_ID = b"-ET0001-000000000001"
MODULES = ("etracker_announce", "etracker_scoring", "etracker_admin_api", "etracker_shared")
PACKAGES = ("services/announce", "services/scoring", "services/admin_api", "shared")
API_KEY = "the-key-of-the-first-operator"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the last release."""
    directory = tmp_path_factory.mktemp("last-release")
    check_out(last_release(), directory)
    return directory


@pytest.fixture
def upgraded(release: Path) -> Iterator[PostgresSettings]:
    """A database that the last release has made, on a server without roles, upgraded to the newest version."""
    with running_postgres("the owner's password") as server:
        server.execute(_WITHOUT_ROLES, "migrated")
        settings = _made_by(release, server)
        upgrade(settings)
        yield settings


def _made_by(release: Path, server: PostgresServer) -> PostgresSettings:
    server.execute("CREATE DATABASE old")
    settings = server.settings("old")
    variables = {name.upper(): str(value) for name, value in settings.model_dump(exclude={"pgpassword"}).items()}
    variables["PGPASSWORD"] = settings.pgpassword.get_secret_value()
    variables["PYTHONPATH"] = os.pathsep.join(str(release / package) for package in ("migrations", "shared"))
    command = [sys.executable, "-m", "etracker_migrations"]
    done = subprocess.run(command, env={**os.environ, **variables}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return settings


_WITHOUT_ROLES = "; ".join(f"DROP OWNED BY etracker_{role}; DROP ROLE etracker_{role}" for role in DatabaseRole)


class Services:
    """Announce, scoring with its worker, and the admin API of one version, as programs."""

    def __init__(self, release: Path, postgres: PostgresSettings, redis: RedisSettings, logs: Path) -> None:
        self._logs = logs
        scoring, worker, announce, observation, admin_api = free_ports(5)
        self._environment = {
            **os.environ,
            **server_variables(postgres, redis),
            "PYTHONPATH": os.pathsep.join(str(release / package) for package in PACKAGES),
            "ETRACKER_LISTEN_HOST": "127.0.0.1",
            "ETRACKER_ANNOUNCE_HOST": "127.0.0.1",
            "ETRACKER_OBSERVATION_PORT": str(observation),
            "ETRACKER_SCORING_URL": f"http://127.0.0.1:{scoring}",
            "ETRACKER_ANNOUNCE_URL": f"http://127.0.0.1:{observation}",
            "ETRACKER_WORKER_URL": f"http://127.0.0.1:{worker}",
            "ETRACKER_WORKER_POLL_SECONDS": "0.02",
            "ETRACKER_AUTHORIZATION": API_KEY,
        }
        self._ports = {
            "etracker_scoring": (scoring, scoring),
            "etracker_scoring.worker": (worker, worker),
            "etracker_announce": (announce, observation),
            "etracker_admin_api": (admin_api, admin_api),
        }
        self.announce = f"http://127.0.0.1:{announce}"
        self.admin_api = f"http://127.0.0.1:{admin_api}"

    def start(self, running: ExitStack) -> None:
        """Start all of them, and return when they are ready."""
        programs = [self._program(module, port) for module, (port, _) in self._ports.items()]
        for program in programs:
            running.enter_context(program)
        for program, (module, (_, health)) in zip(programs, self._ports.items(), strict=True):
            program.wait_until(partial(_is_ready, health), f"{module} is ready", 40)

    def imported(self) -> str:
        """Return the files of the modules that these programs import."""
        code = "; ".join(f"import {module}; print({module}.__file__)" for module in MODULES)
        log = self._logs / "imported.log"
        program = Program([sys.executable, "-c", code], log=log, environment=self._environment)
        program.start()
        assert program.wait() == 0, program.output
        return program.output

    def _program(self, module: str, port: int) -> Program:
        variables = {**self._environment, "ETRACKER_LISTEN_PORT": str(port)}
        return Program([sys.executable, "-m", module], log=self._logs / f"{module}.log", environment=variables)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def services(
    release: Path, upgraded: PostgresSettings, redis_settings: RedisSettings, tmp_path: Path
) -> Iterator[Services]:
    """The services of the last release on a database that is migrated to the newest version."""
    services = Services(release, upgraded, redis_settings, tmp_path)
    with ExitStack() as running:
        services.start(running)
        yield services


@pytest.mark.timeout(120)
async def test_the_last_releases_services_count_and_list_on_the_newest_schema(
    services: Services, release: Path, upgraded: PostgresSettings
) -> None:
    assert services.imported().count(str(release)) == len(MODULES)
    connection = await connect(upgraded)
    await connection.execute("INSERT INTO peers (announce_key) VALUES ($1)", KEY)
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": API_KEY}) as client:
        wanted = {"info_hash": "AAECAwQFBgcICQoLDA0ODxAREhM=", "name": "a torrent"}
        assert (await client.post(f"{services.admin_api}/api/infohash", json=wanted)).status_code == 201

        async def announce(**fields: object) -> dict[bytes, object]:
            target = f"/{KEY}/announce?{query(INFO_HASH, PEER_ID, **fields)}"
            return dict(bdecode((await client.get(services.announce + target)).content))

        async def is_accepted() -> bool:
            return b"failure reason" not in await announce(event="started", left=1000)

        await eventually(is_accepted, "the new torrent is tracked")
        await announce(uploaded=500, downloaded=600, left=400)
        await announce(uploaded=700, downloaded=1000, left=0, event="completed")
        await announce(uploaded=900, downloaded=1000, left=0, event="stopped")

        async def is_counted() -> bool:
            row = await connection.fetchrow("SELECT uploaded, downloaded, snatched FROM peers")
            return row is not None and tuple(row) == (900, 1000, 1)

        await eventually(is_counted, "the statistics are right")
        (listed,) = (await client.get(f"{services.admin_api}/api/infohashes")).json()
        assert (listed["name"], listed["downloaded"]) == ("a torrent", 1)
    users = await connection.fetch("SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'old'")
    assert [row["usename"] for row in users] == ["etracker"]  # the last release has no roles
    await connection.close()
    assert [await _counted_for(role, upgraded) for role in DatabaseRole if role != DatabaseRole.ANNOUNCE] == [900] * 3


async def _counted_for(role: DatabaseRole, where: PostgresSettings) -> int:
    """Return what a newer service, with its role, sees of the older one's work."""
    name = role_name(where.pguser, role)
    own = {"user": name, "password": role_password(where.pgpassword.get_secret_value(), name)}
    connection = await asyncpg.connect(**{**where.asyncpg_arguments(), **own})
    try:
        return int(await connection.fetchval("SELECT uploaded FROM peers"))
    finally:
        await connection.close()
