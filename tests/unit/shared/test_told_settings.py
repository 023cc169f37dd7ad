from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from etracker_shared.plumbing.health import health_router
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from etracker_shared.plumbing.told_settings import tell_settings


@dataclass(frozen=True)
class Parameters:
    phi: float = 0.3
    bounds: tuple[int | None, ...] = (1, None)


class SomeSettings(PostgresSettings, RedisSettings):
    equilibrium: Parameters = Parameters()
    guests: bool = True


SETTINGS = SomeSettings(
    pgpassword=SecretStr("hidden"),
    redis=SecretStr("hidden too"),
    redis_url="redis://me:hidden@redis:6379/0",
    equilibrium=Parameters(phi=0.5),
)


def test_each_variable_is_told_as_it_would_be_written() -> None:
    told = {one.name: one for one in tell_settings(SETTINGS).settings}
    assert (told["PGHOST"].value, told["PGHOST"].changed) == ("localhost", False)
    assert (told["ETRACKER_GUESTS"].value, told["ETRACKER_GUESTS"].default) == ("true", "true")
    phi, bounds = told["ETRACKER_EQUILIBRIUM_PHI"], told["ETRACKER_EQUILIBRIUM_BOUNDS"]
    assert (phi.value, phi.default, phi.changed) == ("0.5", "0.3", True)
    assert (bounds.value, bounds.changed) == ("1 all", False)


def test_no_secret_is_told_but_that_it_is_set() -> None:
    told = tell_settings(SETTINGS)
    assert "hidden" not in told.model_dump_json()
    assert {one.name for one in told.settings if one.secret} == {"PGPASSWORD", "ETRACKER_REDIS"}
    assert all(one.changed for one in told.settings if one.secret)
    assert {one.value for one in told.settings if one.name == "ETRACKER_REDIS_URL"} == {"redis://redis:6379/0"}


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("172.30.77.4", {}, 200),
        ("fd65:7472:6163::4", {}, 200),
        ("8.8.8.8", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}, 404),
        ("a socket", {}, 404),
    ],
)
async def test_settings_are_told_to_the_private_network_only(
    address: str, headers: dict[str, str], status: int
) -> None:
    app = FastAPI()
    app.include_router(health_router({}, CollectorRegistry(), SETTINGS))
    transport = ASGITransport(app=app, client=(address, 5))
    async with AsyncClient(transport=transport, base_url="http://service.test") as client:
        assert (await client.get("/settings", headers=headers)).status_code == status
