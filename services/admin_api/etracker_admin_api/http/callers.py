"""The caller of a request, and the address they use to reach the tracker."""

from collections.abc import Sequence
from ipaddress import ip_address

from fastapi import Request

from etracker_admin_api.http.announce_urls import announce_origin, public_origin
from etracker_shared.language.addresses import Address, Network, client_address, is_trusted, parse_address

_UNIX_SOCKET = "127.0.0.1"


class Callers:
    """Reads callers' addresses from requests, trusting the configured proxies.

    ``direct_port``: the port in announce URLs on plain HTTP; None for the gateway's.
    """

    def __init__(self, trusted: Sequence[Network], frontend_hostname: str, direct_port: int | None = None) -> None:
        self._trusted = trusted
        self._frontend_hostname = frontend_hostname
        self._direct_port = direct_port

    def address(self, request: Request) -> Address:
        """Return the caller's address: the rightmost hop that isn't a trusted proxy."""
        forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
        return client_address(_socket_address(request), forwarded, self._trusted)

    def is_operator(self, request: Request) -> bool:
        """Return whether the request comes from a trusted machine itself, not through a proxy on it."""
        from_trusted = is_trusted(parse_address(_socket_address(request)), self._trusted)
        return from_trusted and "x-forwarded-for" not in request.headers

    def limited_address(self, request: Request) -> Address | None:
        """Return the address that limits apply to; None for the operator's own machine."""
        return None if self.is_operator(request) else self.address(request)

    def announce_origin(self, request: Request) -> str:
        """Return the ``scheme://host[:port]`` of the announce URLs that suit the caller."""
        return announce_origin(self._origin(request), self._direct_port)

    def _origin(self, request: Request) -> str:
        """Return the ``scheme://host[:port]`` with which the caller reaches the tracker."""
        scheme = request.url.scheme
        if is_trusted(parse_address(_socket_address(request)), self._trusted):
            forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
            scheme = forwarded if forwarded in {"http", "https"} else scheme
        return public_origin(self._frontend_hostname, scheme, request.headers.get("host", ""))


def _socket_address(request: Request) -> str:
    host = request.client.host if request.client else _UNIX_SOCKET
    try:
        ip_address(host)
    except ValueError:
        return _UNIX_SOCKET
    return host
