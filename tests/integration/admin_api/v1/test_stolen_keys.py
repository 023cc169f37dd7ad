"""A key that two people have: whoever rotates, undoes or asks, the one with the recovery code has the last word.

And without a code nobody can keep the other out: a rotation can be undone by the old key, but there's no second round.
"""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from etracker_admin_api.database import Database
from etracker_admin_api.keys.pruning import KeyPruner
from etracker_admin_api.keys.recovery_codes import hash_code
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.settings import AdminSettings
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.recovery import Holder, serving_holders

OLD = "UPDATE key_rotations SET at = at - interval '8 days'"


@pytest.fixture
async def holder(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, database: asyncpg.Connection
) -> AsyncIterator[Holder]:
    async with serving_holders(postgres_settings, redis_settings) as holder:
        yield holder


@pytest.fixture
async def key(holder: Holder, database: asyncpg.Connection) -> str:
    """A key without a recovery code, as the original API gives them out."""
    response = await holder.client.get("/api/generate")
    assert list(response.json()) == ["announce_key"]
    return str(response.json()["announce_key"])


async def only_key(database: asyncpg.Connection) -> bytes:
    (row,) = await database.fetch("SELECT key_hash FROM peers")
    return bytes(row["key_hash"])


async def test_the_old_key_undoes_a_thiefs_rotation(holder: Holder, database: asyncpg.Connection, key: str) -> None:
    thiefs = await holder.rotate(key)
    assert not await holder.works(key)
    ended = (await holder.call("GET", "key/rotation", key)).json()
    assert ended["undo_until"] > ended["rotated"]
    assert (await holder.call("GET", "key/recovery", thiefs)).json()["undo_until"] == ended["undo_until"]
    assert await holder.undo(key) == 200
    assert await holder.works(key)
    assert not await holder.works(thiefs)
    assert await only_key(database) == hash_announce_key(key)
    assert await holder.undo(key) == 403, "only once"


async def test_there_is_no_second_round(holder: Holder, database: asyncpg.Connection, key: str) -> None:
    thiefs = await holder.rotate(key)
    assert await holder.undo(key) == 200
    assert await holder.undo(thiefs) == 403
    again = await holder.call("POST", "key/rotate", key)
    assert (again.status_code, "has been undone" in again.json()["detail"]) == (409, True)
    assert (await holder.call("GET", "key/recovery", key)).json()["contested"]
    await database.execute(OLD)
    assert (await holder.call("POST", "key/rotate", key)).status_code == 409, "also later"
    assert await holder.works(key)


async def test_however_often_a_thief_rotates_the_holder_gets_back_to_the_start(holder: Holder, key: str) -> None:
    second = await holder.rotate(key)
    third = await holder.rotate(second)
    assert await holder.undo(second) == 200, "a step of the thief's own"
    assert await holder.undo(key) == 200
    assert await holder.works(key)
    for other in (second, third):
        assert not await holder.works(other)
        assert await holder.undo(other) == 403


async def test_a_rotation_stays_after_seven_days(holder: Holder, database: asyncpg.Connection, key: str) -> None:
    new = await holder.rotate(key)
    await database.execute(OLD)
    assert await holder.undo(key) == 403
    assert (await holder.call("GET", "key/rotation", key)).status_code == 403
    assert await holder.works(new)


async def test_the_code_ends_the_quarrel_for_good(holder: Holder, database: asyncpg.Connection) -> None:
    """Whatever the key is at the time, and however often somebody undid something."""
    key, code = await holder.get_key()
    thiefs = await holder.rotate(key)
    mine = await holder.recover(code)
    assert [await holder.works(one) for one in (key, thiefs, mine)] == [False, False, True]
    assert [await holder.undo(one) for one in (key, thiefs)] == [403, 403]
    assert await holder.rotate(mine), "nothing is contested any more"
    assert await holder.works(await holder.recover(code.lower().replace("-", " "))), "the code stays the same"
    assert await database.fetchval("SELECT count(*) FROM peers") == 1


async def test_a_code_also_helps_after_an_undo_and_after_months(holder: Holder, database: asyncpg.Connection) -> None:
    key, code = await holder.get_key()
    thiefs = await holder.rotate(key)
    await database.execute(OLD)
    mine = await holder.recover(code)
    assert not await holder.works(thiefs)
    await holder.rotate(mine)
    assert await holder.undo(mine) == 200
    assert await holder.works(await holder.recover(code))


