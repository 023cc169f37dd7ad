"""Bans as operators see and change them."""

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient, Response

from etracker_admin_api.bans import store as bans_store
from tests.support.admin_api import AUTHORIZED, audit

BANS = "/api/v1/bans"
V1, V2 = "07" * 20, "08" * 20


async def ask(client: AsyncClient, method: str, path: str = BANS, **more: Any) -> Response:
    return await client.request(method, path, headers=AUTHORIZED, **more)


async def ban(client: AsyncClient, value: str, kind: str = "network", **more: Any) -> Response:
    return await ask(client, "POST", json={"kind": kind, "value": value, **more})


async def values(client: AsyncClient, **query: Any) -> list[str]:
    return [item["value"] for item in (await ask(client, "GET", params=query)).json()["items"]]


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("network", "::ffff:198.51.100.7", "198.51.100.7/32"),
        ("network", "2001:DB8::/32", "2001:db8::/32"),
        ("client", "-XY%00", "-XY%00"),
        ("torrent", V1.upper(), V1),
    ],
)
async def test_a_ban_is_shown_as_it_was_understood(
    client: AsyncClient, database: asyncpg.Connection, kind: str, value: str, shown: str
) -> None:
    expires = in_days(1)
    response = await ban(client, value, kind, reason=" floods ", expires=expires)
    assert response.status_code == 201, response.text
    item = response.json()
    assert (item["kind"], item["value"], item["reason"], item["created_by"]) == (kind, shown, "floods", "environment")
    assert datetime.fromisoformat(item["expires"]) == datetime.fromisoformat(expires)
    assert item["in_force"]
    assert (await ask(client, "GET")).json()["items"] == [item]
    assert await audit(database) == [("ban.add", f"{kind} {shown}", {"reason": "floods", "expires": expires})]


async def test_the_same_again_changes_nothing_and_is_never_shorter(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    soon, later = in_days(1), in_days(2)
    assert (await ban(client, "198.51.100.7", reason="first", expires=soon)).status_code == 201
    assert (await ban(client, "198.51.100.7", reason="second", expires=soon)).status_code == 200
    longer = await ban(client, "198.51.100.7/32", reason="third", expires=later)
    assert (longer.status_code, longer.json()["reason"]) == (201, "first")
    assert (await ban(client, "198.51.100.7")).json()["expires"] is None
    again = await ban(client, "::ffff:198.51.100.7", expires=soon)
    assert (again.status_code, again.json()["expires"]) == (200, None)
    assert len(await audit(database)) == 3
    await database.execute("UPDATE bans SET expires_time = now() - interval '1 s'")
    assert not (await ask(client, "GET")).json()["items"][0]["in_force"]
    revived = (await ban(client, "198.51.100.7", reason="as good as new", expires=soon)).json()
    assert (revived["reason"], revived["in_force"]) == ("as good as new", True)
    assert await database.fetchval("SELECT count(*) FROM bans") == 1


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "network", "value": "0.0.0.0/0", "confirm": True},
        {"kind": "network", "value": "::/0", "confirm": True},
        {"kind": "network", "value": "198.51.100.7/24"},
        {"kind": "network", "value": "nonsense"},
        {"kind": "network", "value": "198.51.100.7", "expires": "2020-01-01T00:00:00Z"},
        {"kind": "network", "value": "198.51.100.7", "expires": "2099-01-01T00:00:00"},
        {"kind": "network", "value": "198.51.100.7", "reason": "two\nlines"},
        {"kind": "network", "value": "198.51.100.7", "reason": "x" * 501},
        {"kind": "client", "value": "-"},
        {"kind": "torrent", "value": "07"},
        {"kind": "key", "value": "07"},
        {},
    ],
    ids=lambda body: str(body)[:80],
)
async def test_what_cant_be_banned_is_refused_with_a_sentence(
    client: AsyncClient, database: asyncpg.Connection, body: dict[str, Any]
) -> None:
    response = await ask(client, "POST", json=body)
    assert response.status_code == 400
    assert response.json()["detail"].endswith(".")
    assert await database.fetchval("SELECT count(*) FROM bans") == 0


@pytest.mark.parametrize("value", ["203.0.113.7", "203.0.0.0/16", "45.0.0.0/8", "10.0.0.0/24"])
async def test_what_is_likely_to_be_an_error_has_to_be_confirmed(client: AsyncClient, value: str) -> None:
    doubted = await ban(client, value)
    assert doubted.status_code == 409
    assert doubted.json()["detail"].endswith("Confirm that you want to ban it.")
    assert (await ban(client, value, confirm=True)).status_code == 201


@pytest.mark.parametrize(
    "row",
    [
        "(network) VALUES ('0.0.0.0/0')",
        "(network) VALUES ('::/0')",
        "(network) VALUES ('::ffff:198.51.100.0/120')",
        "(network) VALUES ('198.51.100.7/24')",
        "(peer_id_prefix) VALUES ('-')",
        "(info_hash) VALUES ('short')",
        "(network, info_hash) VALUES ('198.51.100.7', '12345678901234567890')",
        "(reason) VALUES ('nothing')",
    ],
)
async def test_postgres_refuses_by_itself_what_would_shut_everybody_out(database: asyncpg.Connection, row: str) -> None:
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.InvalidTextRepresentationError)):
        await database.execute(f"INSERT INTO bans {row}")


