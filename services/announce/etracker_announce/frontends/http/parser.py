"""Parse HTTP: from the bytes of one connection to announces, scrapes and pages."""

from typing import NamedTuple

import httptools
from structlog import get_logger

from etracker_announce.frontends.http.requests import Target, parse_misplaced, parse_path
from etracker_announce.frontends.http.responses import BAD_REQUEST, HEAD_TOO_LARGE, READING, Page, page_for

MAX_HEAD_BYTES = 32_768

_FORWARDED = b"x-forwarded-for"
_BODY = (b"content-length", b"transfer-encoding")
_USER_AGENT = b"user-agent"
_KEPT = frozenset((_FORWARDED, _USER_AGENT, *_BODY))
_LENGTHS = frozenset(map(len, _KEPT))

log = get_logger("http")


class HttpRequest(NamedTuple):
    """An announce or a scrape. ``forwarded_for``: every ``X-Forwarded-For`` field with a value, joined, or "".

    ``user_agent``: the last such field, or empty.
    """

    target: Target
    query: bytes
    forwarded_for: str
    user_agent: bytes = b""


class Parsed(NamedTuple):
    """A complete request for the tracker, or the page that answers any other request.

    ``closes``: the connection is closed after the answer. ``for_head``: the answer has no body.
    """

    request: HttpRequest | Page
    closes: bool
    for_head: bool = False


class RequestParser:
    """Parses what one connection receives. Bodies are ignored, and so are offers to upgrade to another protocol.

    ``in_head``: a head has begun and isn't complete. ``error``: the answer to the first bytes that aren't
    HTTP. ``ended``: nothing more is parsed, because of an error, a tunnel, or an offer to upgrade with a body.
    ``public``: ``/healthz`` doesn't exist.
    """

    # Most connections have a single request: they share the defaults of attributes that only other connections change.
    in_head = False
    error: Page | None = None
    ended = False
    _head_bytes = 0
    _has_body = False

    def __init__(self, *, public: bool = False) -> None:
        self._public = public
        self._parser = httptools.HttpRequestParser(self)
        self._parsed: list[Parsed] = []
        self._url = b""
        self._forwarded = b""
        self._user_agent = b""

    def feed(self, data: bytes) -> list[Parsed]:
        """Return the requests that these bytes complete, including those before an error."""
        if self.ended:
            return []
        self._parsed = []
        self._head_began = False
        try:
            self._parse(data)
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
        self._url = self._forwarded = self._user_agent = b""
        self.in_head = self._head_began = True
        if self._has_body:
            self._has_body = False

    def on_url(self, url: bytes) -> None:
        """Append the URL, or a part of it."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the header fields that matter; trailer fields never do."""
        if len(name) in _LENGTHS and (lowered := name.lower()) in _KEPT and self.in_head:
            self._keep(lowered, value)

    def on_headers_complete(self) -> None:
        """Note that only a body may follow."""
        self.in_head = False

    def on_message_complete(self) -> None:
        """Finish the request."""
        closes = self._parser.get_http_version() == "1.0" or not self._parser.should_keep_alive()
        method = self._parser.get_method()
        path, _, query = self._url.partition(b"?")
        target = parse_path(path) or parse_misplaced(query)
        if target and method in READING:
            request = HttpRequest(target, query, self._forwarded.decode("latin-1"), self._user_agent)
            self._parsed.append(Parsed(request, closes, method == b"HEAD"))
        else:
            self._parsed.append(Parsed(self._page(method, path, exists=target is not None), closes))

    def _page(self, method: bytes, path: bytes, *, exists: bool) -> Page:
        return page_for(method, path, exists=exists, public=self._public)

    def _keep(self, name: bytes, value: bytes) -> None:
        if name == _FORWARDED:
            if value:
                self._forwarded = self._forwarded + b"," + value if self._forwarded else value
        elif name == _USER_AGENT:
            self._user_agent = value
        else:
            self._has_body = True

    def _parse(self, data: bytes) -> None:
        rest = memoryview(data)
        while True:
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                # httptools leaves everything after the head to the other protocol, even the request's own body.
                if self._has_body or self._parser.get_method() == b"CONNECT":
                    self.ended = True
                    return
                # The client continues in HTTP/1.1 (RFC 9110, 7.8).
                rest = rest[offer.args[0] :]
                self._parser = httptools.HttpRequestParser(self)
            else:
                return

    def _limit_head(self, received: int) -> None:
        # The bytes in which a head begins may contain other requests too, so they don't count.
        self._head_bytes = 0 if self._head_began else self._head_bytes + received
        if self._head_bytes > MAX_HEAD_BYTES:
            self._fail(HEAD_TOO_LARGE)

    def _fail(self, error: Page) -> None:
        self.error = error
        self.ended = True