async def test_of_two_at_the_same_time_one_wins_and_nothing_is_lost(
    holder: Holder, database: asyncpg.Connection
) -> None:
    """Rotations, undoing and recovery, in pairs; after each the key with the code is recovered, and is the only one."""
    key, code = await holder.get_key()
    for _ in range(5):
        rotations = await asyncio.gather(*(holder.call("POST", "key/rotate", key) for _ in range(3)))
        assert sorted(one.status_code for one in rotations) == [200, 403, 403]
        (new,) = (one.json()["announce_key"] for one in rotations if one.status_code == 200)
        undone, recovered = await asyncio.gather(holder.undo(key), holder.recover(code))
        assert undone in {200, 403}
        assert await holder.works(recovered)
        assert not await holder.works(key)
        assert not await holder.works(new)
        key = recovered
    new = await holder.rotate(key)
    assert sorted(await asyncio.gather(*(holder.undo(key) for _ in range(3)))) == [200, 403, 403]
    rotated, asked = await asyncio.gather(
        holder.call("POST", "key/rotate", key), holder.call("POST", "key/recovery/request", key)
    )
    assert (rotated.status_code, asked.status_code) == (409, 409), "contested; and it has a code"
    assert await only_key(database) == hash_announce_key(key)


async def test_a_disabled_key_stays_disabled(holder: Holder, database: asyncpg.Connection) -> None:
    key, code = await holder.get_key()
    await holder.rotate(key)
    await database.execute("UPDATE peers SET disabled_time = now()")
    assert await holder.undo(key) == 403
    assert (await holder.call("POST", "key/recover", recovery_code=code)).status_code == 403


async def test_an_operators_rotation_is_final(holder: Holder, key: str) -> None:
    await holder.rotate(key)
    new = (await holder.operate("POST", "keys/1/rotate")).json()["announce_key"]
    assert await holder.undo(key) == 403
    assert await holder.works(new)


async def test_only_who_asked_gets_the_code_and_only_after_seven_days(
    holder: Holder, database: asyncpg.Connection, key: str
) -> None:
    assert (await holder.call("GET", "key/recovery", key)).json()["code_created"] is None
    asked = (await holder.call("POST", "key/recovery/request", key)).json()
    shown = (await holder.call("GET", "key/recovery", key)).json()["request"]
    assert shown == {name: asked[name] for name in ("requested", "ready")}
    assert (await holder.call("POST", "key/recovery/request", key)).status_code == 409
    early = await holder.call("POST", "key/recovery/code", key, claim=asked["claim"])
    assert (early.status_code, early.json()["detail"][:15]) == (409, "It is too early")
    await database.execute("UPDATE recovery_requests SET requested_time = now() - interval '7 days'")
    assert (await holder.call("POST", "key/recovery/code", key, claim="another")).status_code == 404
    given = await holder.call("POST", "key/recovery/code", key, claim=asked["claim"])
    assert (await holder.call("POST", "key/recovery/code", key, claim=asked["claim"])).status_code == 404, "once"
    assert await holder.works(await holder.recover(given.json()["recovery_code"]))


@pytest.mark.parametrize("end", ["object", "rotate"])
async def test_a_request_ends_when_somebody_objects_or_rotates(
    holder: Holder, database: asyncpg.Connection, key: str, end: str
) -> None:
    claim = (await holder.call("POST", "key/recovery/request", key)).json()["claim"]
    if end == "object":
        assert (await holder.call("DELETE", "key/recovery/request", key)).status_code == 204
        assert (await holder.call("DELETE", "key/recovery/request", key)).status_code == 404
    else:
        new = await holder.rotate(key)
        refused = await holder.call("POST", "key/recovery/request", new)
        assert refused.status_code == 409, "a thief who has rotated must not get a code before that can't be undone"
        key = new
    assert await database.fetchval("SELECT count(*) FROM recovery_requests") == 0
    assert (await holder.call("POST", "key/recovery/code", key, claim=claim)).status_code == 404


