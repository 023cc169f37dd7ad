"""What the gateway lets in, whom it asks, and what it keeps to itself."""

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from etracker_stack.programs import caddy_program
from etracker_stack.services import GATEWAY_FILES
from tests.support.gateway import FRONTEND_PAGE, Echo, Gateway, running_gateway

KEY = "0123456789abcdef0123456789abcd"


@pytest.fixture
def services() -> Iterator[tuple[Echo, Echo, Echo]]:
    with Echo("announce") as first, Echo("announce") as second, Echo("admin_api") as admin_api:
        yield first, second, admin_api


@pytest.fixture
def gateway(services: tuple[Echo, Echo, Echo]) -> Iterator[Gateway]:
    *announce, admin_api = services
    with running_gateway(announce, admin_api) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/announce", "announce"),
        ("/scrape", "announce"),
        (f"/{KEY}/announce", "announce"),
        (f"/{KEY}/scrape", "announce"),
        (f"/announce/{KEY}", "announce"),
        (f"/scrape/{KEY}", "announce"),
        ("/api/stats", "admin_api"),
        ("/api/v1/anything", "admin_api"),
    ],
)
def test_each_public_path_reaches_its_service(gateway: Gateway, path: str, service: str) -> None:
    assert httpx.get(gateway.url + path).json()["service"] == service


