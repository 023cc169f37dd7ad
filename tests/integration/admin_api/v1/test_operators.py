"""Who adds and revokes operators, and what they may be called: the audit log knows people by their names."""

import asyncio

import asyncpg
import pytest
from httpx import AsyncClient

from etracker_admin_api.api_keys import hash_api_key
from tests.support.admin_api import AUTHORIZED

OPERATORS = "/api/v1/operators"
ANNES = {"Authorization": "Bearer annes"}


@pytest.fixture
async def tracker(client: AsyncClient, database: asyncpg.Connection) -> AsyncClient:
    """Operators of today and of before, when names could be anything."""
    names = [("ann", b"annes", None), ("Zo\u00eb", b"zoes", None), ("gone", b"gones", "2026-01-01")]
    await database.executemany(
        "INSERT INTO operators (name, key_hash, revoked_time) VALUES ($1, $2, $3::text::timestamptz)",
        [(name, hash_api_key(key), revoked) for name, key, revoked in names],
    )
    return client


async def add(tracker: AsyncClient, name: str) -> tuple[int, str]:
    response = await tracker.post(OPERATORS, headers=AUTHORIZED, json={"name": name})
    return response.status_code, response.json().get("detail", "")


UNFIT = [
    *("", " ", "a" * 65, "a\nb", "a\tb", "a\x00b", "<script>", "-ann", "ann.", "two  spaces"),
    *("\u0430nn", "\uff41nn", "an\u0301n", "\u00e4nn", "\u01c9"),  # other alphabets, full width, accents, ligatures
    *("a\u200bnn", "\u202eevil", "ann\ufeff", "a\u00a0nn", "\u2800", "a\u00adnn", "ann\u2060"),  # unseen
]


TAKEN = [
    *("ann", "ANN", "Ann", " ann ", "zoe", "Zoe", "gone", "G0NE"),
    *("environment", "Environment", "ENVIRONMENT", "env1ronment", "Envir0nment", "environrnent"),
]


FREE = ["bob", "night script", "j.doe+backup@tracker-2", "7", "anne", "a" * 64]


async def test_a_name_is_a_short_line_of_ascii(tracker: AsyncClient) -> None:
    for name in UNFIT:
        status, detail = await add(tracker, name)
        assert status == 400, ascii(name)
        assert detail.endswith(".")
        assert "ASCII" in detail


async def test_a_name_that_looks_like_anybodys_is_taken(tracker: AsyncClient) -> None:
    for name in TAKEN:
        status, detail = await add(tracker, name)
        assert status == 409, name
        assert detail.endswith(".")


async def test_other_names_are_free(tracker: AsyncClient) -> None:
    for name in FREE:
        assert await add(tracker, name) == (201, "")
        assert (await add(tracker, name.upper()))[0] == 409


async def test_of_many_who_ask_for_one_name_at_once_one_gets_it(tracker: AsyncClient) -> None:
    answers = await asyncio.gather(*(add(tracker, name) for name in ("bob", "BOB", "b0b", "Bob") * 5))
    assert sorted(status for status, _detail in answers) == [201] + [409] * 19


async def test_a_name_from_before_is_still_shown_and_revoked(tracker: AsyncClient) -> None:
    listed = (await tracker.get(OPERATORS, headers=AUTHORIZED)).json()["items"]
    (zoe,) = [item for item in listed if item["name"] == "Zo\u00eb"]
    assert (await tracker.get("/api/v1/session", headers={"Authorization": "zoes"})).json()["name"] == "Zo\u00eb"
    assert (await tracker.delete(f"{OPERATORS}/{zoe['id']}", headers=AUTHORIZED)).status_code == 204


async def test_only_the_first_operator_adds_and_revokes(tracker: AsyncClient, database: asyncpg.Connection) -> None:
    before = await database.fetch("SELECT * FROM operators ORDER BY id")
    refused = [
        await tracker.post(OPERATORS, headers=ANNES, json={"name": "bob"}),
        await tracker.post(OPERATORS, headers=ANNES, content=b"no body that anybody should look at"),
        *[await tracker.delete(f"{OPERATORS}/{row['id']}", headers=ANNES) for row in before],
        await tracker.delete(f"{OPERATORS}/99", headers=ANNES),
    ]
    for response in refused:
        assert response.status_code == 403
        assert response.headers["content-type"] == "application/problem+json"
        assert "first operator" in response.json()["detail"]
    after = await database.fetch("SELECT * FROM operators ORDER BY id")
    assert [(row["id"], row["revoked_time"]) for row in after] == [(row["id"], row["revoked_time"]) for row in before]
    assert await database.fetchval("SELECT count(*) FROM audit_log") == 0


async def test_everybody_reads_the_list_and_learns_whether_they_are_the_first(tracker: AsyncClient) -> None:
    for headers, first in ((AUTHORIZED, True), (ANNES, False)):
        assert (await tracker.get(OPERATORS, headers=headers)).status_code == 200
        assert (await tracker.get("/api/v1/session", headers=headers)).json()["first"] is first
