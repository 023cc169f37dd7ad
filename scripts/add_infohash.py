#!/usr/bin/env python3
"""Add a torrent to a running etracker: ``add_infohash.py HOST KEY FILE``.

HOST is the tracker's address, with or without a scheme (``localhost:3000``, ``tracker.example``). Without
one, a bare public name is contacted over https, so that the key is encrypted, and anything else over http.
KEY is the API key (``ETRACKER_AUTHORIZATION``). The torrent file is uploaded, so that others can download
it; with ``--hash-only`` only its name and its infohashes are sent, two for a hybrid.

Exit status: 0 added (or known already), 1 the tracker refused, 2 wrong usage or an unreadable file,
3 the tracker can't be reached.

It needs Python 3.9 or newer, and nothing else.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import re
import secrets
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

ADDED, REFUSED, WRONG_FILE, UNREACHABLE = 0, 1, 2, 3
TIMEOUT_SECONDS = 60
MAX_TORRENT_BYTES = 16 * 1024 * 1024
TOKEN = re.compile(rb"([0-9]{1,9}):|i-?[0-9]+e|[dle]")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        torrent = _read(options.torrentfile, limit=not options.hash_only)
        bodies = _hash_bodies(torrent) if options.hash_only else [_file_body(options.torrentfile.name, torrent)]
        requests = [_request(options, body, content_type) for body, content_type in bodies]
    except (OSError, ValueError) as error:
        print(f"add_infohash.py: {error}", file=sys.stderr)
        return WRONG_FILE
    return max(_send(request) for request in requests)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="add_infohash.py", description="Add a torrent to a running etracker.")
    parser.add_argument("hostname", help="the tracker's address, for example localhost:3000")
    parser.add_argument("apikey", help="the API key (ETRACKER_AUTHORIZATION)")
    parser.add_argument("torrentfile", type=Path, help="path of the torrent file")
    parser.add_argument("--hash-only", action="store_true", help="send the infohashes and the name, not the file")
    return parser


def _read(path: Path, *, limit: bool) -> bytes:
    with path.open("rb") as file:
        torrent = file.read(MAX_TORRENT_BYTES + 1)
        if len(torrent) > MAX_TORRENT_BYTES and torrent[:1] == b"d" and not limit:
            torrent += file.read()
    problem = _problem(torrent, limit=limit)
    if problem:
        raise ValueError(f"{path} {problem}")
    return torrent


def _problem(torrent: bytes, *, limit: bool) -> str | None:
    """Return what is wrong with a file that can't be uploaded, and what to do; None if nothing is."""
    start = torrent[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not torrent:
        return "is empty: download the torrent again"
    if start.startswith(b"magnet:"):
        return "contains a magnet link, not a torrent: open the link in a client, and add the torrent that it saves"
    if re.match(rb"<(!doctype html|html|head|body|!--)", start):
        return "is a web page, not a torrent: download the torrent again, in a browser in which you are signed in"
    if torrent[:1] != b"d":
        return "isn't a torrent: choose the .torrent file"
    if len(torrent) > MAX_TORRENT_BYTES and limit:
        return "is larger than 16 MiB: create it again with larger pieces, or add it with --hash-only"
    return None


def _hash_bodies(torrent: bytes) -> list[tuple[bytes, str]]:
    """Return the JSON for each infohash of the torrent. Clients hash the bytes of the info dictionary as they are."""
    top = dict(_items(torrent, 0))
    if torrent[slice(*top.get(b"info", (0, 1)))][:1] != b"d" or b"info" not in top:
        raise ValueError("the file isn't a torrent: it has no info dictionary")
    start, end = top[b"info"]
    fields = {key: torrent[slice(*span)] for key, span in _items(torrent, start)}
    info, hashes = torrent[start:end], []
    if b"pieces" in fields:
        hashes.append(hashlib.sha1(info).digest())  # noqa: S324 - BEP 3
    if fields.get(b"meta version") == b"i2e":
        hashes.append(hashlib.sha256(info).digest()[:20])
    if not hashes:
        raise ValueError("the torrent is neither v1 nor v2: create it again")
    name = fields.get(b"name.utf-8", fields.get(b"name", b"0:")).partition(b":")[2].decode("utf-8", "replace")
    return [
        (json.dumps({"info_hash": base64.b64encode(one).decode(), "name": name}).encode(), "application/json")
        for one in hashes
    ]


def _items(data: bytes, start: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield each key of the bencoded dictionary at ``start``, and where its value starts and ends."""
    position = start + 1
    while data[position : position + 1] != b"e":
        key_start, position = position, _end(data, position)
        value_start, position = position, _end(data, position)
        yield data[key_start:value_start].partition(b":")[2], (value_start, position)


def _end(data: bytes, position: int) -> int:
    """Return where the bencoded value at ``position`` ends."""
    depth = 0
    while True:
        token = TOKEN.match(data, position)
        end = token.end() + int(token[1] or 0) if token else len(data) + 1
        if token is None or end > len(data):
            raise ValueError(f"the torrent is damaged or incomplete at byte {position}: download it again")
        position = end
        depth += {b"d": 1, b"l": 1, b"e": -1}.get(token[0], 0)
        if depth <= 0:
            return position


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


def _request(options: argparse.Namespace, body: bytes, content_type: str) -> Request:
    hostname, api_key = options.hostname, options.apikey
    origin = hostname if "://" in hostname else f"{_scheme(hostname)}://{hostname}"
    if not _is_address(origin):
        raise ValueError(f"{hostname} isn't the address of a tracker")
    if not api_key.isprintable():
        raise ValueError("the API key contains a control character")
    url = f"{origin.rstrip('/')}/api/{'infohash' if options.hash_only else 'torrentfile'}"
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