@pytest.mark.parametrize(
    "path",
    [
        *("/metrics", "/v1/tiers", "/docs", "/redoc", "/openapi.json", "/readyz", "/api/../metrics"),
        *("/a/b/announce", "/static", "/announce/a/b", "/.env", "/.vite/manifest.json"),
        *("/assets/../index.html", "/infohashesx", "/assets/gone.js"),
    ],
)
def test_what_services_keep_to_themselves_is_not_there(gateway: Gateway, path: str) -> None:
    answer = gateway.ask(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 404 ")


@pytest.mark.parametrize("path", ["/", "/infohashes", "/infohashes/0a0b", "/standing", "/operator", "/operator/keys"])
def test_a_page_s_address_gives_the_frontend(gateway: Gateway, path: str) -> None:
    page = httpx.get(gateway.url + path)
    assert (page.status_code, page.text) == (200, FRONTEND_PAGE)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert httpx.get(gateway.url + path, headers={"If-None-Match": page.headers["etag"]}).status_code == 304


def test_the_frontend_runs_nothing_but_its_own_and_talks_to_nobody_else(gateway: Gateway) -> None:
    headers = httpx.get(gateway.url).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {value for name, value in policy.items() if name.endswith("-src")} == {"'none'", "'self'"}
    assert "unsafe" not in headers["content-security-policy"]
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_what_has_its_hash_in_its_name_is_kept_for_good_and_travels_compressed(gateway: Gateway) -> None:
    script = httpx.get(f"{gateway.url}/assets/index-1a2b3c.js", headers={"Accept-Encoding": "gzip"})
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-encoding"] == "gzip"
    assert script.headers["content-type"].startswith("text/javascript")


def test_an_unknown_address_says_so_in_the_frontend_s_words(gateway: Gateway) -> None:
    page = httpx.get(f"{gateway.url}/nowhere")
    assert (page.status_code, page.text) == (404, FRONTEND_PAGE)
    assert page.headers["cache-control"] == "no-store"


def test_health_is_the_gateways_own(gateway: Gateway) -> None:
    assert httpx.get(f"{gateway.url}/healthz").text == "ok"


def test_the_query_arrives_as_it_was_sent(gateway: Gateway) -> None:
    path = f"/{KEY}/announce?info_hash=%ff%00+a/;<:~&peer_id=%2d"
    answer = gateway.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert path.encode() in answer


def test_a_forged_forwarding_header_is_replaced_by_the_real_address(gateway: Gateway) -> None:
    forged = {"X-Forwarded-For": "9.9.9.9", "X-Real-IP": "9.9.9.9"}
    headers = httpx.get(f"{gateway.url}/announce", headers=forged).json()["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"


def test_an_announce_is_never_compressed_nor_chunked(gateway: Gateway) -> None:
    answer = httpx.get(f"{gateway.url}/announce", headers={"Accept-Encoding": "gzip, deflate, br, zstd"})
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_client_of_http_1_0_without_a_host_gets_its_answer(gateway: Gateway) -> None:
    answer = gateway.ask(f"GET /{KEY}/announce HTTP/1.0\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 200 ")
    assert b"content-length: " in answer.lower()


def test_a_connection_closes_when_the_client_asks_for_it(gateway: Gateway) -> None:
    request = f"GET /{KEY}/announce HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n\r\n"
    assert gateway.ask(request.encode()).startswith(b"HTTP/1.1 200 ")


def test_a_replica_that_is_down_is_passed_over(gateway: Gateway, services: tuple[Echo, Echo, Echo]) -> None:
    services[0].stop()
    with httpx.Client() as client:
        assert {client.get(f"{gateway.url}/announce").status_code for _ in range(20)} == {200}


def test_a_request_waits_for_the_only_replica_to_come_back(gateway: Gateway, services: tuple[Echo, Echo, Echo]) -> None:
    services[0].stop()
    services[1].stop()
    back = threading.Timer(1.0, services[0].start)
    back.start()
    assert httpx.get(f"{gateway.url}/announce", timeout=15).status_code == 200
    back.join()


def test_a_reload_answers_who_waits_and_takes_new_connections(
    gateway: Gateway, services: tuple[Echo, Echo, Echo]
) -> None:
    for service in services:
        service.answering.clear()
    with ThreadPoolExecutor() as executor:
        waiting = executor.submit(httpx.get, f"{gateway.url}/announce", timeout=15)
        time.sleep(0.5)
        reload = executor.submit(_reload, gateway)
        time.sleep(0.5)
        for service in services:
            service.answering.set()
        assert waiting.result().status_code == 200
    assert reload.result().returncode == 0, reload.result().stderr
    assert httpx.get(f"{gateway.url}/announce").status_code == 200


def _reload(gateway: Gateway) -> subprocess.CompletedProcess[str]:
    address = f"unix/{gateway.environment['ETRACKER_GATEWAY_SOCKET']}"
    command = ["reload", "--config", str(GATEWAY_FILES / "Caddyfile"), "--force", "--address", address]
    variables = {**gateway.environment, "ETRACKER_GATEWAY_SITES": f"http://:{gateway.port}"}
    return subprocess.run([str(caddy_program()), *command], env=variables, capture_output=True, text=True, check=False)


def test_an_error_is_logged_without_key_and_address(gateway: Gateway) -> None:
    answer = httpx.post(f"{gateway.url}/{KEY}/announce?info_hash=secret", headers={"X-Mark": "marked"})
    assert answer.status_code == 502
    gateway.program.wait_until(lambda: '"level":"error"' in gateway.program.output, "the error is logged")
    for secret in (KEY, "secret", "marked", "127.0.0.1:" + str(gateway.port), "remote_ip"):
        assert secret not in gateway.program.output


def test_nobody_s_announce_is_logged(gateway: Gateway) -> None:
    httpx.get(f"{gateway.url}/{KEY}/announce")
    gateway.program.stop()
    assert "announce" not in gateway.program.output


def test_the_configuration_for_compose_is_valid() -> None:
    variables = {"ETRACKER_GATEWAY_SITES": "http://:3000, https://tracker.example.org", "HOME": "/nonexistent"}
    command = [str(caddy_program()), "adapt", "--config", str(GATEWAY_FILES / "Caddyfile"), "--validate"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("hostname", "sites"),
    [
        ("", "http://:3000"),
        ("localhost", "http://:3000"),
        ("192.0.2.1", "http://:3000"),
        ("192.0.2.1:80", "http://:3000"),
        ("[2001:db8::1]:80", "http://:3000"),
        ("tracker.lan", "http://:3000"),
        ("tracker", "http://:3000"),
        ("http://tracker.example.org", "http://:3000"),
        ("tracker.example.org", "http://:3000, https://tracker.example.org"),
        ("https://tracker.example.org:443", "http://:3000, https://tracker.example.org"),
    ],
)
def test_only_a_public_name_gets_a_certificate(hostname: str, sites: str) -> None:
    script = ["/bin/sh", str(GATEWAY_FILES / "gateway.sh")]
    variables = {"ETRACKER_FRONTEND_HOSTNAME": hostname}
    assert subprocess.run(script, env=variables, capture_output=True, text=True, check=True).stdout.strip() == sites
