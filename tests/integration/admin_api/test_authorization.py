import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import AsyncClient
from pydantic import SecretStr

from etracker_admin_api.app import create_app
from etracker_admin_api.settings import AdminSettings
from tests.integration.admin_api.conftest import API_KEY, serving

PUBLIC = {
    ("GET", "/"),
    ("GET", "/infohashes"),
    ("GET", "/api/stats"),
    ("GET", "/api/generate"),
    ("GET", "/api/infohashes"),
    ("GET", "/api/torrentfile"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
}


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for path, operations in app.openapi()["paths"].items():
        yield from ((method.upper(), path) for method in operations)


async def test_every_route_that_isnt_public_wants_the_key(admin_settings: AdminSettings) -> None:
    restricted = set(routes(create_app(admin_settings))) - PUBLIC
    assert len(restricted) >= 3
    async with serving(admin_settings) as client:
        for method, path in restricted:
            assert (await client.request(method, path)).status_code == 401, path
            wrong = {"Authorization": API_KEY[:-1]}
            assert (await client.request(method, path, headers=wrong)).status_code == 403, path


@pytest.mark.parametrize("wrong", [" ", API_KEY + "x", API_KEY.upper(), f"Bearer {API_KEY}", "é".encode("latin-1")])
async def test_a_wrong_key_is_refused_before_the_body_is_read(client: AsyncClient, wrong: str | bytes) -> None:
    async def unread() -> AsyncIterator[bytes]:
        yield await asyncio.Future()  # never comes

    headers = {b"Authorization": wrong.encode() if isinstance(wrong, str) else wrong}
    response = await client.post("/api/torrentfile", headers=headers, content=unread())
    assert response.status_code == 403
    assert API_KEY not in response.text


async def test_a_key_beyond_ascii_works(admin_settings: AdminSettings) -> None:
    settings = admin_settings.model_copy(update={"authorization": SecretStr("schlüssel ключ")})
    async with serving(settings) as client:
        headers = {b"Authorization": "schlüssel ключ".encode()}
        assert (await client.post("/api/infohash", headers=headers)).status_code == 400


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "anything"}])
async def test_without_a_key_set_the_restricted_api_is_off_and_says_why(
    admin_settings: AdminSettings, headers: dict[str, str]
) -> None:
    async with serving(admin_settings.model_copy(update={"authorization": SecretStr("")})) as client:
        response = await client.post("/api/infohash", headers=headers, json={})
        assert response.status_code == 403
        assert "ETRACKER_AUTHORIZATION" in response.json()["message"]


def test_the_walk_sees_every_route_of_the_application(admin_settings: AdminSettings) -> None:
    """Pages and metrics aren't in the schema; nothing else may hide from it."""
    hidden = {"/", "/infohashes", "/metrics"}
    app = create_app(admin_settings)
    in_schema = {path for _method, path in routes(app)}
    found = {route.path for route in app.routes if isinstance(route, APIRoute)}
    assert found - in_schema <= hidden
