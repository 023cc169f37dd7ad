"""The announce URL of a key, with an origin that the caller of a request can reach."""

import re

HOST = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
"""A host name or address, and a port if there is one."""

_HOST = re.compile(HOST)
_NO_NAME = frozenset({"", "localhost"})
"""Settings that don't say how clients reach the tracker."""


def public_origin(frontend_hostname: str, scheme: str, host: str) -> str:
    """Return ``scheme://host[:port]`` of the tracker.

    ``frontend_hostname``: the operator's setting. With a scheme it is used as it is; a bare name gets the scheme and
    port of the request; if it's empty or localhost, the request's host is used. ``host``: the request's ``Host``
    header, which may be forged.
    """
    if "://" in frontend_hostname:
        return frontend_hostname
    requested = _HOST.fullmatch(host)
    if frontend_hostname in _NO_NAME:
        return f"{scheme}://{host if requested else 'localhost'}"
    named = _HOST.fullmatch(frontend_hostname)
    if named and named[2]:
        return f"{scheme}://{frontend_hostname}"
    port = requested[2] if requested else None
    return f"{scheme}://{frontend_hostname}{port or ''}"


def announce_origin(origin: str, direct_port: int | None) -> str:
    """Return the origin of announce URLs, given the one with which the caller reaches the tracker.

    ``direct_port``: announce's own public port; over HTTPS, and if it's None, announces go to the gateway.
    """
    if direct_port is None or not origin.startswith("http://"):
        return origin
    named = _HOST.fullmatch(origin.removeprefix("http://"))
    return f"http://{named[1]}:{direct_port}" if named else origin


def announce_url(origin: str, announce_key: str) -> str:
    """Return the announce URL of a key. ``origin``: see :func:`announce_origin`. It is a secret, never to be logged."""
    return f"{origin}/{announce_key}/announce"
