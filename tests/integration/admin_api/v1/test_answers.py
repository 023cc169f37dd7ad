"""What every answer under /api/v1 has in common: problem details, tags, and who may read it from where."""

import pytest
from httpx import AsyncClient

from etracker_admin_api.http.cors import frontend_origins
from etracker_admin_api.settings import AdminSettings
from tests.support.admin_api import AUTHORIZED, serving
from tests.support.postgres import PostgresServer

V1 = "/api/v1"
INFO_HASH = "07" * 20


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", f"/infohashes/{INFO_HASH}", 404),
        ("GET", "/infohashes/xyz", 404),
        ("GET", f"/keys/{2**63}", 401),
        ("GET", "/infohashes?limit=0", 400),
        ("GET", "/infohashes?sort=luck", 400),
        ("GET", "/infohashes?cursor=x", 400),
        ("GET", "/stats/history?span=aeon", 400),
        ("PUT", "/stats", 405),
        ("GET", "/session", 401),
        ("GET", f"/infohashes/{INFO_HASH}/torrent", 401),
    ],
)
async def test_an_error_is_a_problem_document(client: AsyncClient, method: str, path: str, status: int) -> None:
    response = await client.request(method, V1 + path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    problem = response.json()
    assert (problem["status"], problem["request_id"]) == (status, response.headers["x-request-id"])
    assert {"type", "title", "detail"} <= set(problem)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/infohash", "DELETE, POST"),
        ("/api/v1/infohashes", "GET, POST"),
        (f"/api/v1/infohashes/{INFO_HASH}", "DELETE, GET, PATCH"),
        ("/api/v1/infohashes/bulk", "POST"),
        ("/api/v1/keys/lookup", "POST"),
    ],
)
async def test_a_wrong_method_is_told_all_right_ones(client: AsyncClient, path: str, methods: str) -> None:
    response = await client.put(path)
    assert (response.status_code, response.headers["allow"]) == (405, methods)


async def test_a_wrong_parameter_is_named(client: AsyncClient) -> None:
    problem = (await client.get(f"{V1}/infohashes?limit=0&sort=luck")).json()
    assert {error["field"] for error in problem["errors"]} == {"limit", "sort"}


async def test_the_originals_errors_keep_their_shape(client: AsyncClient) -> None:
    response = await client.post("/api/infohash")
    assert set(response.json()) == {"message", "request_id"}
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/stats", "/stats/history", "/infohashes", f"/infohashes/{INFO_HASH}/history"])
async def test_public_reads_may_be_kept_and_others_may_not(client: AsyncClient, path: str) -> None:
    await client.post(f"{V1}/infohashes", headers=AUTHORIZED, json={"info_hash": INFO_HASH})
    response = await client.get(V1 + path)
    assert response.status_code == 200
    assert response.headers["cache-control"].startswith("public, max-age=")
    assert response.headers["etag"].startswith('"')
    assert (await client.get(f"{V1}/session", headers=AUTHORIZED)).headers["cache-control"] == "no-store"


async def test_while_postgres_is_down_everything_says_so_in_time(
    admin_settings: AdminSettings, dedicated_postgres: PostgresServer
) -> None:
    postgres = dedicated_postgres.settings("migrated")
    settings = AdminSettings(**{**admin_settings.model_dump(), **postgres.model_dump()})
    async with serving(settings) as client:
        assert (await client.get(f"{V1}/stats")).status_code == 200
        before = (await client.get(f"{V1}/system", headers=AUTHORIZED)).json()["parts"]
        dedicated_postgres.stop()
        for path in ("/infohashes", f"/infohashes/{INFO_HASH}", "/stats/history", "/keys", "/audit"):
            response = await client.get(V1 + path, headers=AUTHORIZED)
            assert (response.status_code, response.json()["type"]) == (503, "/problems/unavailable"), path
            assert response.headers["retry-after"]
        system = (await client.get(f"{V1}/system", headers=AUTHORIZED)).json()
        assert system["postgres"] is None
        [answered] = [part["answered_at"] for part in before if part["name"] == "postgres"]
        first = system["parts"][0]
        assert (first["name"], first["status"]) == ("postgres", "down")
        assert first["answered_at"] >= answered
        assert "nothing is lost" in first["consequence"]
        assert [service["status"] for service in system["services"] if service["name"] == "admin_api"] == ["down"]
        dedicated_postgres.start()


@pytest.mark.parametrize(
    ("setting", "origins"),
    [
        ("", []),
        ("localhost", []),
        ("tracker.example", ["http://tracker.example", "https://tracker.example"]),
        ("Tracker.Example:3000", ["http://tracker.example:3000", "https://tracker.example:3000"]),
        ("https://tracker.example:443", ["https://tracker.example"]),
        ("http://[2001:db8::1]:8080", ["http://[2001:db8::1]:8080"]),
        ("https://[2001:db8::1]", ["https://[2001:db8::1]"]),
    ],
)
def test_only_the_trackers_own_name_is_an_origin(setting: str, origins: list[str]) -> None:
    assert frontend_origins(setting) == origins


async def test_pages_of_the_frontend_may_read_answers_and_other_pages_may_not(admin_settings: AdminSettings) -> None:
    settings = admin_settings.model_copy(update={"frontend_hostname": "https://tracker.example"})
    asking = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
    async with serving(settings) as client:
        for origin, allowed in [("https://tracker.example", "https://tracker.example"), ("https://evil.example", None)]:
            answer = await client.get(f"{V1}/stats", headers={"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed
            preflight = await client.options(f"{V1}/keys/1", headers={"Origin": origin, **asking})
            assert preflight.headers.get("access-control-allow-origin") == allowed
            assert "access-control-allow-credentials" not in answer.headers
