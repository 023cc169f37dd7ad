"""Requests are parsed alike however their bytes arrive, and no bytes harm the parser."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etracker_announce.domain.requests import Kind
from etracker_announce.frontends.http.parser import HttpRequest, Parsed, RequestParser
from etracker_announce.frontends.http.responses import HEALTHY, NOT_FOUND
from tests.support.mutations import mutate

REQUEST = (
    b"GET /abc/announce?info_hash=%01+,:/x&port=1 HTTP/1.1\r\nHost: tracker\r\nUser-Agent: Transmission/3.00\r\n"
    b"X-Forwarded-For: 2001:DB8::1\r\nAccept: */*\r\nConnection: close\r\n\r\n"
)
KEPT = REQUEST.replace(b"Connection: close\r\n", b"")


def parse(*pieces: bytes) -> tuple[list[Parsed], RequestParser]:
    parser = RequestParser()
    return [parsed for piece in pieces for parsed in parser.feed(piece)], parser


def only_request(data: bytes) -> tuple[HttpRequest, bool]:
    ((request, closes, _),), parser = parse(data)
    assert isinstance(request, HttpRequest)
    assert not parser.error
    return request, closes


def test_a_request_is_parsed_as_it_was_sent() -> None:
    request, closes = only_request(REQUEST)
    assert (request.target.kind, request.target.key) == (Kind.ANNOUNCE, b"abc")
    assert request.query == b"info_hash=%01+,:/x&port=1"
    assert request.forwarded_for == "2001:DB8::1"
    assert closes


@pytest.mark.promise(12)
@pytest.mark.parametrize(
    ("old", "new", "closes"),
    [
        (b"Connection: close", b"connection:Close \t", True),
        (b"HTTP/1.1", b"HTTP/1.0", True),
        (b"Connection: close", b"Connection: keep-alive", False),
        (b"Connection: close\r\n", b"", False),
        (b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_a_request_says_whether_its_connection_ends(old: bytes, new: bytes, *, closes: bool) -> None:
    assert only_request(REQUEST.replace(old, new))[1] is closes


@pytest.mark.promise(21)
def test_every_forwarded_field_counts() -> None:
    request, _ = only_request(REQUEST.replace(b"Accept: */*", b"x-forwarded-for: 203.0.113.9"))
    assert request.forwarded_for == "2001:DB8::1,203.0.113.9"


def test_requests_before_an_error_are_returned() -> None:
    requests, parser = parse(KEPT + KEPT + b"\x16\x03\x01")
    assert len(requests) == 2
    assert parser.error
    assert parser.ended


@pytest.mark.promise(11)
def test_other_requests_are_pages_in_their_place() -> None:
    health = b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"
    requests, _ = parse(health + KEPT + health.replace(b"healthz", b"other"))
    assert [type(parsed.request) is HttpRequest for parsed in requests] == [False, True, False]
    assert (requests[0].request, requests[2].request) == (HEALTHY, NOT_FOUND)


@settings(max_examples=300)
@given(st.integers(min_value=0), st.lists(st.integers(1, 400), max_size=6))
def test_bytes_are_parsed_alike_however_they_are_cut(seed: int, cuts: list[int]) -> None:
    data = mutate(KEPT + REQUEST, random.Random(seed))
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    at_once, whole = parse(data)
    in_pieces, pieces = parse(*(data[start:end] for start, end in pairwise(edges)))
    if whole.error or whole.ended:
        assert in_pieces[: len(at_once)] == at_once
    else:
        assert (in_pieces, pieces.in_head) == (at_once, whole.in_head)


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_no_bytes_harm_it(pieces: list[bytes]) -> None:
    parse(*pieces)
    parse(REQUEST[:-2], *pieces, b"\r\n")
    parse(KEPT, *pieces)


@pytest.mark.promise(3)
def test_a_head_is_bounded_and_what_came_before_it_doesnt_count() -> None:
    filler = b"X-Filler: " + b"y" * 10_000 + b"\r\n"
    requests, parser = parse(KEPT * 300 + b"GET /announce HTTP/1.1\r\n", filler, filler, filler)
    assert (len(requests), parser.in_head, parser.error) == (300, True, None)
    parser.feed(filler)
    assert parser.error is not None
    assert parser.error.status.startswith(b"431 ")
