"""``python -m etracker_admin_api.torrents.files.parser_process parse|strip``: reads a torrent file.

The file comes from standard input. The output is one line of JSON, the refusal or the result, followed by the file to
store.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.parsing import parse_torrent
from etracker_admin_api.torrent_file.rewriting import strip_file

CPU_SECONDS = 30
MEMORY_BYTES = 1024 * 1024 * 1024
_NICENESS = 5


def main() -> int:
    """Do one task within limits; return the exit status."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.nice(_NICENESS)
    tasks: dict[str, Callable[[bytes], tuple[dict[str, Any], bytes]]] = {"parse": _parse, "strip": _strip}
    try:
        described, file = tasks[sys.argv[1]](sys.stdin.buffer.read())
    except TorrentError as error:
        described, file = {"refused": str(error)}, b""
    except MemoryError:
        return 1
    sys.stdout.buffer.write(json.dumps(described).encode() + b"\n")
    sys.stdout.buffer.write(file)
    return 0


def _parse(data: bytes) -> tuple[dict[str, Any], bytes]:
    torrent = parse_torrent(data)
    described = {
        "name": torrent.name,
        "length": torrent.length,
        "piece_length": torrent.piece_length,
        "v1": torrent.v1 and torrent.v1.hex(),
        "v2": torrent.v2 and torrent.v2.hex(),
        "made_private": torrent.made_private,
        "remarks": torrent.remarks,
    }
    return described, torrent.file


def _strip(data: bytes) -> tuple[dict[str, Any], bytes]:
    stripped = strip_file(data)
    return {"piece_length": stripped.piece_length, "private": stripped.private}, stripped.file


if __name__ == "__main__":
    # Freeing a million small objects takes a while, and the process ends anyway.
    status = main()
    sys.stdout.flush()
    os._exit(status)
