"""Which suspects each client was given, and what it was told about them.

Notes wait for the next batch of announces, so they cost no round trip; while Redis is down they are lost. What is told
to a client is claimed first: of several processes that would tell it the same, one does.
"""

from collections.abc import Mapping, Sequence

from etracker_announce.adapters.swarms.batches import Batches
from etracker_announce.adapters.swarms.commands import Command, Commands
from etracker_announce.adapters.swarms.server import Refusal, Server, execute_scripts
from etracker_announce.ports import SwarmsUnavailableError
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.block_lists import HANDED_SECONDS, MOST_KEYS_AT_ADDRESS


class RedisHandOuts:
    """The hashes ``handed:`` and zsets ``keysat:``, see :class:`~etracker_announce.ports.HandOuts`."""

    def __init__(self, server: Server, commands: Commands, batches: Batches) -> None:
        self._server = server
        self._commands = commands
        self._batches = batches

    def note(self, recipient: bytes, fields: Mapping[bytes, bytes]) -> None:
        """Note what a recipient was handed, see :class:`~etracker_announce.ports.HandOuts`."""
        self._batches.add(self._commands.note_handed(recipient, fields))

    def note_key_at(self, name: bytes, identity: bytes, now: int) -> None:
        """Note a key at an address, see :class:`~etracker_announce.ports.HandOuts`."""
        key = redis_keys.keys_at(name)
        self._batches.add((b"ZADD", key, now, identity))
        self._batches.add((b"ZREMRANGEBYRANK", key, 0, -(MOST_KEYS_AT_ADDRESS + 2)))
        self._batches.add((b"EXPIRE", key, HANDED_SECONDS))

    async def claim(self, recipient: bytes, mark: bytes, value: bytes, names: Sequence[bytes], now: int) -> bool:
        """Claim a message to a recipient, see :class:`~etracker_announce.ports.HandOuts`."""
        marking = self._commands.note_handed(recipient, {mark: value})
        new, *keys = await self._answers([marking, *_counts(names, now)])
        return bool(new) and all(count <= MOST_KEYS_AT_ADDRESS for count in keys)

    async def is_publishable(self, names: Sequence[bytes], now: int) -> bool:
        """Return whether few keys use each address, see :class:`~etracker_announce.ports.HandOuts`."""
        return all(count <= MOST_KEYS_AT_ADDRESS for count in await self._answers(_counts(names, now)))

    async def claim_own(self, offender: bytes, since: int, now: int) -> bool:
        """Claim a message to an offender, see :class:`~etracker_announce.ports.HandOuts`."""
        return bool((await self._answers([self._commands.tell(offender, since, now)]))[0])

    async def _answers(self, commands: Sequence[Command]) -> list[int]:
        replies = await execute_scripts(self._server, commands)
        for reply in replies:
            if isinstance(reply, Refusal):
                raise SwarmsUnavailableError(f"Redis doesn't say whether a message is due: {reply}") from reply
        return replies


def _counts(names: Sequence[bytes], now: int) -> list[Command]:
    return [(b"ZCOUNT", redis_keys.keys_at(name), now - HANDED_SECONDS, b"+inf") for name in names]
