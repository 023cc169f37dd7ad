"""The load generator and the judge: every request answered once, in its place, and failures seen."""

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from bench.answers import BadAnswersError, judge
from bench.cpu import cpu_seconds
from bench.load import LoadGenerator, StalledError


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        pass


class Hasty(Echo):
    """Closes kept connections without a word after each answer."""

    def do_GET(self) -> None:
        super().do_GET()
        self.close_connection = True


class Mute(Echo):
    def do_GET(self) -> None:
        self.close_connection = True


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), getattr(request, "param", Echo)) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield "127.0.0.1", serving.server_address[1]
        serving.shutdown()
        thread.join()


def requests(count: int, ending: str = "\r\n") -> list[bytes]:
    return [f"GET /{number} HTTP/1.1\r\nHost: localhost\r\n{ending}".encode() for number in range(count)]


def bodies(answers: list[bytes]) -> list[bytes]:
    return [answer.partition(b"\r\n\r\n")[2] for answer in answers]


def test_kept_connections_are_used_again_and_every_answer_stands_in_its_place(server: tuple[str, int]) -> None:
    outcome = LoadGenerator(server, requests(200), connections=4, reuse=True).run()
    assert bodies(outcome.answers) == [b"/%d" % number for number in range(200)]
    assert outcome.connections == 4
    assert all(latency > 0 for latency in outcome.latencies)


def test_a_new_connection_an_announce_opens_as_many(server: tuple[str, int]) -> None:
    outcome = LoadGenerator(server, requests(50, "Connection: close\r\n\r\n"), connections=4, reuse=False).run()
    assert bodies(outcome.answers) == [b"/%d" % number for number in range(50)]
    assert outcome.connections == 50


@pytest.mark.parametrize("server", [Hasty], indirect=True)
def test_a_request_that_meets_a_closing_connection_is_sent_again(server: tuple[str, int]) -> None:
    outcome = LoadGenerator(server, requests(50), connections=4, reuse=True).run()
    assert bodies(outcome.answers) == [b"/%d" % number for number in range(50)]


@pytest.mark.parametrize("server", [Mute], indirect=True)
def test_a_server_that_never_answers_ends_the_run(server: tuple[str, int]) -> None:
    with pytest.raises(StalledError):
        LoadGenerator(server, requests(5), connections=1, reuse=False).run()


def test_a_rate_is_kept(server: tuple[str, int]) -> None:
    outcome = LoadGenerator(server, requests(50), connections=4, reuse=True, rate=200.0).run()
    assert 0.24 < outcome.seconds < 1.0


def test_good_answers_are_counted() -> None:
    good = b"HTTP/1.1 200 OK\r\n\r\nd8:intervali1800e5:peers12:abcdefghijkle"
    assert judge([good, good]).peers == 2


def test_unsorted_keys_spoil_the_run_unless_the_tracker_is_known_for_them() -> None:
    unsorted = b"HTTP/1.1 200 OK\r\n\r\nd5:peers6:abcdef8:intervali1800ee"
    assert judge([unsorted], sorted_keys=False).peers == 1
    with pytest.raises(BadAnswersError):
        judge([unsorted])


@pytest.mark.parametrize("sorted_keys", [True, False])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nd14:failure reason4:nopee",
        b"HTTP/1.1 200 OK\r\n\r\nd8:intervali1800ee",
        b"HTTP/1.1 200 OK\r\n\r\nd8:intervali1800e5:peers5:abcdee",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"HTTP/1.1 503 Service Unavailable\r\n\r\nd8:intervali1800e5:peers0:e",
        b"",
    ],
)
def test_anything_else_than_a_list_of_peers_spoils_the_run(answer: bytes, sorted_keys: bool) -> None:
    with pytest.raises(BadAnswersError):
        judge([b"HTTP/1.1 200 OK\r\n\r\nd8:intervali1800e5:peers0:e", answer], sorted_keys=sorted_keys)


def test_cpu_time_of_a_child_counts_with_its_parent() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        spent = 0.0
        while spent < 0.3:
            assert parent.poll() is None
            spent = cpu_seconds({"parent": parent.pid, "us": os.getpid()})["parent"]
        assert parent.stdin is not None
        parent.stdin.close()
        parent.wait(10)
