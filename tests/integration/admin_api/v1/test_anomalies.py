"""Anomalies as operators see them and decide about them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient, Response

from etracker_shared.agreements.anomalies import BLOCK_SECONDS, AnomalyState, Kind, Override, Verdict
from etracker_shared.language.identity import hash_announce_key
from tests.support.admin_api import AUTHORIZED, audit
from tests.support.anomalies import NOW_BLOCK, add_anomaly, add_evidence, add_key, add_torrent, confirm
from tests.support.waiting import eventually

ANOMALIES = "/api/v1/anomalies"
GUEST = bytes(range(16))
INFO_HASH = "07" * 20


async def ask(client: AsyncClient, method: str, path: str = ANOMALIES, **more: Any) -> Response:
    return await client.request(method, path, headers=AUTHORIZED, **more)


async def ids(api: AsyncClient, **query: Any) -> list[int]:
    response = await ask(api, "GET", params=query)
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


async def decide(client: AsyncClient, anomaly_id: int, decision: str, **more: Any) -> Response:
    body = {"decision": decision, "note": "I looked", **more}
    return await ask(client, "POST", f"{ANOMALIES}/{anomaly_id}/decision", json=body)


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


async def test_a_key_is_shown_with_its_evidence_in_words(client: AsyncClient, database: asyncpg.Connection) -> None:
    key, torrent = await add_key(database, "k" * 30), await add_torrent(database, INFO_HASH, "a film")
    anomaly = await add_anomaly(database, key, score=65.04)
    first, last = NOW_BLOCK - 5, NOW_BLOCK - 3
    await add_evidence(database, anomaly, torrent, points=40, blocks=(first, last), excess=12, unit="MiB", odd=[1])
    await add_evidence(database, anomaly, torrent, Kind.SWARM_SINK, points=20, peer_id=None)
    await add_evidence(database, anomaly, None, Kind.FLOOD, points=8)
    shown = (await ask(client, "GET", f"{ANOMALIES}/{anomaly}")).json()
    assert (shown["key_id"], shown["key_hash"]) == (key, hash_announce_key("k" * 30).hex())
    assert (shown["state"], shown["verdict"], shown["score"], shown["points"]) == (
        "suspected",
        None,
        65.0,
        {"P:rate": 50},
    )
    assert shown["client"] == {"name": "qBittorrent", "version": "5.2.1", "prefix": "-qB5210-"}
    assert (shown["decision"], shown["appeals"], shown["appeals_waiting"]) == (None, [], 0)
    [of_torrent] = shown["torrents"]
    assert (of_torrent["info_hash"], of_torrent["points"], of_torrent["evidence"]) == (INFO_HASH, 60, 2)
    assert of_torrent["of_balance"]
    flood, sink, redownload = shown["evidence"]["items"]
    assert (flood["kind"], flood["torrent"], flood["began"]) == ("E:flood", None, None)
    assert sink["client"] is None
    assert redownload["text"] == "received 40 times the size"
    assert redownload["data"] == {"excess": 12, "unit": "MiB"}
    assert redownload["torrent"] == {"info_hash": INFO_HASH, "name": "a film"}
    assert datetime.fromisoformat(redownload["began"]).timestamp() == first * BLOCK_SECONDS
    assert datetime.fromisoformat(redownload["ended"]).timestamp() == (last + 1) * BLOCK_SECONDS
    path = f"{ANOMALIES}/{anomaly}/evidence"
    page = (await ask(client, "GET", path, params={"limit": 2})).json()
    rest = (await ask(client, "GET", path, params={"limit": 2, "cursor": page["next"]})).json()
    assert [*page["items"], *rest["items"]] == [flood, sink, redownload]
    assert rest["next"] is None
    for missing in (f"{ANOMALIES}/{anomaly + 1}", f"{ANOMALIES}/{anomaly + 1}/evidence"):
        assert (await ask(client, "GET", missing)).status_code == 404


async def test_the_list_is_searched_filtered_sorted_and_paged(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    keys = [await add_key(database, f"key{number}") for number in range(4)]
    scores = (12.0, 70.0, 70.0, 150.0)
    states = (AnomalyState.CLEARED, AnomalyState.SUSPECTED, AnomalyState.SUSPECTED, AnomalyState.CONFIRMED)
    found = [
        await add_anomaly(database, key, state=state, score=score)
        for key, state, score in zip(keys, states, scores, strict=True)
    ]
    guest = await add_anomaly(database, guest=GUEST, score=90.5, peer_id=b"-TR4050-abcdefghijkl")
    await database.execute("UPDATE anomalies SET verdict = 3 WHERE id = $1", found[3])
    await database.execute("UPDATE anomalies SET since = now() - interval '1 day' * id")
    by_score = [found[3], guest, found[2], found[1], found[0]]
    assert await ids(client) == by_score
    assert await ids(client, sort="score") == by_score[::-1]
    assert await ids(client, sort="since") == [guest, *found[::-1]]
    assert await ids(client, sort="-since") == [*found, guest]
    assert await ids(client, state="suspected") == [guest, found[2], found[1]]
    assert await ids(client, verdict="waste") == [found[3]]
    assert await ids(client, verdict="statistics") == []
    assert await ids(client, client="-TR") == [guest]
    assert await ids(client, client="-qB5210-", state="confirmed") == [found[3]]
    assert await ids(client, q=GUEST.hex()[:6].upper()) == [guest]
    assert await ids(client, q=hash_announce_key("key1").hex()) == [found[1]]
    assert found[2] in await ids(client, q=str(keys[2]))
    await database.execute("INSERT INTO anomaly_appeals (anomaly_id, text) VALUES ($1, 'no')", found[3])
    assert await ids(client, appealed=True) == [found[3]]
    for sort in ("-score", "score", "since", "-since"):
        whole, paged, cursor = await ids(client, sort=sort), [], None
        while True:
            query = {"sort": sort, "limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await ask(client, "GET", params=query)).json()
            paged += [item["id"] for item in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert paged == whole
    for query in ({"q": "xyz"}, {"client": "-"}, {"client": "a b"}, {"state": "guilty"}, {"cursor": "AAAA"}):
        assert (await ask(client, "GET", params=query)).status_code == 400, query


@pytest.mark.parametrize(
    ("decision", "until", "override", "days"),
    [
        ("exempt", None, Override.EXEMPT, None),
        ("exempt", 30, Override.EXEMPT, 30),
        ("clear", None, Override.CLEARED, 7),
        ("clear", 90, Override.CLEARED, 90),
        ("confirm", 14, Override.CONFIRMED, 14),
    ],
)
async def test_a_decision_is_stored_for_the_worker_and_in_the_audit_log(
    client: AsyncClient,
    database: asyncpg.Connection,
    *,
    decision: str,
    until: float | None,
    override: Override,
    days: float | None,
) -> None:
    key = await add_key(database, "key")
    anomaly = await add_anomaly(database, key)
    before = dict((await database.fetch("SELECT * FROM anomalies"))[0])
    response = await decide(client, anomaly, decision, **({} if until is None else {"until": in_days(until)}))
    assert response.status_code == 200, response.text
    after = dict((await database.fetch("SELECT * FROM anomalies"))[0])
    changed = {name: value for name, value in after.items() if value != before[name]}
    end = changed.pop("override_until", None)
    assert changed == {"override": override, "override_by": "environment", "note": "I looked", "applied": 0}
    assert (end is None) is (days is None)
    if days is not None:
        assert abs(end - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=5)
    shown = response.json()["decision"]
    assert (shown["decision"], shown["operator"], shown["note"]) == (decision, "environment", "I looked")
    [(action, target, detail)] = await audit(database)
    assert (action, target) == ("anomaly.decide", str(anomaly))
    assert (detail["key"], detail["decision"], detail["note"]) == (key, decision, "I looked")
    metrics = (await client.get("/metrics")).text
    assert f'etracker_admin_anomaly_decisions_total{{decision="{decision}"}} 1.0' in metrics


async def test_a_decision_replaces_another_and_is_ended(client: AsyncClient, database: asyncpg.Connection) -> None:
    anomaly = await add_anomaly(database, guest=GUEST)
    await decide(client, anomaly, "exempt")
    assert (await decide(client, anomaly, "clear")).json()["decision"]["decision"] == "clear"
    path = f"{ANOMALIES}/{anomaly}/decision/end"
    ended = await ask(client, "POST", path, json={"note": "enough"})
    assert (ended.status_code, ended.json()["decision"]) == (200, None)
    [row] = await database.fetch("SELECT override, override_until, override_by, note FROM anomalies")
    assert tuple(row) == (None, None, None, "enough")
    assert (await ask(client, "POST", path, json={"note": "again"})).status_code == 409
    assert [(action, detail["guest"]) for action, _, detail in await audit(database)] == [
        ("anomaly.decide", GUEST.hex()),
        ("anomaly.decide", GUEST.hex()),
        ("anomaly.end_decision", GUEST.hex()),
    ]
    await database.execute("UPDATE anomalies SET override = 2, override_until = now() - interval '1 s'")
    assert (await ask(client, "GET", f"{ANOMALIES}/{anomaly}")).json()["decision"] is None
    for path in (f"{ANOMALIES}/{anomaly + 1}/decision/end", f"{ANOMALIES}/{anomaly + 1}/decision"):
        body = {"note": "none", "decision": "exempt"}
        assert (await ask(client, "POST", path, json=body)).status_code == 404


async def test_the_worker_carries_out_a_decision_that_repeats_an_earlier_one(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    """Cleared again, for example, because of another kind of evidence."""
    anomaly = await add_anomaly(database, guest=GUEST)
    for decision in ("clear", "clear", "exempt"):
        await decide(client, anomaly, decision)
        assert await database.fetchval("SELECT id FROM anomalies WHERE override IS DISTINCT FROM applied") == anomaly
        await database.execute("UPDATE anomalies SET applied = override")


@pytest.mark.parametrize(
    "body",
    [
        {"decision": "confirm", "note": "until when?"},
        {"decision": "clear", "note": ""},
        {"decision": "clear"},
        {"decision": "clear", "note": "two\nlines"},
        {"decision": "clear", "note": "late", "until": "2020-01-01T00:00:00Z"},
        {"decision": "clear", "note": "where?", "until": "2099-01-01T00:00:00"},
        {"decision": "ban", "note": "no"},
    ],
    ids=str,
)
async def test_a_decision_that_cant_be_carried_out_is_refused_with_a_sentence(
    client: AsyncClient, database: asyncpg.Connection, body: dict[str, Any]
) -> None:
    anomaly = await add_anomaly(database, guest=GUEST)
    response = await ask(client, "POST", f"{ANOMALIES}/{anomaly}/decision", json=body)
    assert response.status_code == 400
    assert response.json()["detail"].endswith(".")
    assert await database.fetchval("SELECT override FROM anomalies") is None
    assert await audit(database) == []


async def test_every_decision_notifies_announce(client: AsyncClient, database: asyncpg.Connection) -> None:
    heard: list[str] = []
    await database.add_listener("etracker_anomalies", lambda *arguments: heard.append(arguments[-1]))
    anomaly = await add_anomaly(database, guest=GUEST, state=AnomalyState.CONFIRMED, verdict=Verdict.WASTE)
    steps: list[Callable[[], Awaitable[Response]]] = [
        lambda: decide(client, anomaly, "clear"),
        lambda: decide(client, anomaly, "confirm", until=in_days(1)),
        lambda: ask(client, "POST", f"{ANOMALIES}/{anomaly}/decision/end", json={"note": "done"}),
    ]
    for number, step in enumerate(steps, start=2):  # the first was the insert
        assert (await step()).status_code == 200

        async def told(number: int = number) -> bool:
            return heard == [f'["{anomaly:016x}"]'] * number

        await eventually(told, "announce is notified")


async def test_appeals_are_answered_once(client: AsyncClient, database: asyncpg.Connection) -> None:
    anomaly = await add_anomaly(database, guest=GUEST)
    await confirm(database, anomaly)
    made = "INSERT INTO anomaly_appeals (anomaly_id, text) VALUES ($1, $2) RETURNING id"
    one, two = [await database.fetchval(made, anomaly, text) for text in ("<b>no</b>", "my disk is broken")]
    path = f"{ANOMALIES}/{anomaly}/appeals"
    assert [item["appeals_waiting"] for item in (await ask(client, "GET")).json()["items"]] == [2]
    answered = await ask(client, "POST", f"{path}/{two}/answer", json={"answer": "Replace it,\nthen write again."})
    assert answered.status_code == 200, answered.text
    shown = (await ask(client, "GET", f"{ANOMALIES}/{anomaly}")).json()
    assert shown["appeals"][0] == answered.json()
    assert (shown["appeals"][0]["operator"], shown["appeals"][1]["text"]) == ("environment", "<b>no</b>")
    assert shown["appeals_waiting"] == 1
    assert (await ask(client, "POST", f"{path}/{two}/answer", json={"answer": "or not"})).status_code == 409
    assert (await ask(client, "POST", f"{path}/{one}/answer", json={"answer": " "})).status_code == 400
    for wrong in (f"{path}/{two + 1}/answer", f"{ANOMALIES}/{anomaly + 1}/appeals/{one}/answer"):
        assert (await ask(client, "POST", wrong, json={"answer": "no"})).status_code == 404
    [(action, target, detail)] = await audit(database)
    assert (action, target, detail["anomaly"]) == ("anomaly.answer_appeal", str(two), anomaly)
