"""Bodies that aren't allowed, too large or too slow, through the gateway and on the admin API's own port.

The kind: a request whose body the server doesn't want. The head decides the answer, which has the route's own shape;
the rest of the body does no harm, and no other client notices.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import psutil
import pytest

from etracker_admin_api.torrent_file.bencoding import too_large_message
from tests.support.raw_http import Head, connect, head, read_answer, read_to_end
from tests.support.stack import StackRun

UPLOAD = "/api/torrentfile"
HUGE = 18_000_000
FORM = "Content-Type: multipart/form-data; boundary=x"
KEY = "Authorization: {key}"
WRONG = "Authorization: wrong"
ATTACKERS = 4
ATTACK_SECONDS = 4.0
FULL_BODY = bytes(HUGE)


@pytest.fixture(params=["gateway", "own port"])
def door(stack: StackRun, request: pytest.FixtureRequest) -> str:
    return stack.base_url if request.param == "gateway" else stack.url_of("admin_api")


def own_port(stack: StackRun) -> str:
    return stack.url_of("admin_api")


def sentence(answer: Head, path: str) -> str:
    """Return the message of an error, which must have the route's own shape."""
    body = json.loads(answer.body)
    if path.startswith("/api/v1/"):
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["status"] == answer.status
        return str(body["detail"])
    return str(body["message"])


def ask_and_send(url: str, body: bytes) -> int:
    """Send an upload for as long as it is accepted, and return the status of the answer."""
    with connect(url) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer has already arrived
            connection.sendall(head("POST", UPLOAD, [FORM, f"Content-Length: {len(body)}"]) + body)
        return read_answer(connection).status


