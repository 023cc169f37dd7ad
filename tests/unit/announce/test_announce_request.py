"""Parsing: every numbered line of docs/protocol.md about it, and laws about any bytes at all."""

import time
from contextlib import suppress
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etracker_announce.domain.errors import MalformedError, Reason
from etracker_announce.domain.requests import AnnounceRequest, Kind
from etracker_announce.domain.swarm import Role
from etracker_announce.frontends.http import requests
from etracker_announce.frontends.http.requests import Target, parse_path, parse_scrape
from etracker_shared.agreements.facts import MAX_COUNTER, UNKNOWN, Event

HASH = bytes(range(20))
BASE = b"info_hash=" + quote_from_bytes(HASH).encode() + b"&peer_id=-TR3000-5e0xqbj5042p&port=6881"
SAFE = "+,/;<>:~!*'()$@[]{}|^`\" "


def parse_announce(query: bytes) -> AnnounceRequest:
    return requests.parse_announce(query).request


def refusal(query: bytes) -> Reason:
    with pytest.raises(MalformedError) as caught:
        parse_announce(query)
    return caught.value.reason


@pytest.mark.promise(1, 4)
@pytest.mark.parametrize(
    "escaped", [quote_from_bytes(HASH), quote_from_bytes(HASH).lower(), "%" + "%".join(f"{b:02X}" for b in HASH)]
)
def test_percent_encoding_in_either_case_is_read(escaped: str) -> None:
    """NUL included."""
    assert parse_announce(BASE.replace(quote_from_bytes(HASH).encode(), escaped.encode())).info_hash == HASH


PLAIN = BASE + b"&uploaded=7&downloaded=8&left=9&corrupt=1&redundant=2&event=stopped&numwant=3&compact=0&no_peer_id=1"


@pytest.mark.promise(32)
@given(st.data())
def test_names_and_values_may_be_percent_encoded(data: st.DataObject) -> None:
    """Any byte of them, since a byte and its code are the same (RFC 3986, 2.3)."""
    places = st.sets(st.integers(0, len(PLAIN) - 1))
    encoded = data.draw(places.map(lambda chosen: b"".join(_encoded(at, at in chosen) for at in range(len(PLAIN)))))
    assert requests.parse_announce(encoded) == requests.parse_announce(PLAIN)
    assert parse_scrape(encoded) == parse_scrape(PLAIN)


def _encoded(at: int, chosen: bool) -> bytes:
    byte = PLAIN[at : at + 1]
    in_code = b"%" in PLAIN[max(0, at - 2) : at + 1]
    return b"%%%02x" % ord(byte) if chosen and not in_code and byte not in b"&=" else byte


@pytest.mark.promise(3, 32)
def test_a_second_infohash_is_one_too_many_however_it_is_spelled() -> None:
    assert refusal(BASE + b"&info%5Fhash=" + b"a" * 20) is Reason.SEVERAL_INFO_HASHES


@pytest.mark.promise(1)
def test_reserved_bytes_may_arrive_unescaped() -> None:
    """An equals sign inside a value too."""
    info_hash, peer_id = b"+,/;<>:~!*'()$@=%00%FFab", b"a=b=c=%%25%zz345678901"
    request = parse_announce(b"info_hash=" + info_hash + b"&peer_id=" + peer_id + b"&port=1")
    assert request.info_hash == b"+,/;<>:~!*'()$@=\x00\xffab"
    assert request.peer_id == b"a=b=c=%%%zz345678901"


@pytest.mark.promise(2)
def test_a_plus_keeps_both_readings() -> None:
    request = parse_announce(b"info_hash=a+b%2Bcdefghijklmnopqr&peer_id=+1234567890123456789&port=1")
    assert request.info_hash == b"a+b+cdefghijklmnopqr"
    assert request.other_info_hash == b"a b+cdefghijklmnopqr"
    assert request.peer_id == b"+1234567890123456789"


@pytest.mark.promise(2)
def test_without_a_plus_there_is_one_reading() -> None:
    """An escaped plus is a plus."""
    assert parse_announce(BASE).other_info_hash is None


@pytest.mark.promise(3)
@pytest.mark.parametrize("prefix", [b"?", b"?&", b"&", b"&&?"])
def test_doubled_question_marks_are_forgiven(prefix: bytes) -> None:
    assert parse_announce(prefix + BASE).info_hash == HASH
    assert parse_announce(b"key=1&?" + BASE).info_hash == HASH


@pytest.mark.promise(3)
def test_of_a_repeated_parameter_the_first_wins() -> None:
    assert parse_announce(BASE + b"&left=5&port=1&left=0").left == 5


@pytest.mark.promise(3)
def test_two_infohashes_are_one_too_many() -> None:
    assert refusal(BASE + b"&info_hash=" + b"a" * 20) is Reason.SEVERAL_INFO_HASHES
    assert parse_announce(BASE + b"&key=info_hash=x").info_hash == HASH


