"""What the swarms need from a single Redis or a cluster: commands out, replies in, in order.

``Refusal`` is the error reply to one command; ``SwarmsUnavailableError`` means that no command was answered.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from etracker_announce.adapters.swarms.commands import Command


class Refusal(Exception):  # noqa: N818 - usually returned among other replies, rarely raised
    """An error reply: its text starts with a code, for example ``OOM`` or ``NOSCRIPT``."""

    @property
    def code(self) -> str:
        """The first word."""
        return str(self).partition(" ")[0]


Reply = Any
"""bytes, int, a list of these, None, or a :class:`Refusal`."""


def is_out_of_memory(reply: Reply) -> bool:
    """Return whether Redis refused the command because it is full."""
    return isinstance(reply, Refusal) and reply.code == "OOM"


class Server(Protocol):
    """One Redis, or a cluster of them."""

    async def start(self) -> None:
        """Begin to connect. This doesn't fail if the server is down: connecting is retried until it answers."""
        ...

    async def execute(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands together and return their replies.

        Raises:
            SwarmsUnavailableError: no connection, or no answer in time.
        """
        ...

    async def load_scripts(self) -> None:
        """Load the scripts wherever commands may go.

        Raises:
            SwarmsUnavailableError: they can't be loaded now.
        """
        ...

    async def max_memory(self) -> int:
        """Return how many bytes of data all nodes together accept; 0 if there is no limit.

        Raises:
            SwarmsUnavailableError: Redis can't be reached.
        """
        ...

    def shard_of(self, key_hash: bytes) -> int:
        """Return the shard for a key's facts, always the same one."""
        ...

    async def close(self) -> None:
        """Drop all connections."""
        ...


async def execute_scripts(server: Server, commands: Sequence[Command]) -> list[Reply]:
    """Execute commands. Those whose script the server has forgotten are repeated once it is loaded again.

    Raises:
        SwarmsUnavailableError: as :meth:`Server.execute`.
    """
    replies = await server.execute(commands)
    missed = [at for at, reply in enumerate(replies) if isinstance(reply, Refusal) and reply.code == "NOSCRIPT"]
    if missed:
        await server.load_scripts()
        again = await server.execute([commands[at] for at in missed])
        for at, reply in zip(missed, again, strict=True):
            replies[at] = reply
    return replies
