"""Announces and scrapes that arrive as one whole request and close their connection, as nearly all do.

A parser object for each connection would add 3 % to the cost of an announce. This parser is deliberately strict:
everything else goes through the real HTTP parser.
"""

import re

from etracker_announce.frontends.http.parser import HttpRequest
from etracker_announce.frontends.http.requests import parse_path

# RFC 9112: a request line of visible characters, then fields, each with a token, a colon and a value.
_REQUEST = re.compile(
    rb"GET (/[!-~]*+) HTTP/1\.([01])\r\n((?:[!#-'*+\-.0-9A-Z^-z|~]++:[\t -~\x80-\xff]*+\r\n)*+)\r\n", re.DOTALL
)
_USER_AGENT = re.compile(rb"^user-agent:[ \t]*([^\r]*)", re.MULTILINE | re.IGNORECASE)
_RELEVANT = re.compile(
    rb"^((?:proxy-)?connection|x-forwarded-for|content-length|transfer-encoding|upgrade|expect):[ \t]*([^\r]*)",
    re.MULTILINE,
)


def parse_whole_request(data: bytes) -> HttpRequest | None:
    """Parse exactly one GET of an announce or a scrape that closes its connection; None for anything else."""
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
    if not closes:
        return None
    agents = _USER_AGENT.findall(fields)
    user_agent = agents[-1] if agents else b""
    return HttpRequest(target, query, b",".join(filter(None, forwarded)).decode("latin-1"), user_agent)