@pytest.mark.promise(3, 20)
def test_long_queries_get_what_transmission_understands() -> None:
    assert parse_announce(BASE.ljust(2048, b"&")).info_hash == HASH
    assert refusal(BASE.ljust(2049, b"&")) is Reason.TOO_LONG
    assert len(parse_scrape(b"info_hash=aaaaaaaaaaaaaaaaaaaa".ljust(8192, b"&")).info_hashes) == 1
    for query in (
        b"info_hash=aaaaaaaaaaaaaaaaaaaa".ljust(8193, b"&"),
        b"&".join(b"info_hash=%020d" % n for n in range(65)),
    ):
        with pytest.raises(MalformedError) as caught:
            parse_scrape(query)
        assert caught.value.reason is Reason.TOO_LONG
    assert len(parse_scrape(b"&".join(b"info_hash=%020d" % n for n in range(64))).info_hashes) == 64


@pytest.mark.promise(3, 4, 9)
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"", Reason.NO_PARAMETERS),
        (b"&&?=", Reason.NO_PARAMETERS),
        (b"peer_id=" + b"p" * 20, Reason.INFO_HASH),
        (b"info_hash=" + b"a" * 19, Reason.INFO_HASH),
        (b"info_hash=" + b"a" * 40, Reason.INFO_HASH),
        (b"info_hash=" + b"a" * 20, Reason.PEER_ID),
        (b"info_hash=" + b"a" * 20 + b"&peer_id=" + b"p" * 20, Reason.PORT),
    ],
)
def test_what_is_missing_is_named(broken: bytes, reason: Reason) -> None:
    assert refusal(broken) is reason


@pytest.mark.promise(5)
@pytest.mark.parametrize("numwant", [b"", b"-1", b"x", b"1.5", b"+5", b"1_0", b" 5"])
def test_odd_numwant_means_the_default(numwant: bytes) -> None:
    assert parse_announce(BASE + b"&numwant=" + numwant).numwant is None
    assert parse_announce(BASE).numwant is None
    assert parse_announce(BASE + b"&numwant=0").numwant == 0


@pytest.mark.promise(6)
@pytest.mark.parametrize("left", [b"", b"&left=", b"&left=x", b"&left=-1", b"&left=0x0"])
def test_unknown_left_means_leecher(left: bytes) -> None:
    request = parse_announce(BASE + left)
    assert request.left == UNKNOWN
    assert request.role is Role.LEECHER


@pytest.mark.promise(6)
@pytest.mark.parametrize("value", [b"", b"-5", b"1e3", b"1000.0", b"%20", b"0x10", b"%d" % 2**63, b"%d" % (2**64 - 5)])
@pytest.mark.parametrize("name", ["uploaded", "downloaded", "corrupt", "redundant"])
def test_a_counter_that_cannot_be_read_or_cannot_be_true_is_unknown(name: str, value: bytes) -> None:
    assert getattr(parse_announce(BASE), name) == UNKNOWN
    assert getattr(parse_announce(BASE + b"&%s=%s" % (name.encode(), value)), name) == UNKNOWN
    assert getattr(parse_announce(BASE + b"&%s=%d" % (name.encode(), MAX_COUNTER)), name) == MAX_COUNTER


@pytest.mark.promise(6)
@pytest.mark.parametrize("left", [2**63 - 1, 2**63, 10**60])
def test_more_left_than_a_counter_holds_is_still_something(left: int) -> None:
    assert parse_announce(BASE + b"&left=%d" % left).left == MAX_COUNTER


def test_a_client_may_send_a_key_of_its_own() -> None:
    assert parse_announce(BASE + b"&key=%a1B2").client_key == b"\xa1B2"
    assert parse_announce(BASE).client_key == b""


@pytest.mark.promise(7)
@pytest.mark.parametrize(
    ("event", "meaning"),
    [
        (b"", Event.REGULAR),
        (b"EMPTY", Event.REGULAR),
        (b"none", Event.REGULAR),
        (b"Started", Event.STARTED),
        (b"completed", Event.COMPLETED),
        (b"STOPPED", Event.STOPPED),
        (b"paused", Event.PAUSED),
        (b"resumed", Event.REGULAR),
    ],
)
def test_events_are_read_in_any_case_and_unknown_ones_are_regular(event: bytes, meaning: Event) -> None:
    assert parse_announce(BASE + b"&event=" + event).event is meaning


@pytest.mark.promise(8)
@pytest.mark.parametrize("port", [b"", b"-1", b"65536", b"x", b"6881%20", b"999999999999999999999"])
def test_an_impossible_port_is_a_failure(port: bytes) -> None:
    assert refusal(BASE.replace(b"6881", port)) is Reason.PORT


@pytest.mark.promise(8)
@pytest.mark.parametrize("port", [0, 1, 65535])
def test_ports_of_clients_that_accept_no_connections_are_fine(port: int) -> None:
    assert parse_announce(BASE.replace(b"6881", b"%d" % port)).port == port


