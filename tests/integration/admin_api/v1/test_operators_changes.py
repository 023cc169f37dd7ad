"""What operators change, and what the audit log says of it: one row a change, in the same transaction."""

import json
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient, Response

from etracker_admin_api.api_keys import hash_api_key
from etracker_shared.agreements.anomalies import Override
from etracker_shared.language.identity import hash_announce_key
from tests.support.admin_api import AUTHORIZED, audit
from tests.support.admin_routes import OPERATORS, fill
from tests.support.anomalies import add_anomaly
from tests.support.torrent_files import torrent, v1_info

INFO_HASH = "07" * 20
OTHER = "08" * 20
KEY = "ab" * 15
V1 = "/api/v1"


@pytest.fixture
async def tracker(client: AsyncClient, database: asyncpg.Connection) -> AsyncClient:
    """A torrent, a key that owes it, two anomalies, a ban and an operator in addition to the first one."""
    await database.execute("INSERT INTO infohashes (info_hash, name) VALUES ($1, 'a film')", bytes.fromhex(INFO_HASH))
    await database.execute("INSERT INTO peers (id, announce_key, uploaded) VALUES (1, $1, 77)", KEY)
    await database.execute(
        "INSERT INTO memberships (key_id, info_hash_id, debt_seconds) SELECT 1, id, 3600 FROM infohashes"
    )
    await add_anomaly(database, 1)
    await add_anomaly(database, guest=bytes(16))
    await database.execute("UPDATE anomalies SET override = $1 WHERE id = 1", Override.EXEMPT)
    await database.execute("INSERT INTO anomaly_appeals (anomaly_id, text) VALUES (1, 'it was not me')")
    await database.execute("INSERT INTO bans (network) VALUES ('192.0.2.1')")
    await database.execute("INSERT INTO operators (name, key_hash) VALUES ('ann', $1)", hash_api_key(b"annes"))
    return client


async def ask(client: AsyncClient, method: str, path: str, **more: Any) -> Response:
    return await client.request(method, path, headers=AUTHORIZED, **more)


CORRECTION = {"reason": "a test", "uploaded_bytes": {"by": 1}}
CHANGES: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/api/infohash", {"json": {"info_hash": OTHER}}, "infohash.add"),
    ("DELETE", f"/api/infohash?info_hash={INFO_HASH}", {}, "infohash.remove"),
    ("POST", "/api/torrentfile", {"files": {"file": ("a.torrent", torrent(v1_info()))}}, "torrent.upload"),
    ("POST", f"{V1}/infohashes", {"json": {"info_hash": OTHER, "name": "b"}}, "infohash.add"),
    ("POST", f"{V1}/infohashes/bulk", {"json": {"items": [{"info_hash": OTHER}]}}, "infohash.add"),
    ("PATCH", f"{V1}/infohashes/{INFO_HASH}", {"json": {"name": "another"}}, "infohash.rename"),
    ("DELETE", f"{V1}/infohashes/{INFO_HASH}", {}, "infohash.remove"),
    ("POST", f"{V1}/torrents", {"files": {"file": ("a.torrent", torrent(v1_info()))}}, "torrent.upload"),
    ("PATCH", f"{V1}/keys/1", {"json": {"disabled": True}}, "key.disable"),
    ("POST", f"{V1}/keys/1/rotate", {}, "key.rotate"),
    ("POST", f"{V1}/keys/1/corrections", {"json": CORRECTION}, "key.correct"),
    ("POST", f"{V1}/keys/1/recovery-code", {}, "key.recovery_code"),
    ("POST", f"{V1}/keys/1/debts/clear", {"json": {"reason": "a test"}}, "key.clear_debts"),
    ("POST", f"{V1}/infohashes/{INFO_HASH}/corrections", {"json": CORRECTION}, "infohash.correct"),
    ("POST", f"{V1}/bans", {"json": {"kind": "network", "value": "198.51.100.7"}}, "ban.add"),
    ("POST", f"{V1}/bans/import", {"json": {"kind": "network", "lines": "198.51.100.7"}}, "ban.add"),
    ("POST", f"{V1}/bans/lift", {"json": {"kind": "network", "lines": "192.0.2.1"}}, "ban.lift"),
    ("PATCH", f"{V1}/bans/1", {"json": {"reason": "floods"}}, "ban.change"),
    ("DELETE", f"{V1}/bans/1", {}, "ban.lift"),
    ("POST", f"{V1}/anomalies/1/decision", {"json": {"decision": "exempt", "note": "a test"}}, "anomaly.decide"),
    ("POST", f"{V1}/anomalies/1/decision/end", {"json": {"note": "a test"}}, "anomaly.end_decision"),
    ("POST", f"{V1}/anomalies/1/appeals/1/answer", {"json": {"answer": "no"}}, "anomaly.answer_appeal"),
    ("POST", f"{V1}/operators", {"json": {"name": "bob"}}, "operator.add"),
    ("DELETE", f"{V1}/operators/1", {}, "operator.revoke"),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]} {change[1]}")
