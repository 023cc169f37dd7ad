"""What holders of keys see of anomalies: everything from a confirmation on, and nothing before."""

import asyncio
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient, Response

from etracker_admin_api.anomalies.changes import MAX_TEXT_CHARACTERS
from etracker_admin_api.settings import AdminSettings
from etracker_shared.agreements.anomalies import AnomalyState, DetectionMode, Override, Verdict
from tests.support.admin_api import AUTHORIZED, serving
from tests.support.anomalies import add_anomaly, add_evidence, add_key, add_torrent, confirm

OWN = "/api/v1/key/anomaly"
KEY = "k" * 30
NOTHING: dict[str, Any] = {
    "confirmed": False,
    "enforced": False,
    "verdict": None,
    "since": None,
    "evidence": [],
    "appeals": [],
}


async def ask(client: AsyncClient, method: str = "GET", path: str = OWN, key: str = KEY, **more: Any) -> Response:
    return await client.request(method, path, headers={"X-Announce-Key": key}, **more)


async def appeal(client: AsyncClient, text: str = "It was my disk.", key: str = KEY) -> Response:
    return await ask(client, "POST", f"{OWN}/appeals", key, json={"text": text})


@pytest.fixture
async def key(database: asyncpg.Connection) -> int:
    return await add_key(database, KEY)


@pytest.mark.parametrize("state", [AnomalyState.OK, AnomalyState.SUSPECTED, AnomalyState.CLEARED, None])
async def test_nothing_shows_whether_a_key_is_suspected(
    client: AsyncClient, database: asyncpg.Connection, key: int, state: AnomalyState | None
) -> None:
    if state is not None:
        await add_evidence(database, await add_anomaly(database, key, state=state, score=99))
    shown = await ask(client)
    assert shown.json() == NOTHING | {"appeals_left": 0}
    assert shown.headers["cache-control"] == "no-store"
    assert (await appeal(client)).status_code == 409
    assert (await appeal(client)).json()["detail"].startswith("Nothing is confirmed")


@pytest.mark.parametrize("override", [Override.EXEMPT, Override.CLEARED])
async def test_a_decision_for_the_holder_is_shown_before_the_worker_follows(
    client: AsyncClient, database: asyncpg.Connection, key: int, override: Override
) -> None:
    await confirm(database, await add_anomaly(database, key))
    assert (await ask(client)).json()["confirmed"]
    await database.execute("UPDATE anomalies SET override = $1, override_until = now() + interval '1 day'", override)
    assert not (await ask(client)).json()["confirmed"]
    await database.execute("UPDATE anomalies SET override_until = now() - interval '1 s'")
    assert (await ask(client)).json()["confirmed"]


async def test_a_confirmed_key_sees_its_evidence_appeals_and_reads_the_answer(
    client: AsyncClient, database: asyncpg.Connection, key: int
) -> None:
    anomaly = await add_anomaly(database, key)
    other = await add_anomaly(database, await add_key(database, "other"))
    for one in (anomaly, other):
        await confirm(database, one, Verdict.WASTE)
    await add_evidence(database, anomaly, await add_torrent(database, "07" * 20), points=50, blocks=(12, 13), excess=7)
    await add_evidence(database, other)
    shown = (await ask(client)).json()
    assert (shown["confirmed"], shown["verdict"], shown["appeals_left"]) == (True, "waste", 3)
    [evidence] = shown["evidence"]
    assert (evidence["kind"], evidence["text"]) == ("P:redownload", "received 50 times the size")
    assert evidence["torrent"]["info_hash"] == "07" * 20
    text = "It was my disk.\n<script>alert(1)</script> 'quoted' \N{GRINNING FACE} \N{ZERO WIDTH JOINER}"
    made = await appeal(client, f"  {text}\r\nSorry.")
    assert made.status_code == 201, made.text
    assert made.json()["text"] == f"{text}\nSorry."
    path = f"/api/v1/anomalies/{anomaly}/appeals/{made.json()['id']}/answer"
    answered = await client.post(path, headers=AUTHORIZED, json={"answer": "Fine."})
    assert answered.status_code == 200
    [seen] = (await ask(client)).json()["appeals"]
    assert (seen["answer"], seen["answered"]) == ("Fine.", answered.json()["answered"])
    assert "environment" not in (await ask(client)).text
    assert (await ask(client, key="other")).json()["appeals"] == []
    await database.execute("UPDATE anomalies SET state = 3, verdict = NULL")
    assert (await ask(client)).json() == NOTHING | {"appeals": [seen], "appeals_left": 0}


@pytest.mark.parametrize("text", ["", " \n ", "x" * (MAX_TEXT_CHARACTERS + 1), "\x00", "a\x1b[31mred"])
async def test_a_text_that_isnt_plain_is_refused(
    client: AsyncClient, database: asyncpg.Connection, key: int, text: str
) -> None:
    await confirm(database, await add_anomaly(database, key))
    assert (await appeal(client, text)).status_code == 400
    assert (await appeal(client, "y" * MAX_TEXT_CHARACTERS)).status_code == 201


async def test_three_appeals_may_wait_however_many_are_sent_at_once(
    client: AsyncClient, database: asyncpg.Connection, key: int
) -> None:
    await confirm(database, await add_anomaly(database, key))
    statuses = [response.status_code for response in await asyncio.gather(*(appeal(client) for _ in range(6)))]
    assert sorted(statuses) == [201] * 3 + [409] * 3
    assert (await ask(client)).json()["appeals_left"] == 0
    await database.execute("UPDATE anomaly_appeals SET answer = 'no', answered_time = now()")
    assert (await ask(client)).json()["appeals_left"] == 3
    statuses = [(await appeal(client)).status_code for _ in range(5)]
    assert statuses == [201, 201, 201, 409, 429]  # ten a day, whatever became of them


async def test_appeals_of_one_key_dont_limit_another(
    client: AsyncClient, database: asyncpg.Connection, key: int
) -> None:
    for one in (key, await add_key(database, "other")):
        await confirm(database, await add_anomaly(database, one))
    statuses = [(await appeal(client)).status_code for _ in range(11)]
    assert statuses[-1] == 429
    assert (await appeal(client, key="other")).status_code == 201


@pytest.mark.parametrize(
    ("mode", "confirmed", "enforced"),
    [(DetectionMode.OFF, False, False), (DetectionMode.OBSERVE, True, False), (DetectionMode.ENFORCE, True, True)],
)
async def test_a_holder_sees_whether_confirmations_have_consequences(
    admin_settings: AdminSettings,
    database: asyncpg.Connection,
    key: int,
    *,
    mode: DetectionMode,
    confirmed: bool,
    enforced: bool,
) -> None:
    await confirm(database, await add_anomaly(database, key))
    async with serving(admin_settings.model_copy(update={"detection": mode})) as client:
        shown = (await ask(client)).json()
        assert (shown["confirmed"], shown["enforced"]) == (confirmed, enforced)
        assert (await appeal(client)).status_code == (201 if confirmed else 409)
