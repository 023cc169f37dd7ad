"""The parser of whole requests takes few of them, and reads those as a real parser does."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etracker_announce.domain.requests import Kind
from etracker_announce.frontends.http.parser import HttpRequest, RequestParser
from etracker_announce.frontends.http.whole_requests import parse_whole_request
from tests.support.mutations import mutate

REQUEST = (
    b"GET /abc/announce?info_hash=%01+,:/x&port=1 HTTP/1.1\r\nHost: tracker\r\nUser-Agent: Transmission/3.00\r\n"
    b"X-Forwarded-For: 2001:DB8::1\r\nAccept: */*\r\nConnection: close\r\n\r\n"
)


def test_a_request_that_closes_is_read_whole() -> None:
    request = parse_whole_request(REQUEST)
    assert request is not None
    assert (request.target.kind, request.target.key) == (Kind.ANNOUNCE, b"abc")
    assert request.query == b"info_hash=%01+,:/x&port=1"
    assert request.forwarded_for == "2001:db8::1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Connection: close", b"connection:Close \t"),
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"/abc/announce", b"/scrape/abc"),
        (b"Accept: */*", b"X-Forwarded-For: 203.0.113.9"),
    ],
)
def test_variants_of_it_are_read_too(old: bytes, new: bytes) -> None:
    assert parse_whole_request(REQUEST.replace(old, new)) is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Connection: close\r\n", b""),
        (b"Connection: close", b"Connection: keep-alive"),
        (b"Connection: close", b"Connection: close, upgrade"),
        (b"Accept: */*", b"Connection: keep-alive"),
        (b"Accept: */*", b"Proxy-Connection: keep-alive"),
        (b"Accept: */*", b"Content-Length: 0"),
        (b"Accept: */*", b"Transfer-Encoding: chunked"),
        (b"Accept: */*", b"Upgrade: websocket"),
        (b"Accept: */*", b"Expect: 100-continue"),
        (b"Accept: */*\r\n", b"Accept: */*\r\n folded\r\n"),
        (b"Accept: */*\r\n", b"Accept: */*\n"),
        (b"Accept: */*", b"Accept: \0"),
        (b"Accept: */*", b"Accept : */*"),
        (b"Accept: */*", b"no field at all"),
        (b"\r\n\r\n", b"\r\n"),
        (b"\r\n\r\n", b"\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
        (b"GET ", b"POST "),
        (b"GET ", b"GET  "),
        (b"HTTP/1.1", b"HTTP/2.0"),
        (b"port=1", b"port=\xff"),
        (b"port=1", b"po rt=1"),
        (b"/abc/announce", b"/abc/other"),
    ],
)
def test_anything_else_is_left_to_the_real_parser(old: bytes, new: bytes) -> None:
    assert parse_whole_request(REQUEST.replace(old, new)) is None


@settings(max_examples=1000)
@given(st.integers(min_value=0))
@example(189312728143)  # a field of five is the only one with a value
def test_a_real_parser_reads_every_request_alike(seed: int) -> None:
    data = mutate(REQUEST, random.Random(seed))
    request = parse_whole_request(data)
    if request is not None:
        parser = RequestParser()
        ((parsed, closes, _),) = parser.feed(data)
        assert isinstance(parsed, HttpRequest)
        assert (parsed.target, parsed.query, closes, parser.ended) == (request.target, request.query, True, False)
        forwarded = parsed.forwarded_for.encode("latin-1").lower()
        assert forwarded.replace(b" ", b"") == request.forwarded_for.encode("latin-1").replace(b" ", b"")


@given(st.binary(max_size=200))
def test_no_bytes_harm_it(data: bytes) -> None:
    parse_whole_request(data)
    parse_whole_request(REQUEST[:-2] + data + b"\r\n")


@pytest.mark.parametrize("field", [b"User-Agent: Transmission/3.00", b"user-agent:\tTransmission/3.00 "])
def test_both_parsers_hand_on_the_user_agent(field: bytes) -> None:
    data = b"GET /announce?a=b HTTP/1.1\r\nHost: a\r\n" + field + b"\r\nConnection: close\r\n\r\n"
    whole, (parsed,) = parse_whole_request(data), RequestParser().feed(data)
    assert isinstance(parsed.request, HttpRequest)
    assert whole is not None
    assert (
        whole.user_agent == parsed.request.user_agent == b"Transmission/3.00" + (b" " if field.endswith(b" ") else b"")
    )