async def test_a_hybrid_torrent_is_banned_by_both_its_infohashes(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    await database.execute("INSERT INTO infohashes (id, info_hash) VALUES (77, $1)", bytes.fromhex(V1))
    await database.execute("INSERT INTO infohashes (info_hash, same_as) VALUES ($1, 77)", bytes.fromhex(V2))
    for given in (V1, V2):
        assert (await ban(client, given, "torrent")).json()["value"] == given
        assert set(await values(client)) == {V1, V2}
        await database.execute("DELETE FROM bans")


async def test_a_ban_is_changed_and_lifted(client: AsyncClient, database: asyncpg.Connection) -> None:
    made = (await ban(client, "198.51.100.7", reason="floods")).json()
    path, until = f"{BANS}/{made['id']}", in_days(3)
    changed = (await ask(client, "PATCH", path, json={"expires": until})).json()
    assert changed == made | {"expires": changed["expires"]}
    assert datetime.fromisoformat(changed["expires"]) == datetime.fromisoformat(until)
    assert (await ask(client, "PATCH", path, json={"expires": None, "reason": "still"})).json()["expires"] is None
    assert (await ask(client, "PATCH", path, json={"reason": "still"})).status_code == 200
    assert (await ask(client, "DELETE", path)).status_code == 204
    assert (await ask(client, "DELETE", path)).status_code == 404
    assert (await ask(client, "PATCH", path, json={"reason": ""})).status_code == 404
    actions = [(action, detail.get("before")) for action, _, detail in await audit(database)]
    before = [None, {"expires": None}, {"expires": changed["expires"].replace("Z", "+00:00"), "reason": "floods"}, None]
    assert actions == list(zip(["ban.add", "ban.change", "ban.change", "ban.lift"], before, strict=True))


async def test_the_list_is_searched_and_paged(client: AsyncClient) -> None:
    for value in ("198.51.100.0/24", "198.51.100.7", "2001:db8::/32"):
        await ban(client, value, reason="A Spammer")
    await ban(client, "-XY12", "client")
    await ban(client, V1, "torrent")
    assert await values(client, q="198.51.100.7") == ["198.51.100.7/32", "198.51.100.0/24"]
    assert await values(client, q="198.51.100.8") == ["198.51.100.0/24"]
    assert await values(client, q="::ffff:198.51.100.8") == ["198.51.100.0/24"]
    assert await values(client, q="2001:db8:1::/48") == ["2001:db8::/32"]
    assert await values(client, q="-XY1200-abcdefghijkl") == ["-XY12"]
    assert await values(client, q="-XY") == ["-XY12"]
    assert await values(client, q="0707070707") == [V1]
    assert len(await values(client, q="spam")) == 3
    assert len(await values(client, q="environment")) == 5
    assert await values(client, q="100%") == []
    assert await values(client, kind="client") == ["-XY12"]
    first = (await ask(client, "GET", params={"limit": 2})).json()
    second = (await ask(client, "GET", params={"limit": 2, "cursor": first["next"]})).json()
    third = (await ask(client, "GET", params={"limit": 2, "cursor": second["next"]})).json()
    assert [len(page["items"]) for page in (first, second, third)] == [2, 2, 1]
    assert third["next"] is None


async def test_bans_that_ended_long_ago_are_forgotten(client: AsyncClient, database: asyncpg.Connection) -> None:
    for days in (bans_store.KEPT_DAYS - 1, bans_store.KEPT_DAYS + 1):
        await database.execute(
            f"INSERT INTO bans (network, expires_time) VALUES ('198.51.100.{days}', now() - interval '{days} days')"
        )
    await ban(client, "192.0.2.1")
    assert await values(client) == ["192.0.2.1/32", "198.51.100.29/32"]


@pytest.mark.parametrize("length", [5_000, pytest.param(100_000, marks=pytest.mark.full)])
async def test_a_long_list_of_networks_is_imported_and_taken_back_in_one_request_each(
    client: AsyncClient, database: asyncpg.Connection, length: int
) -> None:
    networks = [f"45.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(length)]
    body = {"kind": "network", "lines": "\n".join([*networks, "nonsense", "45.0.0.0/8"]), "reason": "a list"}
    results = []
    for path, expected in (
        ("import", {"added": length, "extended": 0, "known": 0, "refused": 2, "unconfirmed": 1}),
        ("import", {"added": 0, "extended": 0, "known": length, "refused": 2, "unconfirmed": 1}),
        ("lift", {"lifted": length, "unknown": 1, "refused": 1}),
    ):
        started = time.monotonic()
        response = await ask(client, "POST", f"{BANS}/{path}", json=body)
        results.append(f"{path} {time.monotonic() - started:.1f} s")
        assert response.status_code == 200, response.text
        answer = response.json()
        assert answer | expected == answer
        assert [one["line"] for one in answer["problems"]] == (
            [length + 1, length + 2] if path == "import" else [length + 1]
        )
    sys.stdout.write(f"{length} lines: {', '.join(results)}\n")
    assert await database.fetchval("SELECT count(*) FROM bans") == 0
    assert [(action, target) for action, target, _ in await audit(database)] == [
        ("ban.add", "network list"),
        ("ban.lift", "network list"),
    ]


async def test_a_list_that_is_too_large_is_refused_before_it_is_read(client: AsyncClient) -> None:
    response = await ask(client, "POST", f"{BANS}/import", content=b" " * (8 * 1024 * 1024 + 1))
    assert response.status_code == 413
