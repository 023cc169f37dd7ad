#!/usr/bin/env python3
"""Add a torrent to a running etracker: ``add_infohash.py HOST KEY FILE``.

HOST is the tracker's address, with or without a scheme (``localhost:3000``, ``tracker.example``): without
one, a bare public name is contacted over https, so that the key isn't sent in clear, and anything else over http.
KEY is the API key (``ETRACKER_AUTHORIZATION``). The torrent file is uploaded, so that others can download
it; with ``--hash-only`` only its v1 infohash and name are sent.

Exit status: 0 added (or known already), 1 the tracker refused, 2 wrong usage or an unreadable file,
3 the tracker can't be reached.
"""

import argparse
import base64
import hashlib
import http.client
import json
import secrets
import ssl
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from fastbencode import bdecode, bencode

ADDED, REFUSED, WRONG_FILE, UNREACHABLE = 0, 1, 2, 3
TIMEOUT_SECONDS = 60
MAX_TORRENT_BYTES = 16 * 1024 * 1024


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        torrent = _read(options.torrentfile)
        body, content_type = _hash_body(torrent) if options.hash_only else _file_body(options.torrentfile.name, torrent)
        request = _request(options.hostname, options.apikey, body, content_type, hash_only=options.hash_only)
    except (OSError, ValueError) as error:
        print(f"add_infohash.py: {error}", file=sys.stderr)
        return WRONG_FILE
    return _send(request)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="add_infohash.py", description="Add a torrent to a running etracker.")
    parser.add_argument("hostname", help="the tracker's address, for example localhost:3000")
    parser.add_argument("apikey", help="the API key (ETRACKER_AUTHORIZATION)")
    parser.add_argument("torrentfile", type=Path, help="path of the torrent file")
    parser.add_argument("--hash-only", action="store_true", help="send infohash and name, not the file")
    return parser


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        torrent = file.read(MAX_TORRENT_BYTES + 1)
    if len(torrent) > MAX_TORRENT_BYTES:
        raise ValueError(f"{path} is larger than 16 MiB")
    return torrent


def _hash_body(torrent: bytes) -> tuple[bytes, str]:
    """Return the JSON that names the torrent by its v1 infohash."""
    try:
        info = bdecode(torrent)[b"info"]
        name = info[b"name"].decode()
        has_v1 = b"pieces" in info
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("the file isn't a torrent") from None
    if not has_v1:
        raise ValueError("a v2 torrent has no v1 infohash: add it without --hash-only")
    info_hash = hashlib.sha1(bencode(info)).digest()  # noqa: S324 - BEP 3
    return json.dumps({"info_hash": base64.b64encode(info_hash).decode(), "name": name}).encode(), "application/json"


def _file_body(name: str, torrent: bytes) -> tuple[bytes, str]:
    """Return a multipart form with the torrent in the field ``file``."""
    boundary = secrets.token_hex(16)
    quoted = name.translate({ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}).encode("utf-8", "replace")
    head = (
        b'Content-Disposition: form-data; name="file"; filename="%b"\r\nContent-Type: application/x-bittorrent\r\n\r\n'
    )
    edge = boundary.encode()
    body = b"--%b\r\n" % edge + head % quoted + torrent + b"\r\n--%b--\r\n" % edge
    return body, f"multipart/form-data; boundary={boundary}"


def _request(hostname: str, api_key: str, body: bytes, content_type: str, *, hash_only: bool) -> Request:
    origin = hostname if "://" in hostname else f"{_scheme(hostname)}://{hostname}"
    if not _is_address(origin):
        raise ValueError(f"{hostname} isn't the address of a tracker")
    if not api_key.isprintable():
        raise ValueError("the API key contains a control character")
    url = f"{origin.rstrip('/')}/api/{'infohash' if hash_only else 'torrentfile'}"
    headers = {
        "Authorization": api_key.encode().decode("latin-1"),
        "Content-Type": content_type,
        "Accept": "application/json",
    }
    return Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - the scheme is checked above


def _is_address(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _scheme(hostname: str) -> str:
    is_public_name = "." in hostname and ":" not in hostname and not hostname.rpartition(".")[2].isdecimal()
    return "https" if is_public_name else "http"


def _send(request: Request) -> int:
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS, context=_tls(request)) as answer:  # noqa: S310 - as above
            print(f"{answer.status}, {_describe(answer.read())}")
            return ADDED
    except HTTPError as error:
        with error:
            print(f"{error.code}, {_describe(error.read())}", file=sys.stderr)
        return REFUSED
    except (URLError, OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        print(f"add_infohash.py: {request.host} can't be reached: {reason}", file=sys.stderr)
        return UNREACHABLE


def _tls(request: Request) -> ssl.SSLContext:
    """Verify certificates, except those that this machine issued to itself."""
    context = ssl.create_default_context()
    if urlsplit(request.full_url).hostname in {"localhost", "127.0.0.1", "::1"}:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _describe(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return "the answer isn't JSON: is this an etracker?"
    return "\n".join(f"{name}: {value}" for name, value in answer.items()) if isinstance(answer, dict) else str(answer)


if __name__ == "__main__":
    raise SystemExit(main())