async def test_operators_give_codes_and_the_old_one_stops_working(
    holder: Holder, database: asyncpg.Connection, key: str
) -> None:
    claim = (await holder.call("POST", "key/recovery/request", key)).json()["claim"]
    first, second = [(await holder.operate("POST", "keys/1/recovery-code")).json()["recovery_code"] for _ in range(2)]
    assert (await holder.call("POST", "key/recover", recovery_code=first)).status_code == 403
    assert (await holder.call("POST", "key/recovery/code", key, claim=claim)).status_code == 404
    assert await holder.works(await holder.recover(second))
    rows = await database.fetch("SELECT action, target, detail FROM audit_log")
    assert [tuple(row) for row in rows] == [("key.recovery_code", "1", "{}")] * 2
    assert (await holder.operate("POST", "keys/9/recovery-code")).status_code == 404


async def test_a_typing_error_is_told_from_a_wrong_code(holder: Holder) -> None:
    _, code = await holder.get_key()
    _, other = await holder.get_key()
    mistyped = code[1] + code[0] + code[2:] if code[0] != code[1] else "?" + code[1:]
    for typed in (mistyped, code[:-1], code + "0", "", "é" * 25):
        refused = await holder.call("POST", "key/recover", recovery_code=typed)
        assert refused.status_code == 400, typed
        assert refused.json()["detail"]
    assert (await holder.operate("POST", "keys/2/recovery-code")).status_code == 200
    assert (await holder.call("POST", "key/recover", recovery_code=other)).status_code == 403


@pytest.mark.parametrize(
    "since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-01T00:00:00", "yesterday", ""]
)
async def test_disowning_takes_a_moment_with_a_time_zone(holder: Holder, since: str) -> None:
    key, code = await holder.get_key()
    refused = await holder.call("POST", "key/disown", key, recovery_code=code, since=since)
    assert refused.status_code == 400


async def test_guessing_is_limited_like_wrong_keys(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, database: asyncpg.Connection
) -> None:
    async with serving_holders(postgres_settings, redis_settings, failure_limit="3/minute") as holder:
        key, code = await holder.get_key()
        await holder.operate("POST", "keys/1/recovery-code")
        guesses = [(await holder.call("POST", "key/recover", recovery_code=code)).status_code for _ in range(5)]
        assert guesses == [403, 403, 403, 429, 429]
        assert await holder.undo("0" * 30) == 429
        assert await holder.works(key)


async def test_changes_of_keys_are_limited_like_new_keys(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, database: asyncpg.Connection
) -> None:
    async with serving_holders(postgres_settings, redis_settings, key_limit="3/hour") as holder:
        key, code = await holder.get_key()
        await holder.rotate(key)
        assert await holder.undo(key) == 200
        assert (await holder.call("POST", "key/recover", recovery_code=code)).status_code == 429
        assert (await holder.call("POST", "key/rotate", key)).status_code == 429
        assert (await holder.call("POST", "key/recovery/request", key)).status_code == 429


async def test_codes_are_stored_and_logged_nowhere(
    holder: Holder, database: asyncpg.Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    _, code = await holder.get_key()
    given = (await holder.operate("POST", "keys/1/recovery-code")).json()["recovery_code"]
    await holder.recover(given)
    await holder.call("POST", "key/recover", recovery_code=code)
    await holder.call("POST", "key/recover", recovery_code=given[:-1])
    tables = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    dump = "".join([str(await database.fetch(f'SELECT "{name}"::text FROM "{name}"')) for (name,) in tables])
    assert hash_code(given).hex() in dump
    logged = "".join(capfd.readouterr())
    assert "/api/v1/key/recover" in logged
    for secret in (code, given):
        for form in (secret, secret.replace("-", ""), secret[:11]):
            assert form not in dump
            assert form not in logged


async def test_what_nobody_fetched_is_pruned(
    holder: Holder, database: asyncpg.Connection, key: str, admin_settings: AdminSettings
) -> None:
    await holder.rotate(await holder.rotate(key))
    await database.execute("UPDATE key_rotations SET undone_time = now() WHERE id = 1")
    await database.execute("INSERT INTO recovery_requests (key_id, claim_hash) SELECT id, 'x' FROM peers")
    pruner = KeyPruner(pruners := Database(admin_settings), Metrics())
    for days, left in ((119, (1, 2)), (121, (0, 1))):
        await database.execute("UPDATE recovery_requests SET requested_time = now() - make_interval(days => $1)", days)
        await database.execute("UPDATE key_rotations SET at = now() - make_interval(days => $1)", days)
        await pruner.prune()
        requests = await database.fetchval("SELECT count(*) FROM recovery_requests")
        assert (requests, await database.fetchval("SELECT count(*) FROM key_rotations")) == left
    await pruners.close()