@pytest.mark.promise(10)
def test_corrupt_and_redundant_are_kept() -> None:
    request = parse_announce(BASE + b"&corrupt=7&redundant=8")
    assert (request.corrupt, request.redundant) == (7, 8)


@pytest.mark.promise(17)
def test_compact_unless_the_client_says_otherwise() -> None:
    assert requests.parse_announce(BASE)[1:] == (True, True)
    assert requests.parse_announce(BASE + b"&compact=1").compact
    assert not requests.parse_announce(BASE + b"&compact=0").compact
    assert not requests.parse_announce(BASE + b"&no_peer_id=1").with_peer_ids


@pytest.mark.parametrize("query", [BASE, BASE + b"&info_hash=zz", b"port=x&" + BASE])
def test_the_raw_infohash_of_any_query_is_found(query: bytes) -> None:
    assert requests.raw_info_hash(query) == quote_from_bytes(HASH).encode()
    assert requests.raw_info_hash(b"port=1") == b""


@pytest.mark.promise(20)
def test_a_scrape_of_everything_is_refused() -> None:
    with pytest.raises(MalformedError) as caught:
        parse_scrape(b"")
    assert caught.value.reason is Reason.SCRAPE_OF_EVERYTHING


@pytest.mark.promise(25)
@pytest.mark.parametrize(
    ("path", "target"),
    [
        (b"/announce", Target(Kind.ANNOUNCE, None)),
        (b"/scrape", Target(Kind.SCRAPE, None)),
        (b"/abc/announce", Target(Kind.ANNOUNCE, b"abc")),
        (b"/announce/abc", Target(Kind.ANNOUNCE, b"abc")),
        (b"/scrape/abc", Target(Kind.SCRAPE, b"abc")),
        (b"/abc/scrape", Target(Kind.SCRAPE, b"abc")),
        (b"//announce", Target(Kind.ANNOUNCE, None)),
        (b"/announce/", Target(Kind.ANNOUNCE, None)),
        (b"//abc//scrape//", Target(Kind.SCRAPE, b"abc")),
        (b"/scrape//abc", Target(Kind.SCRAPE, b"abc")),
        (b"/%61nnounce", Target(Kind.ANNOUNCE, None)),
        (b"/%61bc/s%63rape/", Target(Kind.SCRAPE, b"abc")),
        (b"/announce/a%62c", Target(Kind.ANNOUNCE, b"abc")),
        (b"/abc%2Fannounce", Target(Kind.ANNOUNCE, b"abc")),
        (b"http://tracker.test/abc/announce", Target(Kind.ANNOUNCE, b"abc")),
        (b"HTTPS://[2001:db8::1]:3001//%73crape/", Target(Kind.SCRAPE, None)),
        (b"http://announce", None),
        (b"/healthz", None),
        (b"/a/b/announce", None),
        (b"/announced", None),
        (b"/", None),
    ],
)
def test_paths_and_their_aliases(path: bytes, target: Target | None) -> None:
    assert parse_path(path) == target


@given(st.binary(max_size=3000))
@example(BASE + b"&numwant=" + b"9" * 1900)
@example(b"?" * 2048)
@example(b"info_hash=%%%%\\x41\\u1234&peer_id=\\N{DASH}")
def test_any_bytes_are_parsed_or_malformed(query: bytes) -> None:
    for parse in (parse_announce, parse_scrape):
        with suppress(MalformedError):
            parse(query)


@given(
    st.lists(
        st.sampled_from(
            [b"info_hash=", b"peer_id=", b"port=", b"%", b"%4", b"\\x", b"a" * 20, b"&", b"?", b"=", b"1", b"-"]
        )
    )
)
def test_mutated_queries_are_parsed_or_malformed(pieces: list[bytes]) -> None:
    query = b"".join(pieces)
    try:
        request = parse_announce(query)
    except MalformedError:
        return
    assert len(request.info_hash) == len(request.peer_id) == 20
    assert 0 <= request.port <= 65535


@pytest.mark.promise(1, 4)
@given(
    st.binary(min_size=20, max_size=20),
    st.binary(min_size=20, max_size=20),
    st.integers(0, 65535),
    st.integers(0, MAX_COUNTER),
    st.text(SAFE, max_size=10),
)
def test_what_a_client_sends_is_what_is_parsed(
    info_hash: bytes, peer_id: bytes, port: int, left: int, safe: str
) -> None:
    query = f"info_hash={quote_from_bytes(info_hash, safe)}&peer_id={quote_from_bytes(peer_id, safe)}"
    query += f"&port={port}&left={left}"
    request = parse_announce(query.encode("latin-1"))
    assert (request.info_hash, request.peer_id, request.port, request.left) == (info_hash, peer_id, port, left)


def test_no_query_takes_longer_than_its_length() -> None:
    for query in (b"?" * 8192, b"a" * 8192, b"=" * 8192, b"&?" * 4096, b"a?" * 4096):
        started = time.perf_counter()
        with pytest.raises(MalformedError):
            parse_scrape(query)
        assert time.perf_counter() - started < 0.1
