"""Block lists: what a recipient was given, as long as it is confirmed to waste, and nothing else."""

import secrets
import time
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient, Response
from redis.asyncio import Redis

from etracker_admin_api.block_lists.formats import NOBODY, Form, format_list
from etracker_admin_api.settings import AdminSettings
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.anomalies import AnomalyState, DetectionMode, Override, Verdict
from etracker_shared.agreements.block_lists import make_token, name_address, pack_handed
from etracker_shared.language.identity import address_prefix, hash_announce_key
from etracker_shared.plumbing.redis_connections import connect_redis
from tests.support.admin_api import serving
from tests.support.anomalies import add_anomaly, add_key, confirm

WASTER, OTHER, RECIPIENT = ("w" * 30, "x" * 30, "r" * 30)
V4, V6 = "198.51.100.7", "2001:db8::7"
EMPTY = {form: format_list(form, ()) for form in Form}


@pytest.fixture
async def client(admin_settings: AdminSettings) -> AsyncIterator[AsyncClient]:
    async with serving(admin_settings.model_copy(update={"detection": DetectionMode.ENFORCE})) as client:
        yield client


@pytest.fixture
async def redis(admin_settings: AdminSettings) -> AsyncIterator[Redis]:
    connected = connect_redis(admin_settings)
    assert isinstance(connected, Redis)
    yield connected
    await connected.aclose()


@pytest.fixture
async def secret(database: asyncpg.Connection) -> bytes:
    return bytes(await database.fetchval("SELECT value FROM secrets WHERE name = 'pair'"))


@pytest.fixture
def token(secret: bytes) -> str:
    return make_token(secret, identity(RECIPIENT))


def identity(key: str) -> bytes:
    return bytes(hash_announce_key(key)[:8])


def endpoint(address: str, port: int = 51413) -> bytes:
    return ip_address(address).packed + port.to_bytes(2, "big")


async def hand(redis: Redis, suspect: str, *addresses: str, ago: float = 60, recipient: str = RECIPIENT) -> None:
    value = pack_handed([endpoint(address) for address in addresses], int(time.time() - ago))
    await redis.hset(redis_keys.handed(identity(recipient)), secrets.token_bytes(8) + identity(suspect), value)


async def get(client: AsyncClient, token: str, form: Form | None = Form.TXT, **headers: str) -> Response:
    return await client.get(f"/api/blocklist/{token}{'' if form is None else f'.{form}'}", headers=headers)


@pytest.fixture
async def waster(database: asyncpg.Connection, redis: Redis) -> int:
    anomaly = await add_anomaly(database, await add_key(database, WASTER))
    await confirm(database, anomaly, Verdict.WASTE)
    await hand(redis, WASTER, V4, V6)
    return anomaly


