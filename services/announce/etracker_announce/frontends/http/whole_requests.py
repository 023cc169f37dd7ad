"""Announces and scrapes that arrive as one whole request in one read, as nearly all do.

Deliberately strict: everything else goes through a real HTTP parser.
"""

import re
from typing import NamedTuple

from etracker_announce.frontends.http.requests import Target, parse_path

# RFC 9112: a request line of visible characters, then fields that each are a token, a colon and a value.
_REQUEST = re.compile(
    rb"GET (/[!-~]*+) HTTP/1\.([01])\r\n((?:[!#-'*+\-.0-9A-Z^-z|~]++:[\t -~\x80-\xff]*+\r\n)*+)\r\n", re.DOTALL
)
_RELEVANT = re.compile(
    rb"^((?:proxy-)?connection|x-forwarded-for|content-length|transfer-encoding|upgrade|expect):[ \t]*([^\r]*)",
    re.MULTILINE,
)


class HttpRequest(NamedTuple):
    """An announce or a scrape. ``forwarded_for``: every ``X-Forwarded-For`` field, joined, or "".

    ``closes``: the connection ends with its answer.
    """

    target: Target
    query: bytes
    forwarded_for: str
    closes: bool


def parse_whole_request(data: bytes) -> HttpRequest | None:
    """Parse exactly one GET of an announce or a scrape; None if the bytes are anything else, less or more."""
    request = _REQUEST.fullmatch(data)
    if request is None:
        return None
    url, minor_version, fields = request.groups()
    path, _, query = url.partition(b"?")
    target = parse_path(path)
    if target is None:
        return None
    forwarded, closes = [], minor_version == b"0"
    for name, value in _RELEVANT.findall(fields.lower()):
        if name == b"x-forwarded-for":
            forwarded.append(value)
        elif name == b"connection" and value.rstrip(b" \t") == b"close":
            closes = True
        else:
            return None
    return HttpRequest(target, query, b",".join(forwarded).decode("latin-1"), closes)
