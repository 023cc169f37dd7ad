"""Passwords may contain what shells, URLs and configuration files give a meaning, and are in no process list."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from pydantic import SecretStr, ValidationError
from sqlalchemy import make_url

from etracker_admin_api.api_keys import UnfitApiKeyError, check_api_key
from etracker_shared.plumbing.redis_connections import connect_redis
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from etracker_stack.programs import redis_program
from etracker_stack.redis import redis_child
from etracker_stack.settings import StackSettings
from tests.support.processes import Program, free_port

SCRIPT = Path(__file__).parents[3] / "deploy" / "redis" / "start.sh"
ODD = (
    "spaces 'single' and \"double\" quotes ",
    "$HOME ${HOME} $(id) `id` %41 %s $$",
    "user@host:1/0?a=b&c#d # comment",
    "back\\slash \\x41 \\n\\",
    "ünïcödé 密码 😀 öäü",
)


def embedded(directory: Path, port: int, password: str) -> Program:
    """Redis as ``make run`` starts it."""
    child = redis_child(redis_program(), directory, port, password, 64 * 2**20)
    return Program(child.command, log=directory / "log")


def contained(directory: Path, port: int, password: str) -> Program:
    """Redis as its container starts it."""
    server = shutil.which("redis-server")
    assert server, "redis-server is missing: make install-system"
    variables = {"PATH": os.environ["PATH"], "REDISCLI_AUTH": password, "REDIS_DATA": str(directory)}
    command = ["sh", str(SCRIPT), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
    return Program(command, log=directory / "log", environment={**variables, "REDIS_START": server})


@pytest.mark.parametrize("start", [embedded, contained])
@pytest.mark.parametrize("password", ODD)
async def test_redis_takes_any_password_and_shows_it_to_nobody(tmp_path: Path, start: object, password: str) -> None:
    assert callable(start)
    port = free_port()
    with start(tmp_path, port, password) as program, redis.Redis(port=port) as stranger:
        program.wait_until(lambda: refuses(stranger), "Redis answers")
        settings = RedisSettings(redis_url=f"redis://127.0.0.1:{port}/0", redis=SecretStr(password))
        client = connect_redis(settings)
        assert await client.ping()
        await client.aclose()
        assert password not in "".join(shown(program.pid))
    assert password not in program.output


def refuses(client: redis.Redis) -> bool:
    try:
        client.ping()
    except redis.AuthenticationError:
        return True
    except redis.ConnectionError:
        return False
    return False


def shown(pid: int) -> Iterator[str]:
    """Yield what a process list shows of a program and its children."""
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        yield from process.cmdline()


@pytest.mark.parametrize("password", ODD)
def test_the_address_of_postgres_keeps_any_password(password: str) -> None:
    settings = PostgresSettings(pgpassword=SecretStr(password))
    assert make_url(settings.sqlalchemy_url()).password == password
    assert settings.asyncpg_arguments()["password"] == password


@pytest.mark.parametrize("api_key", ODD)
def test_an_api_key_may_have_any_character_that_can_be_printed(api_key: str) -> None:
    assert check_api_key(api_key) == api_key.strip()
    assert StackSettings(authorization=SecretStr(api_key)).authorization == SecretStr(api_key)


@pytest.mark.parametrize("api_key", ["two\nlines of it, long enough", "tab\tand enough else"])
def test_an_api_key_that_no_header_can_contain_is_refused_with_a_sentence(api_key: str) -> None:
    with pytest.raises(UnfitApiKeyError, match=r"can't be sent in a header; .* generates a good one"):
        check_api_key(api_key)
    with pytest.raises(ValidationError, match="may contain letters, digits, spaces and punctuation only"):
        StackSettings(authorization=SecretStr(api_key))
