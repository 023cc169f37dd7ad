from httpx import AsyncClient
from redis import Redis

from etracker_admin_api.settings import AdminSettings
from etracker_shared.agreements.redis_keys import LIMIT_PREFIX
from tests.support.admin_api import serving
from tests.support.redis import RedisServer

ADDRESS = "198.51.100.1"


async def statuses(client: AsyncClient, count: int, **headers: str) -> list[int]:
    return [(await client.get("/api/generate", headers=headers)).status_code for _ in range(count)]


async def test_an_address_gets_only_so_many_keys(admin_settings: AdminSettings) -> None:
    async with serving(admin_settings.model_copy(update={"key_limit": "3/hour"})) as client:
        assert await statuses(client, 4) == [200, 200, 200, 429]
        response = await client.get("/api/generate")
        assert 3500 < int(response.headers["retry-after"]) <= 3600
        assert response.json()["message"].endswith(".")


async def test_replicas_share_the_count(admin_settings: AdminSettings) -> None:
    settings = admin_settings.model_copy(update={"key_limit": "3/hour"})
    async with serving(settings) as one, serving(settings) as another:
        assert await statuses(one, 2) == [200, 200]
        assert await statuses(another, 2) == [200, 429]


async def test_addresses_are_told_apart_behind_a_trusted_proxy(admin_settings: AdminSettings) -> None:
    settings = admin_settings.model_copy(update={"key_limit": "1/hour"})
    async with serving(settings, "127.0.0.1") as client:
        for address in ("198.51.100.1", "198.51.100.2"):
            assert await statuses(client, 2, **{"X-Forwarded-For": f"192.0.2.9, {address}"}) == [200, 429]


async def test_a_forged_header_doesnt_help(admin_settings: AdminSettings) -> None:
    async with serving(admin_settings.model_copy(update={"key_limit": "1/hour"})) as client:
        assert await statuses(client, 1, **{"X-Forwarded-For": "192.0.2.1"}) == [200]
        assert await statuses(client, 1, **{"X-Forwarded-For": "192.0.2.2"}) == [429]


async def test_an_ipv6_network_of_one_household_is_one_address(admin_settings: AdminSettings) -> None:
    async with serving(admin_settings.model_copy(update={"key_limit": "1/hour"}), "::1") as client:
        assert await statuses(client, 1, **{"X-Forwarded-For": "2001:db8:1:2::1"}) == [200]
        assert await statuses(client, 1, **{"X-Forwarded-For": "2001:db8:1:2:ffff::2"}) == [429]
        assert await statuses(client, 1, **{"X-Forwarded-For": "2001:db8:1:3::1"}) == [200]


async def test_the_operators_own_machine_isnt_limited(admin_settings: AdminSettings) -> None:
    async with serving(admin_settings.model_copy(update={"key_limit": "1/hour"}), "127.0.0.1") as client:
        assert await statuses(client, 3) == [200, 200, 200]


async def test_the_limits_keys_are_where_the_list_of_keys_says(
    admin_settings: AdminSettings, shared_redis: RedisServer
) -> None:
    async with serving(admin_settings) as client:
        await client.get("/api/generate")
    with Redis(port=shared_redis.port) as redis:
        keys = redis.keys()
        assert isinstance(keys, list)
        assert keys
        for key in keys:
            assert key.startswith(LIMIT_PREFIX.encode())
            assert 0 < redis.ttl(key) <= 3600
