"""Parse HTTP: from the bytes of one connection to announces, scrapes and pages."""

from typing import NamedTuple

import httptools
from structlog import get_logger

from etracker_announce.frontends.http.requests import Target, parse_path
from etracker_announce.frontends.http.responses import BAD_REQUEST, HEAD_TOO_LARGE, Page, page_for

MAX_HEAD_BYTES = 32_768

_FORWARDED = b"x-forwarded-for"
_FORWARDED_LENGTH = len(_FORWARDED)

log = get_logger("http")


class HttpRequest(NamedTuple):
    """An announce or a scrape. ``forwarded_for``: every ``X-Forwarded-For`` field, joined, or ""."""

    target: Target
    query: bytes
    forwarded_for: str


class Parsed(NamedTuple):
    """A complete request for the tracker, or the page that answers another. ``closes``: the connection ends with it."""

    request: HttpRequest | Page
    closes: bool


class RequestParser:
    """Parses what one connection receives. Bodies are ignored: no announce has one.

    ``in_head``: a head has begun and isn't complete. ``error``: the answer to the first bytes that aren't
    HTTP. ``ended``: nothing more is parsed, because of an error or because the client wants another protocol.
    """

    # Most connections are a single request: attributes that only other connections change aren't set for each of them.
    in_head = False
    error: Page | None = None
    ended = False
    _head_bytes = 0

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._parsed: list[Parsed] = []
        self._url = b""
        self._forwarded = b""

    def feed(self, data: bytes) -> list[Parsed]:
        """Return the requests that these bytes complete; those before an error too."""
        if self.ended:
            return []
        self._parsed = []
        self._head_began = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.ended = True
        except httptools.HttpParserError as error:
            if isinstance(error, httptools.HttpParserCallbackError):
                log.exception("request_not_taken")
            self._fail(BAD_REQUEST)
        if self.in_head:
            self._limit_head(len(data))
        return self._parsed

    def close(self) -> None:
        """Break the cycle of references with httptools, so that the garbage collector has nothing to do."""
        del self._parser

    # httptools' calls

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._url = self._forwarded = b""
        self.in_head = self._head_began = True

    def on_url(self, url: bytes) -> None:
        """Append the URL, or a part of it."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the only field that matters; a trailer's fields don't."""
        if len(name) == _FORWARDED_LENGTH and name.lower() == _FORWARDED and self.in_head:
            self._forwarded = self._forwarded + b"," + value if self._forwarded else value

    def on_headers_complete(self) -> None:
        """Note that only a body may follow."""
        self.in_head = False

    def on_message_complete(self) -> None:
        """Finish the request."""
        closes = self._parser.get_http_version() == "1.0" or not self._parser.should_keep_alive()
        method = self._parser.get_method()
        path, _, query = self._url.partition(b"?")
        target = parse_path(path) if method == b"GET" else None
        if target is None:
            self._parsed.append(Parsed(page_for(method, path), closes))
        else:
            self._parsed.append(Parsed(HttpRequest(target, query, self._forwarded.decode("latin-1")), closes))

    def _limit_head(self, received: int) -> None:
        # The first read of a head may contain other requests too.
        self._head_bytes = 0 if self._head_began else self._head_bytes + received
        if self._head_bytes > MAX_HEAD_BYTES:
            self._fail(HEAD_TOO_LARGE)

    def _fail(self, error: Page) -> None:
        self.error = error
        self.ended = True