def test_every_upload_without_a_key_is_answered_and_other_clients_notice_nothing(door: str) -> None:
    stop = time.monotonic() + ATTACK_SECONDS
    answers: list[int] = []

    def attack() -> None:
        while time.monotonic() < stop:
            answers.append(ask_and_send(door, FULL_BODY))

    attackers = [threading.Thread(target=attack) for _ in range(ATTACKERS)]
    for attacker in attackers:
        attacker.start()
    seen = list(watch_statistics(door, stop))
    for attacker in attackers:
        attacker.join()
    seconds = sorted(took for _, took in seen)
    median, most = seconds[len(seconds) // 2], seconds[-1]
    sys.stderr.write(f"\n{len(answers)} uploads; {len(seen)} statistics: median {median:.4f} s, max {most:.4f} s\n")
    assert {status for status, _ in seen} == {200}
    assert set(answers) == {401}


def watch_statistics(url: str, stop: float) -> Iterator[tuple[int, float]]:
    with httpx.Client(trust_env=False, timeout=30) as client:
        while time.monotonic() < stop:
            start = time.monotonic()
            yield client.get(f"{url}/api/stats").status_code, time.monotonic() - start


@pytest.mark.parametrize("asked", [("POST", UPLOAD), ("POST", "/api/infohash"), ("PUT", "/api/nowhere")])
def test_the_unread_rest_of_a_body_is_not_mistaken_for_a_second_request(door: str, asked: tuple[str, str]) -> None:
    hidden = head("GET", "/api/stats").ljust(512)
    with connect(door) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer has already arrived
            connection.sendall(head(*asked, [FORM, f"Content-Length: {HUGE}"]) + hidden * (HUGE // len(hidden)))
        answer = read_answer(connection)
        assert answer.headers["connection"] == "close"
        assert read_to_end(connection) == b""


@pytest.mark.parametrize("length", [f"Content-Length: {HUGE}", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("expect", [[], ["Expect: 100-continue"]], ids=["", "expecting"])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (("POST", UPLOAD, [FORM]), 401),
        (("POST", UPLOAD, [FORM, WRONG]), 403),
        (("POST", "/api/v1/torrents", [FORM]), 401),
        (("POST", "/api/v1/torrents", [FORM, WRONG]), 403),
        (("POST", "/api/infohash", []), 401),
        (("DELETE", "/api/infohash", [WRONG]), 403),
        (("POST", "/api/v1/infohashes/bulk", []), 401),
        (("POST", "/api/v1/operators", [WRONG]), 403),
        (("PATCH", "/api/v1/keys/1", []), 401),
        (("GET", "/api/stats", []), 200),
        (("HEAD", "/api/stats", []), 200),
        (("POST", "/api/nowhere", []), 404),
        (("PUT", "/api/v1/infohashes", []), 405),
    ],
)
def test_a_request_that_its_head_decides_is_answered_without_asking_for_the_body(
    stack: StackRun, asked: tuple[str, str, list[str]], status: int, expect: list[str], length: str
) -> None:
    method, path, headers = asked
    with connect(own_port(stack)) as connection:
        connection.sendall(head(method, path, [*headers, *expect, length]))
        answer = read_answer(connection) if method != "HEAD" else Head(200, {}, connection.recv(16))
        assert answer.status == status
        if status >= 400:
            assert sentence(answer, path).endswith((".", "Not Found", "Method Not Allowed"))


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        (("POST", UPLOAD, [FORM]), 17 * 1024 * 1024),
        (("POST", "/api/v1/torrents", [FORM]), 17 * 1024 * 1024),
        (("POST", "/api/infohash", []), 65 * 1024),
        (("DELETE", "/api/infohash", []), 65 * 1024),
        (("POST", "/api/v1/infohashes", []), 65 * 1024),
        (("POST", "/api/v1/infohashes/bulk", []), 5 * 1024 * 1024),
        (("POST", "/api/v1/operators", []), 65 * 1024),
        (("POST", "/api/v1/keys/lookup", []), 65 * 1024),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_gets_413_before_it_is_sent_if_its_length_is_declared(
    stack: StackRun, asked: tuple[str, str, list[str]], size: int, declared: bool
) -> None:
    method, path, headers = asked
    length = f"Content-Length: {size}" if declared else "Transfer-Encoding: chunked"
    with connect(own_port(stack)) as connection:
        connection.sendall(head(method, path, [*headers, KEY.format(key=stack.api_key), length]))
        if not declared:
            opening = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            connection.sendall(b"%x\r\n%b" % (size + len(opening), opening) + bytes(size) + b"\r\n0\r\n\r\n")
        answer = read_answer(connection)
        assert answer.status == 413
        assert "larger than" in sentence(answer, path)


TOO_LARGE_FOR_THE_GATEWAY = bytes(24_000_000)


@pytest.mark.parametrize("path", [UPLOAD, "/api/v1/torrents", "/api/infohash", "/api/v1/infohashes/bulk"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_too_large_for_the_gateway_gets_413_with_the_same_message_whoever_notices_first(
    stack: StackRun, path: str, declared: bool
) -> None:
    opening = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = opening + TOO_LARGE_FOR_THE_GATEWAY
    length = f"Content-Length: {len(body)}" if declared else "Transfer-Encoding: chunked"
    start = b"" if declared else b"%x\r\n" % len(body)
    with connect(stack.base_url) as connection:
        connection.sendall(head("POST", path, [FORM, KEY.format(key=stack.api_key), length]))
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer has already arrived
            connection.sendall(start + body + (b"" if declared else b"\r\n0\r\n\r\n"))
        answer = read_answer(connection)
        assert read_to_end(connection) == b""
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    said = sentence(answer, path)
    assert said == too_large_message() if "torrent" in path else said.startswith("The body is larger than ")


def test_a_client_that_sends_everything_before_it_reads_gets_its_answer(stack: StackRun) -> None:
    with connect(own_port(stack)) as connection:
        connection.sendall(head("POST", UPLOAD, [FORM, f"Content-Length: {HUGE}"]))
        connection.sendall(FULL_BODY)
        answer = read_answer(connection)
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert read_to_end(connection) == b""


def test_an_endless_unwanted_body_is_cut_off(stack: StackRun) -> None:
    process = psutil.Process(stack.pids()["admin_api"])
    before = process.memory_info().rss
    chunks = (b"100000\r\n" + bytes(1024 * 1024) + b"\r\n") * 200
    with connect(own_port(stack)) as connection:
        connection.sendall(head("GET", "/api/stats", ["Transfer-Encoding: chunked"]))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(chunks)
    assert process.memory_info().rss - before < 50 * 1024 * 1024


def test_an_endless_head_is_cut_off(stack: StackRun) -> None:
    with connect(own_port(stack)) as connection, suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(b"GET /api/stats HTTP/1.1\r\n" + b"X-Padding: 1\r\n" * 1_000_000)
        assert read_answer(connection).status == 400
    assert httpx.get(f"{own_port(stack)}/api/stats", trust_env=False).status_code == 200


def test_a_client_that_leaves_in_the_middle_of_its_body_does_no_harm(door: str, stack: StackRun) -> None:
    for _ in range(3):
        with connect(door) as connection:
            connection.sendall(
                head("POST", UPLOAD, [FORM, KEY.format(key=stack.api_key), f"Content-Length: {HUGE // 2}"])
            )
            connection.sendall(bytes(100_000))
        assert httpx.get(f"{door}/api/stats", trust_env=False).status_code == 200


@pytest.mark.full
@pytest.mark.timeout(120)
def test_a_body_of_one_byte_per_second_gets_408(stack: StackRun) -> None:
    with connect(own_port(stack), seconds=0.5) as connection:
        connection.sendall(head("POST", "/api/infohash", [KEY.format(key=stack.api_key), "Content-Length: 60000"]))
        for _ in range(100):
            connection.sendall(b" ")
            try:
                answer = read_answer(connection)
            except TimeoutError:
                continue
            assert answer.status == 408
            return
    raise AssertionError("it goes on")