async def test_each_change_is_in_the_audit_log_once(
    tracker: AsyncClient, database: asyncpg.Connection, change: tuple[str, str, dict[str, Any], str]
) -> None:
    method, path, body, action = change
    response = await ask(tracker, method, path, **body)
    assert response.is_success, response.text
    row = await database.fetchrow("SELECT operator, operator_id, action, request_id FROM audit_log")
    assert row is not None
    assert tuple(row) == ("environment", None, action, response.headers["x-request-id"])
    assert await database.fetchval("SELECT count(*) FROM audit_log") == 1
    written = str(await audit(database)) + response.headers["x-request-id"]
    shown = response.json() if response.content else {}
    secrets = [shown.get(name) for name in ("announce_key", "key", "recovery_code")]
    assert not [secret for secret in secrets if secret and secret in written]


async def test_every_changing_operators_route_is_among_these() -> None:
    asked = {(method, path.partition("?")[0]) for method, path, _, _ in CHANGES}
    changing = {(method, fill(path)) for method, path in OPERATORS if method != "GET"}
    assert changing - asked == {("POST", f"{V1}/keys/lookup")}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{V1}/infohashes", {"json": {"info_hash": INFO_HASH, "name": "b"}}),
        ("PATCH", f"{V1}/infohashes/{INFO_HASH}", {"json": {"name": "a film"}}),
        ("PATCH", f"{V1}/keys/1", {"json": {"disabled": False}}),
        ("DELETE", f"{V1}/infohashes/{OTHER}", {}),
        ("POST", f"{V1}/bans", {"json": {"kind": "network", "value": "192.0.2.1"}}),
        ("PATCH", f"{V1}/bans/1", {"json": {"reason": ""}}),
        ("DELETE", f"{V1}/bans/2", {}),
        ("DELETE", f"{V1}/operators/2", {}),
        ("POST", f"{V1}/keys/2/rotate", {}),
        ("POST", f"{V1}/keys/2/recovery-code", {}),
        ("POST", f"{V1}/keys/2/debts/clear", {"json": {"reason": "a test"}}),
        ("POST", f"{V1}/operators", {"json": {"name": "ann"}}),
        ("POST", f"{V1}/anomalies/3/decision", {"json": {"decision": "exempt", "note": "a test"}}),
        ("POST", f"{V1}/anomalies/2/decision/end", {"json": {"note": "a test"}}),
        ("POST", f"{V1}/anomalies/1/appeals/2/answer", {"json": {"answer": "no"}}),
    ],
    ids=str,
)
async def test_what_changes_nothing_leaves_no_row(
    tracker: AsyncClient, database: asyncpg.Connection, method: str, path: str, body: dict[str, Any]
) -> None:
    assert (await ask(tracker, method, path, **body)).status_code in {200, 404, 409}
    assert await audit(database) == []


