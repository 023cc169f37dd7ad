"""URLs of Redis: which ones a service can use, and what is wrong with a Unix socket."""

import errno
import socket
from urllib.parse import parse_qs, unquote, urlsplit

SCHEMES = ("redis", "rediss", "unix")
LONGEST_SOCKET_PATH = 107
"""Bytes of ``sun_path`` on Linux, without the final zero."""

_ADVICE = {
    errno.ENOENT: "there is no socket at {path}: set unixsocket in redis.conf, or correct ETRACKER_REDIS_URL",
    errno.ECONNREFUSED: "no Redis listens at {path}: start it, or correct ETRACKER_REDIS_URL",
    errno.EACCES: "this account may not use the socket at {path}: set unixsocketperm in redis.conf, or add the account "
    "to the socket's group",
}


def check_redis_url(url: str) -> str:
    """Return the URL if the services can use it.

    Raises:
        ValueError: they can't; the message says why without repeating the URL, which may contain a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or "://" not in url:
        raise ValueError("it must begin with redis://, rediss:// (TLS) or unix:// (a Unix socket)")
    if parts.scheme == "unix":
        _check_socket(parts.netloc, unquote(parts.path))
    if not all(number.isdecimal() for number in parse_qs(parts.query).get("db", [])):
        raise ValueError("db must be the number of a database")
    return url


def socket_path(url: str) -> str | None:
    """Return the path of the Unix socket that a URL names; None if it names a host."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "unix" else None


def without_password(url: str) -> str:
    """Return a URL without user, password and every parameter that is named after a password."""
    scheme, _, rest = url.partition("://")
    address, has_query, query = rest.partition("?")
    authority, slash, path = address.partition("/")
    kept = "&".join(one for one in query.split("&") if "password" not in unquote(one.partition("=")[0]).lower())
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}{has_query if kept else ''}{kept}"


def socket_complaint(url: str) -> str | None:
    """Return what keeps us from connecting to the Unix socket of a URL, and what to do about it."""
    path = socket_path(url)
    if path is None:
        return None
    with socket.socket(socket.AF_UNIX) as trial:
        trial.setblocking(False)  # noqa: FBT003 - a full backlog is no reason to complain
        code = trial.connect_ex(path)
    return _ADVICE[code].format(path=path) if code in _ADVICE else None


def _check_socket(netloc: str, path: str) -> None:
    if netloc.rpartition("@")[2] or len(path) < 2:
        raise ValueError("a Unix socket needs an absolute path, with three slashes: unix:///run/redis/redis.sock")
    if len(path.encode()) > LONGEST_SOCKET_PATH:
        raise ValueError(f"the path of a Unix socket may have only {LONGEST_SOCKET_PATH} bytes")
