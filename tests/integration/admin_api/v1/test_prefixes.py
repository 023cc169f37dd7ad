"""What prefixes took, as the scoring worker's own code leaves it in Redis."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from etracker_admin_api.settings import AdminSettings
from etracker_scoring.worker.takings import RedisTakings, Taking
from etracker_shared.language.identity import InfoHash
from tests.support.admin_api import AUTHORIZED

PATH = "/api/v1/prefixes"


def took(torrents: int, lists: int) -> Taking:
    return Taking(lists, {InfoHash(b"%020d" % number) for number in range(torrents)})


@pytest.fixture
async def takings(admin_settings: AdminSettings) -> AsyncIterator[RedisTakings]:
    client: Redis = Redis.from_url(admin_settings.redis_url)
    yield RedisTakings(client)
    await client.aclose()


async def page(client: AsyncClient, **parameters: Any) -> dict[str, Any]:
    answer = await client.get(PATH, params=parameters, headers=AUTHORIZED)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_newest_full_hour_and_the_current_one_are_listed_most_torrents_first(
    client: AsyncClient, takings: RedisTakings
) -> None:
    hour = int(time.time() // 3600)
    await takings.add(hour - 1, {b"crawler": took(7, 7), b"at home": took(2, 9)}, time.time())
    await takings.add(hour, {b"at home": took(1, 1)}, time.time())
    assert await page(client) == {
        "items": [
            {"prefix": b"crawler".hex(), "torrents": 7, "lists": 7},
            {"prefix": b"at home".hex(), "torrents": 2, "lists": 9},
        ],
        "next": None,
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(3600 * (hour - 1))),
    }
    current = await page(client, hour="current")
    assert current["items"] == [{"prefix": b"at home".hex(), "torrents": 1, "lists": 1}]


async def test_pages_follow_each_other_whatever_is_equal(client: AsyncClient, takings: RedisTakings) -> None:
    hour = int(time.time() // 3600)
    for number in range(12):
        await takings.add(hour, {b"name %02d" % number: took(1 + number % 3, number + 1)}, time.time())
    seen, cursor = [], None
    while True:
        answer = await page(client, hour="current", limit=5, **({"cursor": cursor} if cursor else {}))
        seen += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            break
    assert [item["torrents"] for item in seen] == [3] * 4 + [2] * 4 + [1] * 4
    assert {item["lists"] for item in seen} == set(range(1, 13))


@pytest.mark.parametrize("parameters", [{"hour": "tomorrow"}, {"cursor": "nonsense"}, {"limit": 0}])
async def test_wrong_parameters_are_refused(client: AsyncClient, parameters: dict[str, Any]) -> None:
    assert (await client.get(PATH, params=parameters, headers=AUTHORIZED)).status_code == 400


async def test_a_cursor_of_one_hour_is_none_of_another(client: AsyncClient, takings: RedisTakings) -> None:
    hour = int(time.time() // 3600)
    await takings.add(hour, {b"name %02d" % number: took(1, 1) for number in range(3)}, time.time())
    cursor = (await page(client, hour="current", limit=1))["next"]
    answer = await client.get(PATH, params={"hour": "previous", "cursor": cursor}, headers=AUTHORIZED)
    assert answer.status_code == 400


async def test_there_is_nothing_to_list_before_the_first_announce(client: AsyncClient) -> None:
    assert (await page(client))["items"] == []