async def test_the_log_is_read_page_by_page_and_by_whom_and_what(tracker: AsyncClient) -> None:
    annes = {"Authorization": "Bearer annes"}
    for name in "abc":
        await tracker.patch(f"{V1}/infohashes/{INFO_HASH}", headers=annes, json={"name": name})
    await ask(tracker, "DELETE", f"{V1}/infohashes/{INFO_HASH}")
    first = (await ask(tracker, "GET", f"{V1}/audit", params={"limit": 3})).json()
    assert [item["action"] for item in first["items"]] == ["infohash.remove", "infohash.rename", "infohash.rename"]
    second = (await ask(tracker, "GET", f"{V1}/audit", params={"limit": 3, "cursor": first["next"]})).json()
    assert [item["detail"] for item in second["items"]] == [{"name": "a", "before": "a film"}]
    assert second["next"] is None
    for parameters, expected in [({"operator": "ann"}, 3), ({"action": "infohash.remove"}, 1), ({"operator": "x"}, 0)]:
        found = (await ask(tracker, "GET", f"{V1}/audit", params=parameters)).json()["items"]
        assert len(found) == expected


async def test_an_operator_works_from_the_moment_of_its_making_to_that_of_its_revocation(tracker: AsyncClient) -> None:
    made = (await ask(tracker, "POST", f"{V1}/operators", json={"name": "bob"})).json()
    bobs = {"Authorization": made["key"]}
    assert (await tracker.get(f"{V1}/session", headers=bobs)).json()["name"] == "bob"
    original = await tracker.post("/api/infohash", headers=bobs, json={"info_hash": OTHER})
    assert original.status_code == 201
    listed = (await tracker.get(f"{V1}/operators", headers=bobs)).json()["items"]
    assert [item["name"] for item in listed] == ["environment", "ann", "bob"]
    assert listed[-1]["last_used"] is not None
    assert made["key"] not in json.dumps(listed)
    assert (await ask(tracker, "DELETE", f"{V1}/operators/{made['id']}")).status_code == 204
    assert (await tracker.get(f"{V1}/session", headers=bobs)).status_code == 403


async def test_a_rotated_key_keeps_its_history_and_the_old_one_is_gone(
    tracker: AsyncClient, database: asyncpg.Connection
) -> None:
    before = (await ask(tracker, "GET", f"{V1}/keys/1")).json()
    fresh = (await ask(tracker, "POST", f"{V1}/keys/1/rotate")).json()
    assert fresh["announce_url"] == f"http://tracker.test:3001/{fresh['announce_key']}/announce"
    after = (await ask(tracker, "POST", f"{V1}/keys/lookup", json={"announce_key": fresh["announce_key"]})).json()
    assert after == {**before, "key_hash": after["key_hash"]}
    assert after["uploaded_bytes"] == 77
    assert (await ask(tracker, "POST", f"{V1}/keys/lookup", json={"announce_key": KEY})).status_code == 404


async def test_a_key_holder_rotates_their_own_key(tracker: AsyncClient, database: asyncpg.Connection) -> None:
    response = await tracker.post(f"{V1}/key/rotate", headers={"X-Announce-Key": KEY})
    fresh = response.json()["announce_key"]
    assert response.headers["cache-control"] == "no-store"
    rows = await database.fetch("SELECT id, key_hash, uploaded FROM peers")
    assert [tuple(row) for row in rows] == [(1, hash_announce_key(fresh), 77)]
    assert (await tracker.post(f"{V1}/key/rotate", headers={"X-Announce-Key": KEY})).status_code == 403


