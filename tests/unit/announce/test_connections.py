"""Connections: kept, closed, pipelined, slow, broken and drained ones."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator

import pytest

from etracker_announce.frontends.http.connection import Timeouts
from etracker_announce.frontends.http.server import HttpServer
from etracker_announce.frontends.pause_rule import PauseRule
from tests.support.announce import query
from tests.support.announce_ports import PEER, Scripted
from tests.support.wire import KEY, Wire, announce, request

DEADLINE_SECONDS = 5.0
IMPATIENT = Timeouts(head_seconds=0.2, idle_seconds=5.0, unread_seconds=0.5)


@pytest.fixture
async def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
async def server(scripted: Scripted) -> AsyncIterator[HttpServer]:
    async with scripted.serving(Timeouts(idle_seconds=1)) as running:
        yield running


@pytest.fixture
async def wire(server: HttpServer) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    yield Wire(reader, writer)
    writer.close()


async def until_steps(scripted: Scripted, count: int) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(scripted.swarms.steps) < count:  # noqa: ASYNC110 - the stand-in has no event
            await asyncio.sleep(0.005)


async def until_nothing_is_open(server: HttpServer) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not server.open.is_empty:  # noqa: ASYNC110 - the server has no event
            await asyncio.sleep(0.005)


async def another_is_answered(server: HttpServer) -> None:
    """Ask on a connection of its own: what others sent before has been read by then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request("/healthz", "Connection: close"))
    assert (await Wire(reader, writer).rest()).endswith(b"ok")
    writer.close()


@pytest.mark.promise(12)
async def test_a_kept_connection_answers_again_and_again(wire: Wire) -> None:
    for _ in range(3):
        wire.send(announce())
        head, body = await wire.answer()
        assert b"connection" not in head.lower()
        assert b"5:peers0:" in body


@pytest.mark.promise(12)
@pytest.mark.parametrize("last", [announce(6881, "Connection: close"), announce(version="1.0")])
async def test_connection_close_and_http_1_0_are_closed(wire: Wire, last: bytes) -> None:
    wire.send(last)
    answer = await wire.rest()
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"e")


async def test_pipelined_requests_are_answered_in_order_whoever_answers(scripted: Scripted, wire: Wire) -> None:
    wire.send(announce() + request("/healthz") + request("/scrape") + request("/nothing") + announce())
    answers = [await wire.answer() for _ in range(5)]
    assert [head.partition(b"\r\n")[0] for head, _ in answers] == [
        b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 200 OK",
    ]  # fmt: skip
    bodies = [body for _, body in answers]
    assert b"5:peers" in bodies[0]
    assert bodies[1] == b"ok"
    assert b"A scrape must name" in bodies[2]
    assert b"5:peers" in bodies[4]


async def test_a_pipeline_waits_for_its_first(scripted: Scripted, wire: Wire) -> None:
    scripted.swarms.hold = asyncio.Event()
    wire.send(announce() + announce())
    await until_steps(scripted, 1)
    scripted.swarms.hold.set()
    await wire.answer()
    await wire.answer()
    assert scripted.swarms.most_at_once == 1


async def test_a_request_may_come_byte_by_byte(wire: Wire) -> None:
    for byte in announce():
        wire.send(bytes([byte]))
        await asyncio.sleep(0)
    assert (await wire.answer())[1].startswith(b"d8:complete")


@pytest.mark.parametrize("pieces", [1, 2, 7])
async def test_one_announce_a_connection_is_answered_in_however_many_pieces_it_comes(wire: Wire, pieces: int) -> None:
    whole = announce(6881, "Connection: close")
    size = len(whole) // pieces + 1
    for start in range(0, len(whole), size):
        wire.send(whole[start : start + size])
        await asyncio.sleep(0.02)
    answer = await wire.rest()
    assert b"Connection: close" in answer
    assert b"5:peers0:" in answer


