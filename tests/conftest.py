"""Fixtures every test may use: real servers, started once a session, clean for each test."""

import gc
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.postgres import PostgresServer, cloned_database, connect, refusals_of_roles, running_postgres
from tests.support.redis import RedisServer, running_redis
from tests.support.stack import StackRun, running_stack


def pytest_collection_finish() -> None:
    """Take what every test has loaded out of the garbage collector's sight: it costs a quarter of an app's tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[PostgresServer]:
    """The session's Postgres: use ``postgres_settings``, and never stop this one."""
    with running_postgres() as server:
        yield server
        assert refusals_of_roles(server.log) == []


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """The session's Redis: use ``redis_settings``, and never stop this one."""
    with running_redis() as server:
        yield server


@pytest.fixture
def postgres_settings(shared_postgres: PostgresServer) -> Iterator[PostgresSettings]:
    """A database of the test's own, migrated and empty."""
    with cloned_database(shared_postgres) as settings:
        yield settings


@pytest.fixture
async def database(postgres_settings: PostgresSettings) -> AsyncIterator[asyncpg.Connection]:
    """One connection to the test's database."""
    connection = await connect(postgres_settings)
    yield connection
    await connection.close()


@pytest.fixture
def redis_settings(shared_redis: RedisServer) -> RedisSettings:
    """An empty Redis."""
    shared_redis.flush()
    return shared_redis.settings()


@pytest.fixture
def dedicated_postgres() -> Iterator[PostgresServer]:
    """A Postgres that the test may kill, stop and start; ``settings("migrated")`` is ready for use."""
    with running_postgres() as server:
        yield server
        assert refusals_of_roles(server.log) == []


@pytest.fixture
def dedicated_redis() -> Iterator[RedisServer]:
    """A Redis with an append-only file that the test may kill, stop and start."""
    with running_redis(append_only=True) as server:
        yield server


@pytest.fixture(scope="module")
def stack() -> Iterator[StackRun]:
    """The whole tracker, as ``make run`` starts it, shared by a module's tests."""
    with running_stack() as run:
        yield run
        assert refusals_of_roles("".join(run.log_lines())) == []