async def test_a_recipient_gets_the_wasters_it_was_given_in_every_form(
    client: AsyncClient, waster: int, token: str
) -> None:
    for form in Form:
        response = await get(client, token, form)
        assert response.status_code == 200
        assert response.text == format_list(form, [ip_address(V4), ip_address(V6)])
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["cache-control"] == "private, max-age=900"
        unchanged = await get(client, token, form, **{"If-None-Match": response.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert (await client.head(f"/api/blocklist/{token}.{form}")).status_code == 200
    shown = (await get(client, token.upper(), None)).json()
    assert [(peer["address"], peer["port"]) for peer in shown["peers"]] == [(V4, 51413), (V6, 51413)]
    assert shown["p2p"] == f"/api/blocklist/{token.upper()}.p2p"
    assert (await client.get(shown["dat"])).text == format_list(Form.DAT, [ip_address(V4), ip_address(V6)])


@pytest.mark.parametrize(
    "change",
    [
        f"state = {AnomalyState.SUSPECTED}, verdict = NULL",
        f"state = {AnomalyState.CLEARED}, verdict = NULL",
        f"verdict = {Verdict.STATISTICS}",
        f"verdict = {Verdict.HIDDEN_DOWNLOAD}",
        f"override = {Override.CLEARED}, override_until = now() + interval '1 day'",
        f"override = {Override.EXEMPT}",
    ],
)
async def test_a_peer_that_isnt_confirmed_to_waste_is_on_no_list(
    client: AsyncClient, database: asyncpg.Connection, waster: int, token: str, change: str
) -> None:
    await database.execute(f"UPDATE anomalies SET {change} WHERE id = $1", waster)
    assert {form: (await get(client, token, form)).text for form in Form} == EMPTY
    assert (await get(client, token, None)).json()["peers"] == []


async def test_only_what_was_given_to_this_recipient_within_a_day_is_on_its_list(
    client: AsyncClient, database: asyncpg.Connection, redis: Redis, secret: bytes
) -> None:
    await confirm(database, await add_anomaly(database, await add_key(database, WASTER)))
    await hand(redis, WASTER, V4, recipient=OTHER)
    await hand(redis, WASTER, "198.51.100.8", ago=86_500)
    await hand(redis, OTHER, "198.51.100.9")
    assert (await get(client, make_token(secret, identity(RECIPIENT)))).text == EMPTY[Form.TXT]
    assert V4 in (await get(client, make_token(secret, identity(OTHER)))).text


async def test_a_guest_is_listed_too(
    client: AsyncClient, database: asyncpg.Connection, redis: Redis, token: str
) -> None:
    await confirm(database, await add_anomaly(database, guest=bytes(hash_announce_key(WASTER))))
    await hand(redis, WASTER, V6)
    assert V6 in (await get(client, token)).text
    assert (await get(client, token, Form.P2P)).text == EMPTY[Form.P2P]


async def test_an_address_that_many_keys_use_is_on_no_list(
    client: AsyncClient, redis: Redis, secret: bytes, waster: int, token: str
) -> None:
    name = redis_keys.keys_at(name_address(secret, ip_address(V4).packed))
    for number in range(3):
        await redis.zadd(name, {bytes([number] * 8): time.time()})
    await redis.zadd(name, {b"longago.": time.time() - 90_000})
    assert V4 in (await get(client, token)).text
    await redis.zadd(name, {b"\7" * 8: time.time()})
    text = (await get(client, token)).text
    assert V4 not in text
    assert V6 in text


@pytest.mark.parametrize("mode", [DetectionMode.OFF, DetectionMode.OBSERVE])
async def test_without_enforcement_lists_are_empty(
    admin_settings: AdminSettings, waster: int, token: str, mode: DetectionMode
) -> None:
    async with serving(admin_settings.model_copy(update={"detection": mode})) as client:
        assert (await get(client, token)).text == EMPTY[Form.TXT]


@pytest.mark.parametrize("wrong", ["0" * 24, "0", "x" * 2000, "%00", "a.b", "%E2%98%83", "..%5c"])
async def test_a_wrong_token_is_answered_as_one_without_peers(client: AsyncClient, token: str, wrong: str) -> None:
    for form in (*Form, None):
        empty, guessed = await get(client, token, form), await get(client, wrong, form)
        assert (guessed.status_code, guessed.headers["cache-control"]) == (200, empty.headers["cache-control"])
        if form is None:
            assert guessed.json()["peers"] == empty.json()["peers"] == []
        else:
            assert guessed.text == empty.text == EMPTY[form]
    assert NOBODY in guessed.text or form is None


async def test_a_token_is_limited_and_refusals_contain_no_entry(client: AsyncClient, token: str) -> None:
    for candidate in (token, "0" * 24):
        responses = [await get(client, candidate) for _ in range(31)]
        assert [response.status_code for response in responses] == [200] * 30 + [429]
        assert responses[-1].text.startswith("# ")
        assert responses[-1].text.count("\n") == 1
        assert int(responses[-1].headers["retry-after"]) > 0


async def test_the_page_of_a_token_is_limited_too_and_apart_from_the_lists(client: AsyncClient, token: str) -> None:
    """The kind: every public route that takes a token."""
    responses = [await get(client, token, None) for _ in range(31)]
    assert [response.status_code for response in responses] == [200] * 30 + [429]
    assert int(responses[-1].headers["retry-after"]) > 0
    assert responses[-1].json()["message"]
    assert (await get(client, token)).status_code == 200
    assert (await get(client, "0" * 24, None)).status_code == 200


async def test_sessions_that_a_verdict_leaves_alone_are_on_no_list(
    client: AsyncClient, database: asyncpg.Connection, waster: int, token: str
) -> None:
    """A stolen key's owner was given out while it was a suspect, before evidence named the thief's prefix."""
    prefix = address_prefix(ip_address(V6)).hex()
    await database.execute("UPDATE anomalies SET prefixes = jsonb_build_object($1::text, 100)", prefix)
    text = (await get(client, token)).text
    assert V6 in text
    assert V4 not in text


async def test_no_token_reaches_the_metrics_or_the_log(
    client: AsyncClient, waster: int, token: str, capsys: Any
) -> None:
    for form in (*Form, None):
        await get(client, token, form)
    metrics = (await client.get("/metrics")).text
    assert 'etracker_admin_block_lists_total{form="txt",outcome="listed"} 1.0' in metrics
    seen = metrics + "".join(capsys.readouterr())
    for secret in (token, V4, V6):
        assert secret not in seen


async def test_programs_keep_their_lists_while_redis_or_postgres_is_down(
    admin_settings: AdminSettings, waster: int, token: str
) -> None:
    enforcing = admin_settings.model_copy(update={"detection": DetectionMode.ENFORCE})
    for down in ({"redis_url": "redis://127.0.0.1:1"}, {"pghost": "127.0.0.1", "pgport": 1}):
        async with serving(enforcing.model_copy(update=down)) as client:
            response = await get(client, token)
            assert response.status_code == 503
            assert response.text.startswith("# ")
