"""What the gateway lets in, which service it asks, and what it doesn't expose."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from etracker_stack.programs import caddy_program
from etracker_stack.services import GATEWAY_FILES
from tests.support.gateway import FRONTEND_PAGE, Echo, Gateway, running_gateway
from tests.support.processes import Program, free_port

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
        ("//announce", "announce"),
        ("/scrape/", "announce"),
        (f"/{KEY}//announce/", "announce"),
        (f"//announce/{KEY}/", "announce"),
        ("/%61nnounce", "announce"),
        ("/?info_hash=%ff;/+", "announce"),
        (f"/{KEY}/?peer_id=x&info%5Fhash=%zz", "announce"),
        ("/assets/x?%69%6e%66%6f%5f%68%61%73%68=", "announce"),
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
def test_what_services_dont_publish_isnt_reachable(gateway: Gateway, path: str) -> None:
    answer = gateway.ask(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 404 ")


@pytest.mark.parametrize(
    "path", ["/", "/infohashes", "/infohashes/0a0b", "/standing", "/operator", "/operator/keys", "/b/0123456789"]
)
def test_the_address_of_a_page_returns_the_frontend(gateway: Gateway, path: str) -> None:
    page = httpx.get(gateway.url + path)
    assert (page.status_code, page.text) == (200, FRONTEND_PAGE)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert httpx.get(gateway.url + path, headers={"If-None-Match": page.headers["etag"]}).status_code == 304


def test_the_frontend_runs_only_its_own_scripts_and_contacts_no_other_host(gateway: Gateway) -> None:
    headers = httpx.get(gateway.url).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {value for name, value in policy.items() if name.endswith("-src")} == {"'none'", "'self'"}
    assert "unsafe" not in headers["content-security-policy"]
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_files_with_a_hash_in_their_name_are_cached_permanently_and_sent_compressed(gateway: Gateway) -> None:
    script = httpx.get(f"{gateway.url}/assets/index-1a2b3c.js", headers={"Accept-Encoding": "gzip"})
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-encoding"] == "gzip"
    assert script.headers["content-type"].startswith("text/javascript")


def test_an_unknown_address_gets_the_frontends_not_found_page(gateway: Gateway) -> None:
    page = httpx.get(f"{gateway.url}/nowhere")
    assert (page.status_code, page.text) == (404, FRONTEND_PAGE)
    assert page.headers["cache-control"] == "no-store"


def test_healthz_is_answered_by_the_gateway_itself(gateway: Gateway) -> None:
    assert httpx.get(f"{gateway.url}/healthz").text == "ok"


def test_the_query_arrives_as_it_was_sent(gateway: Gateway) -> None:
    path = f"/{KEY}/announce?info_hash=%ff%00+a/;<:~&peer_id=%2d"
    answer = gateway.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert path.encode() in answer


def test_a_forged_forwarding_header_is_replaced_by_the_real_address(services: tuple[Echo, Echo, Echo]) -> None:
    forged = {"X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "forged.test"}
    *announce, admin_api = services
    with running_gateway(announce, admin_api, ETRACKER_GATEWAY_TRUSTED_PROXIES="192.0.2.1") as gateway:
        headers = httpx.get(f"{gateway.url}/announce", headers=forged).json()["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-host"]) == ("http", f"127.0.0.1:{gateway.port}")


def test_the_forwarding_header_of_a_trusted_proxy_is_passed_on_with_its_own_address(gateway: Gateway) -> None:
    headers = httpx.get(f"{gateway.url}/announce", headers={"X-Forwarded-For": "9.9.9.9"}).json()["headers"]
    assert headers["x-forwarded-for"] == "9.9.9.9, 127.0.0.1"


def test_the_answer_to_an_announce_is_neither_compressed_nor_chunked(gateway: Gateway) -> None:
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


def test_a_replica_that_is_down_is_skipped(gateway: Gateway, services: tuple[Echo, Echo, Echo]) -> None:
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


BROKEN_BODIES = {
    "no chunk": "Transfer-Encoding: chunked\r\n\r\nZ\r\n",
    "a chunk too long": "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
    "an endless chunk size": "Transfer-Encoding: chunked\r\n\r\n" + "0" * 5000 + "\r\n",
    "a broken trailer": "Transfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n\r\n",
    "two lengths": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n",
    "an offer to upgrade": "Upgrade: websocket\r\n\r\n",
}


@pytest.mark.parametrize("path", [f"/{KEY}/announce", "/scrape", "/api/stats", "/api/v1/torrents"])
def test_a_clients_mistake_never_takes_a_replica_out_of_service(
    gateway: Gateway, services: tuple[Echo, Echo, Echo], path: str
) -> None:
    services[1].stop()
    for broken, method in product(BROKEN_BODIES.values(), ("GET", "HEAD", "PUT", "DELETE")):
        answer = gateway.provoke(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{broken}".encode())
        assert not answer or answer[9:12] < b"500" or b" 501 " in answer[:20], answer
        asked = time.monotonic()
        assert httpx.get(gateway.url + path).status_code == 200
        assert time.monotonic() - asked < 1.0  # a replica that is marked as down stays so for longer than this


@pytest.mark.parametrize("path", [f"/{KEY}/announce", "/scrape", "/api/stats"])
@pytest.mark.parametrize(
    "length", ["Content-Length: 5\r\n\r\nabcde", "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"]
)
def test_the_body_of_a_get_isnt_passed_on(gateway: Gateway, path: str, length: str) -> None:
    """A GET is sent again if an upstream closes its connection, so it never has a body."""
    answer = gateway.ask(f"GET {path} HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n{length}".encode())
    echoed = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert echoed["path"] == path
    assert not {"content-length", "transfer-encoding"} & echoed["headers"].keys()


def test_a_request_with_a_body_is_sent_once(gateway: Gateway, services: tuple[Echo, Echo, Echo]) -> None:
    answer = httpx.post(f"{gateway.url}/api/infohash", content=b"{}")
    assert answer.status_code == 502
    assert services[2].broken_off == 1


@pytest.mark.full
def test_an_api_that_stays_down_is_reported_as_unavailable(gateway: Gateway, services: tuple[Echo, Echo, Echo]) -> None:
    services[2].stop()
    answer = httpx.get(f"{gateway.url}/api/v1/torrents", timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["detail"] == "The API doesn't answer. Try again in a moment."


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_announces_are_accepted_as_get_and_head_only(gateway: Gateway, method: str) -> None:
    answer = httpx.request(method, f"{gateway.url}/{KEY}/announce", content=b"abc")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("path", "kind", "sentence"),
    [("/api/infohash", "application/json", "message"), ("/api/v1/keys", "application/problem+json", "detail")],
)
def test_the_gateways_own_errors_have_the_shape_of_the_api(
    gateway: Gateway, path: str, kind: str, sentence: str
) -> None:
    broken = f"PUT {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{BROKEN_BODIES['no chunk']}".encode()
    head, _, body = gateway.ask(broken).partition(b"\r\n\r\n")
    assert b"Content-Type: " + kind.encode() in head
    assert json.loads(body)[sentence] == "The body is malformed."
    answer = httpx.post(gateway.url + path, content=b"{}")
    assert (answer.status_code, answer.headers["content-type"]) == (502, kind)
    assert answer.json()[sentence] == "The API ended the connection. Try again in a moment."
    assert answer.headers["x-content-type-options"] == "nosniff"


def _adapted(variables: dict[str, str]) -> dict[str, Any]:
    command = [str(caddy_program()), "adapt", "--config", str(GATEWAY_FILES / "Caddyfile"), "--validate"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    configuration: dict[str, Any] = json.loads(done.stdout)
    return configuration


def test_the_configuration_for_compose_is_valid_and_disconnects_clients_that_neither_send_nor_read() -> None:
    sites = {"ETRACKER_GATEWAY_SITES": "http://:3000, https://tracker.example.org", "HOME": "/nonexistent"}
    for server in _adapted(sites)["apps"]["http"]["servers"].values():
        assert {server["read_idle_timeout"], server["write_idle_timeout"]} == {20_000_000_000}
        assert {server["read_timeout"], server["write_timeout"]} == {600_000_000_000}


def _speaks_tls(port: int) -> bool:
    try:
        return httpx.get(f"https://localhost:{port}/healthz", verify=False).status_code == 200
    except httpx.TransportError:
        return False


def test_browsers_are_told_to_keep_using_tls(gateway: Gateway, tmp_path: Path) -> None:
    port = free_port()
    variables = {
        **gateway.environment,
        "ETRACKER_GATEWAY_SITES": f"https://localhost:{port}",
        "ETRACKER_GATEWAY_SOCKET": str(tmp_path / "socket"),
        "HOME": str(tmp_path),
    }
    configuration = _adapted(variables)
    configuration["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    configuration["apps"]["http"]["servers"]["srv0"]["automatic_https"] = {"disable_redirects": True}
    (tmp_path / "caddy.json").write_text(json.dumps(configuration))
    command: list[str | Path] = [caddy_program(), "run", "--config", tmp_path / "caddy.json"]
    with Program(command, log=tmp_path / "log", environment=variables) as program:
        program.wait_until(lambda: _speaks_tls(port), "it has made its certificate")
        for path in ("/", "/api/stats", "/nowhere", f"/{KEY}/announce"):
            answer = httpx.get(f"https://localhost:{port}{path}", verify=False)
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in httpx.get(gateway.url).headers


def test_a_reload_answers_waiting_clients_and_accepts_new_connections(
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


@pytest.mark.promise(25)
def test_nothing_that_visitors_do_is_logged(gateway: Gateway, services: tuple[Echo, Echo, Echo]) -> None:
    """Visitors can't make the log grow, and it contains neither keys nor addresses."""
    started = gateway.program.output
    for path, broken in product((f"/{KEY}/announce", f"/api/{KEY}/announce", "/scrape"), BROKEN_BODIES.values()):
        gateway.provoke(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{broken}".encode())
        gateway.provoke(f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{broken}".encode())
        assert httpx.post(f"{gateway.url}{path}?info_hash=secret").status_code in {405, 502}
    gateway.provoke(b"rubbish\r\n\r\n")
    gateway.program.stop()
    assert gateway.program.output == started


@pytest.mark.promise(25)
def test_no_announce_is_logged(gateway: Gateway) -> None:
    httpx.get(f"{gateway.url}/{KEY}/announce")
    gateway.program.stop()
    assert "announce" not in gateway.program.output


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
