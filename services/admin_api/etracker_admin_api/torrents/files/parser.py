"""Parses torrent files outside the event loop, large ones in a separate process.

Decoding holds the interpreter's lock for up to a second, and a hostile file takes hundreds of MB. A separate process
for each large file doesn't delay other requests, returns its memory, and can be killed.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.parsing import ParsedTorrent, parse_torrent
from etracker_admin_api.torrent_file.rewriting import StrippedFile, strip_file
from etracker_shared.language.identity import InfoHash

SMALL_BYTES = 64 * 1024
"""Files up to this size take a few milliseconds, less than it takes to start a process."""
UPLOADS_AT_ONCE = 2
PARSE_SECONDS = 60
_PROGRAM = "etracker_admin_api.torrents.files.parser_process"
_SECRETS = ("ETRACKER_", "PG")


class TorrentParser:
    """Parses uploaded torrent files and strips stored ones without delaying other requests. Raises TorrentError."""

    def __init__(self) -> None:
        self._uploads = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self._stored = asyncio.Semaphore(1)

    async def parse(self, data: bytes) -> ParsedTorrent:
        """Parse an uploaded file."""
        if len(data) <= SMALL_BYTES:
            return await asyncio.to_thread(parse_torrent, data)
        async with self._uploads:
            described, file = await _run("parse", data)
        v1, v2 = described["v1"], described["v2"]
        return ParsedTorrent(
            name=described["name"],
            length=described["length"],
            piece_length=described["piece_length"],
            file=file,
            v1=None if v1 is None else InfoHash(bytes.fromhex(v1)),
            v2=None if v2 is None else bytes.fromhex(v2),
            made_private=described["made_private"],
            remarks=tuple(described["remarks"]),
        )

    async def strip(self, data: bytes) -> StrippedFile:
        """Strip a stored file."""
        if len(data) <= SMALL_BYTES:
            return await asyncio.to_thread(strip_file, data)
        async with self._stored:
            described, file = await _run("strip", data)
        return StrippedFile(file, described["piece_length"], described["private"])


async def _run(task: str, data: bytes) -> tuple[Mapping[str, Any], bytes]:
    head, _, file = (await _ask_process(task, data)).partition(b"\n")
    if not head:
        raise TorrentError("The file isn't accepted: checking it takes too much time or memory.")
    described: dict[str, Any] = json.loads(head)
    if "refused" in described:
        raise TorrentError(described["refused"])
    return described, file


async def _ask_process(task: str, data: bytes) -> bytes:
    """Return the output of the process, or nothing if it fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", _PROGRAM, task),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)},
    )
    try:
        async with asyncio.timeout(PARSE_SECONDS):
            output, _ = await process.communicate(data)
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output if process.returncode == 0 else b""
