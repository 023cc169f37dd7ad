"""HTTP responses: the head of an answer, and the few pages that are neither announce nor scrape."""

from typing import NamedTuple

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b"
_LAST_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
_PAGE = b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%b%b\r\n%b"


READING = (b"GET", b"HEAD")


class Page(NamedTuple):
    """A fixed response. ``fields``: more header fields, with line endings. ``for_head``: its body isn't sent."""

    status: bytes
    body: bytes
    fields: bytes = b""
    for_head: bool = False

    def to_bytes(self, *, closes: bool) -> bytes:
        """Write the response; without its body if it answers a HEAD request."""
        connection = b"Connection: close\r\n" if closes else b""
        body = b"" if self.for_head else self.body
        return _PAGE % (self.status, len(self.body), self.fields, connection, body)


HEALTHY = Page(b"200 OK", b"ok")
BAD_REQUEST = Page(b"400 Bad Request", b"Invalid HTTP request received.")
NOT_FOUND = Page(b"404 Not Found", b"Not Found")
NOT_ALLOWED = Page(b"405 Method Not Allowed", b"Announce and scrape with GET.", b"Allow: GET, HEAD\r\n")
HEAD_TOO_LARGE = Page(b"431 Request Header Fields Too Large", b"")


def write_response(answer: bytes | Page, *, closes: bool, for_head: bool = False) -> bytes:
    """Write a response: a bencoded answer, or a page."""
    if isinstance(answer, Page):
        return answer.to_bytes(closes=closes)
    response = (_LAST_ANSWER if closes else _ANSWER) % (len(answer), answer)
    return response[: -len(answer)] if for_head else response


def page_for(method: bytes, path: bytes, *, exists: bool, public: bool = False) -> Page:
    """Return the response to anything but a GET or HEAD of an announce or scrape. ``exists``: its path serves these.

    ``public``: ``/healthz`` doesn't exist.
    """
    healthz = HEALTHY if method in READING else NOT_ALLOWED
    page = healthz if exists or (path == b"/healthz" and not public) else NOT_FOUND
    return page._replace(for_head=True) if method == b"HEAD" else page
