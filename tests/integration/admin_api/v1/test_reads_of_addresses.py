"""Whoever sees peers' addresses is on record: no row, no addresses."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient, Response

from etracker_admin_api.anomalies.models import Client
from etracker_admin_api.api_keys import hash_api_key
from etracker_admin_api.app import create_app
from etracker_admin_api.settings import AdminSettings
from etracker_shared.language.identity import InfoHash
from tests.support.admin_api import AUTHORIZED

FILM, OTHER = InfoHash(b"f" * 20), InfoHash(b"o" * 20)
ANNES = {"Authorization": "annes"}


@pytest.fixture
async def tracker(client: AsyncClient, database: asyncpg.Connection) -> AsyncClient:
    for info_hash in (FILM, OTHER):
        await database.execute("INSERT INTO infohashes (info_hash, name) VALUES ($1, 'film')", info_hash)
    await database.execute("INSERT INTO operators (name, key_hash) VALUES ('ann', $1)", hash_api_key(b"annes"))
    return client


async def read(tracker: AsyncClient, info_hash: InfoHash, headers: dict[str, str]) -> Response:
    return await tracker.get(f"/api/v1/infohashes/{info_hash.hex()}/peers", headers=headers)


def properties(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    """Yield the names of everything that an answer may hold, but for programs: theirs is the prefix of a peer_id."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = {} if name == Client.__name__ else schemas[name]
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from properties(inner, schemas)
    for inner in [*schema.get("anyOf", []), *([schema["items"]] if "items" in schema else [])]:
        yield from properties(inner, schemas)


def test_two_routes_show_addresses_and_two_others_only_hashes_or_numbers_of_prefixes() -> None:
    document = create_app(AdminSettings()).openapi()
    schemas = document["components"]["schemas"]
    showing = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
        if any("address" in name or "prefix" in name for name in properties(content.get("schema", {}), schemas))
    }
    assert showing == {
        "/api/v1/infohashes/{info_hash}/peers",
        "/api/blocklist/{token}",  # those that the token's recipient got in its lists
        "/api/v1/prefixes",  # hashes of prefixes
        "/api/v1/key/disown",  # how many prefixes
    }


async def test_a_read_is_in_the_log_with_who_what_and_by_which_request(
    tracker: AsyncClient, database: asyncpg.Connection
) -> None:
    response = await read(tracker, FILM, ANNES)
    assert response.status_code == 200
    (item,) = (await tracker.get("/api/v1/audit?action=peers.read&operator=ann", headers=AUTHORIZED)).json()["items"]
    assert (item["operator"], item["target"], item["detail"]) == ("ann", FILM.hex(), {"reads": 1})
    assert item["request_id"] == response.headers["x-request-id"]
    assert await database.fetchval("SELECT operator_id = o.id FROM audit_log, operators o") is True


async def test_reads_of_an_hour_are_counted_in_one_row(tracker: AsyncClient, database: asyncpg.Connection) -> None:
    first = await read(tracker, FILM, AUTHORIZED)
    for _ in range(3):
        last = await read(tracker, FILM, AUTHORIZED)
    await read(tracker, OTHER, AUTHORIZED)
    await read(tracker, FILM, ANNES)
    rows = await database.fetch("SELECT operator, target, request_id, detail FROM audit_log ORDER BY id")
    assert [(row["operator"], row["target"]) for row in rows] == [
        ("environment", FILM.hex()),
        ("environment", OTHER.hex()),
        ("ann", FILM.hex()),
    ]
    detail = json.loads(rows[0]["detail"])
    assert rows[0]["request_id"] == first.headers["x-request-id"]
    assert (detail["reads"], detail["last_request_id"]) == (4, last.headers["x-request-id"])
    assert detail["last_at"] is not None


async def test_the_next_hour_has_a_row_of_its_own(tracker: AsyncClient, database: asyncpg.Connection) -> None:
    await read(tracker, FILM, AUTHORIZED)
    await database.execute(
        "UPDATE audit_log SET at = at - interval '1 hour', read_hour = read_hour - interval '1 hour'"
    )
    await read(tracker, FILM, AUTHORIZED)
    assert await database.fetchval("SELECT count(*) FROM audit_log") == 2


async def test_what_cant_be_recorded_isnt_shown(tracker: AsyncClient, database: asyncpg.Connection) -> None:
    await database.execute("ALTER TABLE audit_log RENAME TO audit_log_away")
    response = await read(tracker, FILM, AUTHORIZED)
    assert response.status_code == 503
    assert "items" not in response.json()


async def test_whoever_may_not_see_them_leaves_no_row(tracker: AsyncClient, database: asyncpg.Connection) -> None:
    assert (await read(tracker, FILM, {"Authorization": "wrong"})).status_code == 403
    assert (await read(tracker, InfoHash(b"x" * 20), AUTHORIZED)).status_code == 404
    assert await database.fetchval("SELECT count(*) FROM audit_log") == 0
