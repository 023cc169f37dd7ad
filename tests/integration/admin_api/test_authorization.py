import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from ipaddress import IPv4Network
from pathlib import Path

import asyncpg
import pytest
from httpx import AsyncClient
from pydantic import SecretStr

from etracker_admin_api.api_keys import hash_api_key
from etracker_admin_api.app import create_app
from etracker_admin_api.settings import AdminSettings
from tests.support.admin_api import API_KEY, AUTHORIZED, serving, serving_many
from tests.support.admin_routes import INFO_HASH, KEY_HOLDERS, OPERATORS, PUBLIC, every_route, fill

REVOKED = "etk_revoked"
ANNOUNCE_KEY = "ab" * 15

Route = tuple[str, str]


@pytest.fixture
async def everything(database: asyncpg.Connection) -> asyncpg.Connection:
    """Something of everything that could be changed."""
    await database.execute("INSERT INTO infohashes (info_hash, name) VALUES ($1, 'a film')", bytes.fromhex(INFO_HASH))
    await database.execute("INSERT INTO peers (id, announce_key) VALUES (1, $1)", ANNOUNCE_KEY)
    await database.execute("INSERT INTO bans (network) VALUES ('192.0.2.1')")
    await database.execute(
        "INSERT INTO operators (id, name, key_hash, revoked_time) VALUES (1, 'gone', $1, now())",
        hash_api_key(REVOKED.encode()),
    )
    return database


async def contents(database: asyncpg.Connection) -> Sequence[str]:
    """Read everything but samples and counts, which the service takes by itself."""
    tables = await database.fetch(
        "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename NOT LIKE '%\\_samples' AND tablename NOT IN ('client_counts', 'totals')"
    )
    rows = [await database.fetch(f"SELECT '{table}' || t::text FROM {table} t") for (table,) in tables]
    return sorted(row[0] for found in rows for row in found)


class Refusals:
    """Requests that have to be refused, each route's from an address of its own, because wrong keys are limited."""

    def __init__(self, client_from: Callable[[str], AsyncClient], database: asyncpg.Connection) -> None:
        self._client_from = client_from
        self._database = database
        self._addresses = IPv4Network("203.0.113.0/24").hosts()
        self.failed: list[str] = []

    async def expect(self, route: Route, refusals: Sequence[tuple[int, dict[str, str]]]) -> None:
        """Note what isn't refused with the expected status, and every change."""
        method, path = route
        before = await contents(self._database)
        async with self._client_from(str(next(self._addresses))) as client:
            for expected, headers in refusals:
                response = await client.request(method, fill(path), headers=headers, json={})
                if response.status_code != expected:
                    self.failed.append(f"{method} {path} {headers}: {response.status_code} instead of {expected}")
        if await contents(self._database) != before:
            self.failed.append(f"{method} {path} has changed something")


async def test_an_operators_routes_refuse_all_others_and_change_nothing(
    admin_settings: AdminSettings, everything: asyncpg.Connection
) -> None:
    wrong_keys = (API_KEY[:-1], REVOKED, ANNOUNCE_KEY, f"Bearer {REVOKED}")
    refusals = [
        (401, {}),
        (401, {"X-Announce-Key": ANNOUNCE_KEY}),
        *((403, {"Authorization": key}) for key in wrong_keys),
    ]
    async with serving_many(admin_settings) as client_from:
        checked = Refusals(client_from, everything)
        for route in OPERATORS:
            await checked.expect(route, refusals)
    assert checked.failed == []


async def test_a_key_holders_routes_refuse_all_others_and_change_nothing(
    admin_settings: AdminSettings, everything: asyncpg.Connection
) -> None:
    await everything.execute("INSERT INTO peers (id, announce_key, disabled_time) VALUES (2, 'disabled', now())")
    wrong_keys = (ANNOUNCE_KEY[:-1], "disabled", "no key at all", API_KEY)
    refusals = [(401, {}), (401, AUTHORIZED), *((403, {"X-Announce-Key": key}) for key in wrong_keys)]
    async with serving_many(admin_settings) as client_from:
        checked = Refusals(client_from, everything)
        for route in sorted(KEY_HOLDERS):
            await checked.expect(route, refusals)
    assert checked.failed == []


def test_every_route_is_somebodys() -> None:
    assert OPERATORS
    assert every_route(create_app(AdminSettings())) >= PUBLIC | KEY_HOLDERS


async def test_a_wrong_key_is_refused_before_the_body_is_read(client: AsyncClient) -> None:
    async def unread() -> AsyncIterator[bytes]:
        yield await asyncio.Future()  # never comes

    async def refused(wrong: bytes) -> None:
        headers = {b"Authorization": wrong}
        response = await client.post("/api/torrentfile", headers=headers, content=unread())
        assert response.status_code == 403, wrong
        assert API_KEY not in response.text

    right = API_KEY.encode()
    wrong_keys = (b" ", right + b"x", right.upper(), b"Bearer " + right, "é".encode("latin-1"))
    await asyncio.gather(*map(refused, wrong_keys))


async def test_a_key_beyond_ascii_works(admin_settings: AdminSettings) -> None:
    settings = admin_settings.model_copy(update={"authorization": SecretStr("schlüssel und ключ")})
    async with serving(settings) as client:
        headers = {b"Authorization": "schlüssel und ключ".encode()}
        assert (await client.post("/api/infohash", headers=headers)).status_code == 400


async def test_a_key_in_a_file_is_replaced_while_every_replica_runs(
    admin_settings: AdminSettings, database: asyncpg.Connection, tmp_path: Path
) -> None:
    path, keys = tmp_path / "api_key", [f"key number {number} of several" for number in range(3)]
    await database.execute("INSERT INTO operators (name, key_hash) VALUES ('ann', $1)", hash_api_key(b"annes"))
    path.write_text(keys[0])
    changes = {"authorization": SecretStr(""), "authorization_file": str(path)}
    settings = admin_settings.model_copy(update=changes)
    async with serving(settings) as one, serving(settings) as another:

        async def statuses(key: str) -> set[int]:
            headers = {"Authorization": key}
            return {(await client.get("/api/v1/session", headers=headers)).status_code for client in (one, another)}

        for key in keys:
            path.write_text(f"{key}\n")
            assert [await statuses(candidate) for candidate in keys] == [
                {200 if candidate == key else 403} for candidate in keys
            ]
            assert await statuses("annes") == {200}
        path.unlink()
        assert [await statuses(key) for key in (*keys, "annes")] == [{403}] * 4
        path.write_text(keys[0])
        assert [await statuses(key) for key in (keys[0], "annes")] == [{200}] * 2


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "anything"}])
async def test_without_a_key_set_the_restricted_api_is_off_and_says_why(
    admin_settings: AdminSettings, headers: dict[str, str]
) -> None:
    async with serving(admin_settings.model_copy(update={"authorization": SecretStr("")})) as client:
        response = await client.post("/api/infohash", headers=headers, json={})
        assert response.status_code == 403
        assert "ETRACKER_AUTHORIZATION" in response.json()["message"]


def test_the_document_has_every_route_but_metrics_and_settings() -> None:
    app = create_app(AdminSettings())
    paths = app.openapi()["paths"].items()
    documented = {(method.upper(), path) for path, operations in paths for method in operations}
    hidden = {path for _method, path in every_route(app) - documented}
    assert hidden == {"/metrics", "/settings"}
