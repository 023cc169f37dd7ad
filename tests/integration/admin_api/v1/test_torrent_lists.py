"""The list under /api/v1/infohashes: search, filter, sort and pages."""

import base64
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient

from etracker_admin_api.torrents.listing import Sort
from tests.support.torrent_lists import PATH, add, names

FIELDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": lambda item: item["name"].lower(),
    "seeders": lambda item: item["seeders"],
    "leechers": lambda item: item["leechers"],
    "snatches": lambda item: item["snatches"],
    "size": lambda item: -1 if item["size"] is None else item["size"],
    "added": lambda item: item["added"],
}


@pytest.fixture
async def torrents(database: asyncpg.Connection) -> asyncpg.Connection:
    """Forty torrents: several share each value, and every third has no known size."""
    for number in range(40):
        await add(
            database,
            number,
            f"{'Ubuntu' if number % 2 else 'ubuntu'} {number % 7}",
            seeders=number % 5,
            leechers=number % 3,
            downloaded=number % 4,
            length=None if number % 3 == 0 else number * 1000,
        )
    return database


async def pages(client: AsyncClient, **parameters: str) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = (await client.get(PATH, params={**parameters, **cursor})).json()
        found.append(answer["items"])
        if answer["next"] is None:
            return found
        cursor = {"cursor": answer["next"]}


@pytest.mark.parametrize("sort", list(Sort))
async def test_pages_follow_each_other_in_every_order_without_gap_or_repetition(
    client: AsyncClient, torrents: asyncpg.Connection, sort: Sort
) -> None:
    found = await pages(client, sort=sort, limit="7")
    assert [len(page) for page in found] == [7, 7, 7, 7, 7, 5]
    items = [item for page in found for item in page]
    assert len({item["info_hash"] for item in items}) == 40
    values = [FIELDS[sort.order](item) for item in items]
    assert values == sorted(values, reverse=sort.descending)


@pytest.mark.parametrize("sort", ["name", "-seeders", "-added"])
@pytest.mark.parametrize("q", ["ubuntu", "ub"])
async def test_pages_of_a_search_follow_each_other_too(
    client: AsyncClient, torrents: asyncpg.Connection, q: str, sort: str
) -> None:
    items = [item for page in await pages(client, q=q, sort=sort, limit="9") for item in page]
    assert len(items) == len({item["info_hash"] for item in items}) == 40


async def test_health_is_told_and_filtered_by(client: AsyncClient, database: asyncpg.Connection) -> None:
    counts = {"healthy": (3, 0), "weak": (1, 5), "unseeded": (0, 1), "idle": (0, 0)}
    for number, (health, (seeders, leechers)) in enumerate(counts.items()):
        await add(database, number, health, seeders=seeders, leechers=leechers)
    items = (await client.get(PATH)).json()["items"]
    assert {item["name"]: item["health"] for item in items} == {health: health for health in counts}
    for health in counts:
        assert await names(client, health=health) == [health]
        assert await names(client, health=health, q=health[:5]) == [health]


async def test_every_word_of_a_search_is_in_the_name_in_any_case_and_place(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    for number, name in enumerate(["The Cat Concerto", "concert of THE cats", "a dog", "ПРИВЕТ мир"]):
        await add(database, number, name)
    assert await names(client, q="CONCERT cat", sort="name") == ["concert of THE cats", "The Cat Concerto"]
    assert await names(client, q="concerto cats") == []
    assert await names(client, q="привет МИР") == ["ПРИВЕТ мир"]


async def test_a_torrent_is_found_by_the_start_of_any_of_its_infohashes(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    await add(database, 0xDEADBEEF, "a hybrid")
    await add(database, 0xCAFEBABE, "a hybrid", same_as=0xDEADBEEF)
    await add(database, 3, "about deadbeef, the cow")
    assert sorted(await names(client, q="DEADBEEF")) == ["a hybrid", "about deadbeef, the cow"]
    assert await names(client, q="cafebabe0000") == ["a hybrid"]
    assert await names(client, q="deadbee") == ["about deadbeef, the cow"]


async def test_a_hybrid_is_listed_once(client: AsyncClient, database: asyncpg.Connection) -> None:
    await add(database, 1, "a hybrid")
    await add(database, 2, "a hybrid", same_as=1)
    assert await names(client) == ["a hybrid"]
    for number in (1, 2):
        detail = (await client.get(f"{PATH}/{number:08x}{0:032x}")).json()
        assert (detail["info_hash"][:8], detail["other_info_hash"][:8]) == ("00000001", "00000002")


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "AAAA",
        forged(),
        forged("-added", "today", 1),
        forged("name", "a", 1),
        forged("-added", 10**30, 1),
        forged("-added", True, 1),
        forged("-added", 1, None),
        forged("-added", 1, 2**64),
    ],
)
async def test_a_cursor_that_no_list_gave_is_refused_with_a_sentence(client: AsyncClient, cursor: str) -> None:
    response = await client.get(PATH, params={"cursor": cursor})
    assert response.status_code == 400
    assert response.json()["detail"].endswith(".")


async def test_a_list_is_answered_by_its_tag_until_it_changes(
    client: AsyncClient, torrents: asyncpg.Connection
) -> None:
    first = await client.get(PATH)
    assert first.headers["cache-control"].startswith("public, max-age=")
    known = {"If-None-Match": first.headers["etag"]}
    assert (await client.get(PATH, headers=known)).status_code == 304
    assert (await client.get(PATH, headers={"If-None-Match": "W/" + first.headers["etag"]})).content == b""
    await torrents.execute("UPDATE infohashes SET seeders = 77 WHERE id = (SELECT max(id) FROM infohashes)")
    assert (await client.get(PATH, headers=known)).status_code == 200
