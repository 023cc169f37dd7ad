"""Say something hostile over a real socket and hear what comes back."""

import asyncio
import re
from dataclasses import dataclass

ANSWER_SECONDS = 5.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


@dataclass(frozen=True)
class Answer:
    """What came back until the other side closed: ``statuses`` of each response, and everything as it came."""

    statuses: tuple[int, ...]
    raw: bytes


async def say(address: tuple[str, int], request: bytes) -> Answer:
    """Send bytes, close our side, and read until the other side closes its own.

    Raises:
        TimeoutError: the service hangs.
    """
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            await writer.drain()
            writer.write_eof()
            raw = await reader.read()
    except TimeoutError:
        raise
    except OSError:
        raw = b""  # the service closed while we were still talking, which is an answer too
    finally:
        writer.close()
    return Answer(tuple(int(status) for status in _STATUS.findall(raw)), raw)
