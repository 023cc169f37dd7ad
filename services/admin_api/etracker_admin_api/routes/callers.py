"""Who calls, how they reach us, and whether they may."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Annotated

from fastapi import HTTPException, Request, Security
from fastapi.security import APIKeyHeader

from etracker_admin_api.domain.announce_urls import public_origin
from etracker_shared.addresses import Address, Network, client_address, is_trusted, parse_address

_API_KEY = APIKeyHeader(
    name="Authorization",
    auto_error=False,
    description="The API key (ETRACKER_AUTHORIZATION), as it is, without a scheme",
)
_UNIX_SOCKET = "127.0.0.1"


class Callers:
    """Knows which proxies to believe."""

    def __init__(self, trusted: Sequence[Network], frontend_hostname: str) -> None:
        self._trusted = trusted
        self._frontend_hostname = frontend_hostname

    def address(self, request: Request) -> Address:
        """Return the caller's address: the right-most hop that isn't a trusted proxy."""
        forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
        return client_address(_socket_address(request), forwarded, self._trusted)

    def is_operator(self, request: Request) -> bool:
        """Tell whether the request comes from a trusted machine itself, not through a proxy on it."""
        from_trusted = is_trusted(parse_address(_socket_address(request)), self._trusted)
        return from_trusted and "x-forwarded-for" not in request.headers

    def origin(self, request: Request) -> str:
        """Return ``scheme://host[:port]`` under which the caller reaches the tracker."""
        scheme = request.url.scheme
        if is_trusted(parse_address(_socket_address(request)), self._trusted):
            forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
            scheme = forwarded if forwarded in {"http", "https"} else scheme
        return public_origin(self._frontend_hostname, scheme, request.headers.get("host", ""))


def require_api_key(api_key: str) -> Callable[[str | None], None]:
    """Build the dependency of every restricted route; an empty key turns them all off."""

    def check(authorization: Annotated[str | None, Security(_API_KEY)]) -> None:
        if not api_key:
            raise HTTPException(403, "The restricted API is off: the operator hasn't set ETRACKER_AUTHORIZATION.")
        if authorization is None:
            raise HTTPException(401, "This needs the API key in the Authorization header.")
        if not hmac.compare_digest(_digest(authorization.encode("latin-1")), _digest(api_key.encode())):
            raise HTTPException(403, "The API key in the Authorization header is wrong.")

    return check


def _digest(key: bytes) -> bytes:
    """Hash a key, so that comparing takes the same time for keys of any length."""
    return hashlib.sha256(key.strip()).digest()


def _socket_address(request: Request) -> str:
    host = request.client.host if request.client else _UNIX_SOCKET
    try:
        ip_address(host)
    except ValueError:
        return _UNIX_SOCKET
    return host