async def test_keys_are_listed_sorted_and_found_by_what_operators_know_of_them(
    tracker: AsyncClient, database: asyncpg.Connection
) -> None:
    await database.execute(
        "INSERT INTO peers (id, announce_key, uploaded, last_seen, score, tier)"
        " SELECT n, 'key-' || n, n % 4, CASE WHEN n % 2 = 0 THEN now() END, n, 3 FROM generate_series(2, 30) n"
    )
    for sort in ("created", "-created", "last_seen", "-last_seen", "uploaded", "-uploaded", "score", "-score"):
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            parameters = {"sort": sort, "limit": 7, **cursor}
            page = (await ask(tracker, "GET", f"{V1}/keys", params=parameters)).json()
            found += page["items"]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert len({item["id"] for item in found}) == len(found) == 30, sort
    assert [item["id"] for item in found][:3] == [30, 29, 28]
    assert {(item["last_seen"] is None, item["tier"]) for item in found} == {(True, None), (False, 3)}
    for q in ("30", found[0]["key_hash"], found[0]["key_hash"][:7].upper()):
        items = (await ask(tracker, "GET", f"{V1}/keys", params={"q": q})).json()["items"]
        assert 30 in {item["id"] for item in items}
    assert (await ask(tracker, "GET", f"{V1}/keys", params={"q": "no hash"})).status_code == 400


async def test_bulk_tells_what_became_of_each(tracker: AsyncClient, database: asyncpg.Connection) -> None:
    items = [
        {"info_hash": OTHER, "name": "new"},
        {"info_hash": OTHER.upper(), "name": "again"},
        {"info_hash": INFO_HASH, "name": "known"},
        {"info_hash": "no hash", "name": "x"},
        {"info_hash": "09" * 20, "name": "a\nb"},
    ]
    results = (await ask(tracker, "POST", f"{V1}/infohashes/bulk", json={"items": items})).json()["results"]
    assert [result["status"] for result in results] == ["added", "known", "known", "refused", "refused"]
    assert [bool(result["detail"]) for result in results] == [False, False, False, True, True]
    assert await database.fetchval("SELECT name FROM infohashes WHERE info_hash = $1", bytes.fromhex(OTHER)) == "new"
    too_many = [{"info_hash": OTHER}] * 1001
    assert (await ask(tracker, "POST", f"{V1}/infohashes/bulk", json={"items": too_many})).status_code == 400


HOSTILE_NAMES = [
    "<script>alert(1)</script>",
    "'; DROP TABLE infohashes; --",
    "\u05d0\u05d1\u05d2 right to left",
    "zero\u200bwidth\u200d\ufeff",
    "x" * 10_000,
    "\u202egpj.exe",
    "{{ 7 * 7 }}",
    "../../etc/passwd",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
async def test_a_hostile_name_is_kept_as_text_or_refused_with_a_sentence(tracker: AsyncClient, name: str) -> None:
    added = await ask(tracker, "POST", f"{V1}/infohashes", json={"info_hash": OTHER, "name": name})
    renamed = await ask(tracker, "PATCH", f"{V1}/infohashes/{INFO_HASH}", json={"name": name})
    if added.status_code == 400:
        assert len(name) > 1024 or "\u202e" in name
        assert (renamed.status_code, renamed.json()["detail"]) == (400, added.json()["detail"])
        assert added.json()["detail"].endswith(".")
        return
    assert (added.status_code, renamed.status_code) == (201, 200)
    for info_hash in (OTHER, INFO_HASH):
        shown = await tracker.get(f"{V1}/infohashes/{info_hash}")
        assert shown.headers["content-type"] == "application/json"
        assert shown.json()["name"] == name


async def test_a_name_of_any_length_that_psql_stored_is_listed_and_found(
    tracker: AsyncClient, database: asyncpg.Connection
) -> None:
    name = "needle " + "x" * 10_000
    await database.execute("INSERT INTO infohashes (info_hash, name) VALUES ($1, $2)", bytes.fromhex(OTHER), name)
    asked: list[dict[str, str]] = [{"sort": "name", "limit": "1"}, {"sort": "-name", "limit": "1"}]
    for parameters in (*asked, {"q": "needle"}, {"q": "ne"}):
        page = (await tracker.get(f"{V1}/infohashes", params=parameters)).json()
        names = [item["name"] for item in page["items"]]
        if page["next"]:
            following = {**parameters, "cursor": page["next"]}
            page = (await tracker.get(f"{V1}/infohashes", params=following)).json()
            names += [item["name"] for item in page["items"]]
        assert name in names
