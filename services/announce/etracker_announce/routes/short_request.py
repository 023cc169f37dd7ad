"""Requests that are whole in one read and close their connection: what most clients send for an announce.

Strict on purpose: whatever isn't plainly one of these goes the long way through a real HTTP parser.
"""

import re
from typing import NamedTuple

from etracker_announce.domain.request import Target, parse_path

# RFC 9112: a request line of visible characters, then fields that each are a token, a colon and a value.
_REQUEST = re.compile(
    rb"GET (/[!-~]*+) HTTP/1\.([01])\r\n((?:[!#-'*+\-.0-9A-Z^-z|~]++:[\t -~\x80-\xff]*+\r\n)*+)\r\n", re.DOTALL
)
_TELLING = re.compile(
    rb"^(connection|x-forwarded-for|content-length|transfer-encoding|upgrade|expect):[ \t]*([^\r]*)", re.MULTILINE
)


class ShortRequest(NamedTuple):
    """``forwarded_for``: every ``X-Forwarded-For`` field, joined; "" without one."""

    target: Target
    query: bytes
    forwarded_for: str


def parse_short_request(data: bytes) -> ShortRequest | None:
    """Parse a GET of an announce or a scrape that ends its connection; None if the bytes are anything else."""
    request = _REQUEST.fullmatch(data)
    if request is None:
        return None
    url, minor_version, fields = request.groups()
    forwarded = _read_fields(fields, closes=minor_version == b"0")
    if forwarded is None:
        return None
    path, _, query = url.partition(b"?")
    target = parse_path(path)
    return None if target is None else ShortRequest(target, query, forwarded)


def _read_fields(fields: bytes, *, closes: bool) -> str | None:
    """Return whom the request was forwarded for; None if it has a body, upgrades, or keeps its connection."""
    forwarded = []
    for name, value in _TELLING.findall(fields.lower()):
        if name == b"x-forwarded-for":
            forwarded.append(value)
        elif name == b"connection" and value.rstrip(b" \t") == b"close":
            closes = True
        else:
            return None
    if not closes:
        return None
    return b",".join(forwarded).decode("latin-1")
