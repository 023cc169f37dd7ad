"""Wrong keys are limited per address, exactly and for all replicas together; a right key works whatever others do."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from httpx import AsyncClient, Response

from etracker_admin_api.api_keys import hash_api_key
from etracker_admin_api.settings import AdminSettings
from tests.support.admin_api import API_KEY, serving
from tests.support.redis import RedisServer

GUESSES = 500
LIMIT = 30
ANNES = "etk_annes-own-key"
HOLDERS = "ab" * 15
FILM = "07" * 20

Guess = Callable[[AsyncClient, str], Awaitable[Response]]


async def guess_api_key(client: AsyncClient, key: str) -> Response:
    return await client.get("/api/v1/session", headers={"Authorization": key})


async def guess_announce_key(client: AsyncClient, key: str) -> Response:
    return await client.get(f"/api/v1/infohashes/{FILM}/torrent", headers={"X-Announce-Key": key})


async def guess_in_a_query(client: AsyncClient, key: str) -> Response:
    return await client.get("/api/torrentfile", params={"announce_key": key, "info_hash": FILM})


GUESSING: list[Guess] = [guess_api_key, guess_announce_key, guess_in_a_query]


@pytest.fixture
async def settings(admin_settings: AdminSettings, database: asyncpg.Connection) -> AdminSettings:
    await database.execute("INSERT INTO operators (name, key_hash) VALUES ('ann', $1)", hash_api_key(ANNES.encode()))
    await database.execute("INSERT INTO peers (announce_key) VALUES ($1)", HOLDERS)
    return admin_settings.model_copy(update={"failure_limit": f"{LIMIT}/minute"})


@pytest.fixture
async def replicas(settings: AdminSettings) -> AsyncIterator[list[AsyncClient]]:
    async with serving(settings) as one, serving(settings) as another:
        yield [one, another]


async def guess_in_parallel(replicas: list[AsyncClient], guess: Guess, number_of_keys: int = GUESSES) -> Counter[int]:
    """Give wrong keys, all at once."""
    guesses = (guess(replicas[number % len(replicas)], f"wrong-{number}") for number in range(number_of_keys))
    return Counter(response.status_code for response in await asyncio.gather(*guesses))


@pytest.mark.parametrize("guess", GUESSING)
async def test_of_many_wrong_keys_at_once_no_more_are_looked_at_than_the_limit_says(
    replicas: list[AsyncClient], guess: Guess
) -> None:
    assert await guess_in_parallel(replicas, guess) == {403: LIMIT, 429: GUESSES - LIMIT}


async def test_right_keys_work_while_others_guess_behind_the_same_address(replicas: list[AsyncClient]) -> None:
    # Fewer than above: guessers and replicas share an event loop, and too many guesses would make right keys time out.
    guessing = [asyncio.create_task(guess_in_parallel(replicas, guess, GUESSES // 4)) for guess in GUESSING]
    asked = 0
    while not asked or not all(task.done() for task in guessing):
        for client in replicas:
            for key, name in ((API_KEY, "environment"), (ANNES, "ann")):
                response = await guess_api_key(client, key)
                assert (response.status_code, response.json().get("name")) == (200, name)
            for guess in (guess_announce_key, guess_in_a_query):
                assert (await guess(client, HOLDERS)).status_code == 404  # the key is right, the torrent isn't there
            asked += 1
    results = await asyncio.gather(*guessing)
    assert sum((Counter(result) for result in results), Counter()) == {403: LIMIT, 429: 3 * (GUESSES // 4) - LIMIT}


async def test_right_keys_cost_an_address_nothing(replicas: list[AsyncClient]) -> None:
    for number in range(2 * LIMIT):
        assert (await guess_api_key(replicas[number % 2], ANNES)).status_code == 200
        assert (await guess_announce_key(replicas[number % 2], HOLDERS)).status_code == 404
    assert (await guess_api_key(replicas[0], "wrong")).status_code == 403


async def test_a_key_is_right_from_its_making_and_wrong_from_its_revocation_beyond_the_limit_too(
    replicas: list[AsyncClient],
) -> None:
    first = {"Authorization": API_KEY}
    await guess_in_parallel(replicas, guess_api_key)
    made = (await replicas[0].post("/api/v1/operators", headers=first, json={"name": "bob"})).json()
    for client in replicas:
        assert (await guess_api_key(client, made["key"])).status_code == 200
    assert (await replicas[0].delete(f"/api/v1/operators/{made['id']}", headers=first)).status_code == 204
    for client in replicas:
        response = await guess_api_key(client, made["key"])
        assert response.status_code == 429
        assert 0 < int(response.headers["retry-after"]) <= 60


async def test_without_redis_each_replica_holds_the_limit_alone(
    dedicated_redis: RedisServer, settings: AdminSettings
) -> None:
    changes = dedicated_redis.settings().model_dump(include={"redis_url"})
    async with serving(settings.model_copy(update=changes)) as client:
        dedicated_redis.kill()
        assert await guess_in_parallel([client], guess_api_key) == {403: LIMIT, 429: GUESSES - LIMIT}
        assert (await guess_api_key(client, ANNES)).status_code == 200


async def test_what_a_replica_let_through_counts_when_redis_goes(
    dedicated_redis: RedisServer, settings: AdminSettings
) -> None:
    changes = dedicated_redis.settings().model_dump(include={"redis_url"})
    async with serving(settings.model_copy(update=changes)) as client:
        before = await asyncio.gather(*(guess_api_key(client, f"wrong-{number}") for number in range(LIMIT - 1)))
        assert {response.status_code for response in before} == {403}
        dedicated_redis.kill()
        after = [(await guess_api_key(client, f"other-{number}")).status_code for number in range(3)]
        assert after == [403, 429, 429]
