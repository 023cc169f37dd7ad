"""What the swarms need of a Redis, whatever its flavour: commands out, replies in, in order.

``Refusal`` is one command's error reply; ``SwarmsUnavailableError`` says that none of them was answered.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from etracker_announce.adapters.swarms.commands import Command


class Refusal(Exception):  # noqa: N818 - a reply among others, raised only where it ends something
    """An error reply: its text starts with a code, for example ``OOM`` or ``NOSCRIPT``."""

    @property
    def code(self) -> str:
        """The first word."""
        return str(self).partition(" ")[0]


Reply = Any
"""bytes, int, a list of these, None, or a :class:`Refusal`."""


def is_out_of_memory(reply: Reply) -> bool:
    """Return whether a reply is a refusal by a Redis that is full."""
    return isinstance(reply, Refusal) and reply.code == "OOM"


class Server(Protocol):
    """One Redis, or a cluster of them."""

    async def start(self) -> None:
        """Begin to connect. A server that is down doesn't fail this: it's tried until it answers."""
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
        """Return how many bytes of data the nodes take together before they refuse more; 0 if there is no limit.

        Raises:
            SwarmsUnavailableError: it can't be reached.
        """
        ...

    def shard_of(self, key_hash: bytes) -> int:
        """Choose the stream for a key's facts, always the same one."""
        ...

    async def close(self) -> None:
        """Drop all connections."""
        ...


async def execute_scripts(server: Server, commands: Sequence[Command]) -> list[Reply]:
    """Execute commands; those whose script the server has forgotten once more, after loading it.

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
