"""The announce URL of a key, as this request's caller can reach it."""

import re

_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_NO_NAME = frozenset({"", "localhost"})
"""Settings that don't say how others reach the tracker."""


def public_origin(frontend_hostname: str, scheme: str, host: str) -> str:
    """Return ``scheme://host[:port]`` of the tracker.

    ``frontend_hostname``: the operator's setting; a scheme in it settles everything, a bare name takes
    scheme and port of the request, none or localhost takes the whole ``Host``. ``host``: the request's
    ``Host``, which a stranger may have forged.
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


def announce_url(origin: str, announce_key: str) -> str:
    """Return the announce URL of a key: a secret, never to be logged."""
    return f"{origin}/{announce_key}/announce"