async def test_one_announce_per_connection_is_counted(scripted: Scripted, server: HttpServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(announce(6881, "Connection: close"))
    await Wire(reader, writer).rest()
    writer.close()
    assert scripted.count("answers_total", kind="announce", answer="ok") == 1


async def test_a_client_that_leaves_before_its_answer_harms_nobody(
    scripted: Scripted, server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.swarms.hold = asyncio.Event()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(announce(6881, "Connection: close"))
    await until_steps(scripted, 1)
    writer.transport.abort()
    scripted.swarms.hold.set()
    await until_nothing_is_open(server)
    assert scripted.count("answers_total", kind="announce", answer="ok") == 1
    assert not caplog.records


async def test_a_tracker_without_free_files_answers_as_soon_as_it_has_one(server: HttpServer) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as client:
        resource.setrlimit(resource.RLIMIT_NOFILE, (client.fileno() + 1, hard))
        try:
            client.connect(("127.0.0.1", server.port))
            client.sendall(announce(6881, "Connection: close"))
            await asyncio.sleep(0.05)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        client.settimeout(DEADLINE_SECONDS)
        assert b"5:peers0:" in await asyncio.to_thread(client.recv, 65536)


async def test_a_client_that_closed_its_sending_half_gets_its_answer(
    scripted: Scripted, server: HttpServer, wire: Wire
) -> None:
    scripted.swarms.hold = asyncio.Event()
    wire.send(announce())
    wire.writer.write_eof()
    await until_steps(scripted, 1)
    await another_is_answered(server)
    scripted.swarms.hold.set()
    assert b"5:peers0:" in await wire.rest()


async def test_a_client_that_went_away_harms_nobody(
    scripted: Scripted, server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.swarms.hold = asyncio.Event()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(announce() * 3)
    await until_steps(scripted, 1)
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    await another_is_answered(server)
    scripted.swarms.hold.set()
    await until_nothing_is_open(server)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(announce())
    assert (await Wire(reader, writer).answer())[1].startswith(b"d8:complete")
    writer.close()
    assert not caplog.records


async def test_an_idle_connection_is_closed_in_time(wire: Wire) -> None:
    wire.send(announce())
    await wire.answer()
    assert await wire.rest() == b""


async def test_a_request_that_never_ends_is_given_up(scripted: Scripted) -> None:
    async with scripted.serving(IMPATIENT) as server:
        never, half = [Wire(*(await asyncio.open_connection("127.0.0.1", server.port))) for _ in range(2)]
        half.send(announce())
        await half.answer()
        half.send(announce()[:50])
        assert await half.rest() == b""
        assert await never.rest() == b""
    for wire in (never, half):
        wire.writer.close()


@pytest.mark.promise(3, 20)
async def test_a_long_query_is_a_failure_and_no_error(wire: Wire) -> None:
    wire.send(request(f"/{KEY}/announce?{query(bytes(20), PEER)}&x={'y' * 2048}"))
    assert b"GET string too long" in (await wire.answer())[1]
    wire.send(request(f"/{KEY}/scrape?info_hash={'y' * 20_000}"))
    assert b"GET string too long" in (await wire.answer())[1]


@pytest.mark.promise(3)
async def test_an_endless_head_is_cut_off(wire: Wire) -> None:
    wire.send(b"GET /announce HTTP/1.1\r\n")
    for _ in range(4):
        await asyncio.sleep(0.02)
        wire.send(b"X-Filler: " + b"y" * 10_000 + b"\r\n")
    assert (await wire.rest()).startswith(b"HTTP/1.1 431 ")


@pytest.mark.promise(11)
@pytest.mark.parametrize("rubbish", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"HELLO WORLD\r\n\r\n", b"\x00" * 100])
async def test_what_is_no_http_gets_400(wire: Wire, rubbish: bytes) -> None:
    wire.send(rubbish)
    assert (await wire.rest()).startswith(b"HTTP/1.1 400 ")


async def test_rubbish_behind_an_announce_takes_nothing_from_it(wire: Wire) -> None:
    wire.send(announce() + b"\x16\x03\x01")
    answer = await wire.rest()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_body_is_read_past(wire: Wire) -> None:
    wire.send(announce(6881, "Content-Length: 5") + b"hello" + announce())
    for _ in range(2):
        assert (await wire.answer())[1].startswith(b"d8:complete")


async def test_a_client_that_doesnt_read_is_not_read_either(scripted: Scripted, wire: Wire) -> None:
    scrape = request(f"/{KEY}/scrape?" + "&".join(f"info_hash={number:020d}" for number in range(64)))
    for _ in range(600):
        wire.send(scrape)
    answered = 0
    for _ in range(600):
        await wire.answer()
        answered += 1
    assert answered == 600


async def test_a_client_that_never_reads_is_let_go(scripted: Scripted) -> None:
    """Answers nobody reads hold no memory for good, on whichever way they were asked for."""
    scrape = request(f"/{KEY}/scrape?" + "&".join(f"info_hash={number:020d}" for number in range(64)))
    async with scripted.serving(IMPATIENT) as server:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.settimeout(0)
            with contextlib.suppress(OSError):  # the server stops reading
                for _ in range(20_000):
                    client.send(scrape)
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not server.open.connections:  # noqa: ASYNC110 - the server has no event
                    await asyncio.sleep(0.01)
            await until_nothing_is_open(server)


@pytest.mark.promise(12)
async def test_an_announce_under_way_is_answered_before_the_service_stops(scripted: Scripted) -> None:
    scripted.swarms.hold = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(scripted.serving(linger_seconds=0.25))
        under_way, idle, fresh = [Wire(*(await asyncio.open_connection("127.0.0.1", server.port))) for _ in range(3)]
        under_way.send(announce())
        idle.send(request("/scrape"))
        await idle.answer()
        await until_steps(scripted, 1)
        stopping = asyncio.create_task(stack.aclose())
        assert await idle.rest() == b""
        fresh.send(announce())
        await until_steps(scripted, 2)
        scripted.swarms.hold.set()
        for wire in (under_way, fresh):
            answer = await wire.rest()
            assert b"5:peers0:" in answer
            assert b"Connection: close" in answer
        await stopping
    for wire in (under_way, idle, fresh):
        wire.writer.close()


class AlwaysPausing(PauseRule):
    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.began = asyncio.Event()

    def pays(self, now: float, running: int) -> bool:  # noqa: ARG002 - whatever these are
        self.began.set()
        return True


@pytest.mark.promise(12)
async def test_announces_that_gather_are_answered_when_the_service_stops(scripted: Scripted) -> None:
    rule = AlwaysPausing(3600.0)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(scripted.serving(rule=rule))
        new, kept = [Wire(*(await asyncio.open_connection("127.0.0.1", server.port))) for _ in range(2)]
        new.send(announce(6881, "Connection: close"))
        kept.send(announce())
        await rule.began.wait()
        await stack.aclose()
        for wire in (new, kept):
            answer = await wire.rest()
            assert b"5:peers0:" in answer
            assert b"Connection: close" in answer
            wire.writer.close()


async def test_a_client_that_leaves_while_announces_gather_harms_nobody(scripted: Scripted) -> None:
    async with scripted.serving(rule=AlwaysPausing(0.2)) as server:
        leaving, staying = [Wire(*(await asyncio.open_connection("127.0.0.1", server.port))) for _ in range(2)]
        for wire in (leaving, staying):
            wire.send(announce())
        leaving.writer.transport.abort()
        assert b"5:peers0:" in (await staying.answer())[1]
        staying.writer.close()


async def test_answers_and_latency_are_counted(scripted: Scripted, wire: Wire) -> None:
    wire.send(announce() + request("/announce"))
    await wire.answer()
    await wire.answer()
    assert scripted.count("answers_total", kind="announce", answer="ok") == 1
    assert scripted.count("answers_total", kind="announce", answer="no_parameters") == 1
    assert scripted.count("seconds_count", kind="announce") == 2
