import re
from collections.abc import Iterator

import asyncpg
import pytest
import structlog
from httpx import AsyncClient
from structlog.testing import LogCapture

from tests.support.admin_api import API_KEY, AUTHORIZED
from tests.support.torrent_files import torrent, v1_info


@pytest.fixture
def logged() -> Iterator[LogCapture]:
    capture = LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture])
    yield capture
    structlog.reset_defaults()


async def test_an_error_carries_the_request_id_that_the_log_has(logged: LogCapture, client: AsyncClient) -> None:
    response = await client.get("/api/torrentfile", params={"announce_key": "x" * 30, "info_hash": "zz"})
    assert response.json()["request_id"] == response.headers["x-request-id"]
    [line] = [entry for entry in logged.entries if entry["event"] == "request"]
    assert line["request_id"] == response.headers["x-request-id"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/torrentfile", 400)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing/here", 404), ("PUT", "/api/stats", 405), ("GET", "/api/stats", 200)],
)
async def test_every_answer_has_a_request_id(client: AsyncClient, method: str, path: str, status: int) -> None:
    response = await client.request(method, path)
    assert response.status_code == status
    assert re.fullmatch("[0-9a-f]{16}", response.headers["x-request-id"])


async def test_no_secret_and_no_address_reaches_the_log_or_the_metrics(logged: LogCapture, client: AsyncClient) -> None:
    key = (await client.get("/api/generate")).json()["announce_key"]
    upload = await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": torrent(v1_info())})
    query = {"announce_key": key, "info_hash": upload.json()["info_hash_v1"]}
    await client.get("/api/torrentfile", params=query)
    await client.get(f"/{key}/announce")
    await client.get(f"/api/torrentfile/{key}")
    seen = str(logged.entries) + (await client.get("/metrics")).text
    assert len(logged.entries) >= 5
    for secret in (key, API_KEY, "203.0.113.7"):
        assert secret not in seen


async def test_labels_of_metrics_are_bounded(client: AsyncClient) -> None:
    for method, path in (("GET", "/random/1"), ("GET", "/random/2"), ("BREW", "/api/stats"), ("FETCH", "/")):
        await client.request(method, path)
    metrics = (await client.get("/metrics")).text
    assert 'etracker_admin_requests_total{method="GET",route="unmatched",status="404"} 2.0' in metrics
    assert "random" not in metrics
    assert "BREW" not in metrics


async def test_uploads_and_keys_are_counted_by_their_answer(client: AsyncClient) -> None:
    for data in (b"no torrent", torrent(v1_info()), torrent(v1_info())):
        await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": data})
    await client.get("/api/generate")
    metrics = (await client.get("/metrics")).text
    for answer in ("refused", "new", "known"):
        assert f'etracker_admin_uploads_total{{answer="{answer}"}} 1.0' in metrics
    assert 'etracker_admin_keys_total{answer="generated"} 1.0' in metrics


async def test_an_unexpected_error_is_500_with_an_id_and_a_full_log(
    logged: LogCapture, client: AsyncClient, database: asyncpg.Connection
) -> None:
    await database.execute("ALTER TABLE peers DROP COLUMN announce_key CASCADE")
    response = await client.get("/api/generate")
    assert response.status_code == 500
    assert response.json() == {"message": "Internal error.", "request_id": response.headers["x-request-id"]}
    [line] = [entry for entry in logged.entries if entry["event"] == "request_failed"]
    assert (line["request_id"], line["exc_info"]) == (response.headers["x-request-id"], True)
