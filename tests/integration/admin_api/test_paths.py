"""Paths that don't exist quite so, and what every answer says of its content."""

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry

from etracker_admin_api.app import create_app
from etracker_admin_api.http.route_table import walk
from etracker_admin_api.settings import AdminSettings
from etracker_announce.frontends.observation import create_observation_app
from etracker_announce.settings import AnnounceSettings
from etracker_scoring.api.app import create_app as create_scoring_app
from etracker_scoring.settings import ScoringSettings, WorkerSettings
from etracker_scoring.worker.program import create_worker_app
from tests.support.admin_api import AUTHORIZED
from tests.support.admin_routes import fill


def routes() -> list[tuple[str, str]]:
    found = walk(create_app(AdminSettings()).routes)
    return sorted({(method, fill(route.path_format)) for route in found for method in route.methods or ()})


ANSWERS = [
    *routes(),
    *((method, f"{path}/") for method, path in routes()),
    *(("GET", path) for path in ("/api", "/api/v1/nothing", "//evil.test/", "/docs", "/openapi.json")),
    ("OPTIONS", "/api/stats"),
    ("PUT", "/api/stats"),
]


async def test_every_answer_forbids_guessing_its_type_and_none_leads_elsewhere(client: AsyncClient) -> None:
    for method, path in ANSWERS:
        for headers in ({}, AUTHORIZED):
            response = await client.request(method, path, headers={**headers, "X-Forwarded-Proto": "https"})
            assert response.headers.get_list("x-content-type-options") == ["nosniff"], path
            assert "location" not in response.headers, path


async def test_a_slash_at_the_end_is_told_in_the_routes_own_shape(client: AsyncClient) -> None:
    for method, path in routes():
        response = await client.request(method, f"{path}/", headers=AUTHORIZED)
        assert response.status_code == 404, path
        body = response.json()
        sentence = body["detail"] if path.startswith("/api/v1") else body["message"]
        assert sentence == "There is nothing at this path: remove the slash at its end."


async def test_any_other_path_gets_a_sentence_too(client: AsyncClient) -> None:
    for path in ("/api/nothing", "/api/nothing/", "/"):
        assert (await client.get(path)).json()["message"] == "There is nothing at this path."


APPLICATIONS = {
    "announce": lambda: create_observation_app({}, CollectorRegistry(), AnnounceSettings()),
    "scoring": lambda: create_scoring_app(ScoringSettings()),
    "worker": lambda: create_worker_app(WorkerSettings()),
}


@pytest.mark.parametrize("service", APPLICATIONS)
async def test_no_other_application_redirects_either(service: str) -> None:
    app: FastAPI = APPLICATIONS[service]()
    transport = ASGITransport(app)
    paths = {route.path_format for route in walk(app.routes)}
    assert "/healthz" in paths
    async with AsyncClient(transport=transport, base_url="http://tracker.test") as client:
        for path in paths:
            assert (await client.get(f"{path}/")).status_code == 404, path
