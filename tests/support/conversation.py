"""Send something hostile over a real socket and read the answer."""

import asyncio
import re
from dataclasses import dataclass

ANSWER_SECONDS = 5.0
PATIENCE_SECONDS = 0.05
"""Before our side closes. Most of what is sent here is no whole request, and waits for more."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


@dataclass(frozen=True)
class Answer:
    """Everything received until the other side closed, and the status of each response."""

    statuses: tuple[int, ...]
    raw: bytes


async def say(address: tuple[str, int], request: bytes, patience_seconds: float = PATIENCE_SECONDS) -> Answer:
    """Send bytes, close our side once no answer came to them, and read until the other side closes its own.

    A server that isn't finished with a request forgets it when our side closes, so it gets a moment before that.

    Raises:
        TimeoutError: the service hangs.
    """
    reader, writer = await asyncio.open_connection(*address)
    raw = bytearray()
    try:
        writer.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            await writer.drain()
            if not await _is_answered(reader, raw, patience_seconds):
                writer.write_eof()
                await _read_to_end(reader, raw)
    except TimeoutError:
        raise
    except OSError:
        pass  # the service closed while we were still sending, which is an answer too
    finally:
        writer.close()
    return Answer(tuple(int(status) for status in _STATUS.findall(raw)), bytes(raw))


async def _is_answered(reader: asyncio.StreamReader, raw: bytearray, patience_seconds: float) -> bool:
    try:
        async with asyncio.timeout(patience_seconds):
            await _read_to_end(reader, raw)
    except TimeoutError:
        return False
    return True


async def _read_to_end(reader: asyncio.StreamReader, raw: bytearray) -> None:
    while some := await reader.read(65536):
        raw += some
