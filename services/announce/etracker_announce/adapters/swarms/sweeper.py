"""The sweeper: visits every swarm once per round, to remove expired peers and swarms that no longer get announces."""

import secrets
import time
from collections.abc import Sequence

import structlog

from etracker_announce.adapters.swarms.commands import Commands
from etracker_announce.adapters.swarms.server import Refusal, Server, execute_scripts, is_out_of_memory
from etracker_shared.agreements import redis_keys

ROUND_SECONDS = 1.0
VISITS_PER_COMMAND_BATCH = 32
RECORDS_PER_VISIT = 200
RECORDS_PER_COST = 20
"""Looking at this many records costs Redis about as much as the visit itself."""

_log = structlog.get_logger(__name__)


class Sweeper:
    """Sweep due swarms, at most ``budget`` cost units (a visit, or 20 records) per second over all replicas."""

    def __init__(self, server: Server, commands: Commands, budget: int) -> None:
        self._server = server
        self._commands = commands
        self._budget = budget
        self._token = secrets.token_hex(8).encode()

    async def take_turn(self) -> None:
        """Sweep with one second's budget, unless another replica has this second's turn.

        Raises:
            SwarmsUnavailableError: Redis can't be reached.
        """
        if await self._is_my_turn():
            await self.sweep(int(time.time()))

    async def sweep(self, now: int) -> int:
        """Visit swarms that are due at ``now`` (Unix seconds) until none is left or the budget is spent.

        Returns the number of visits.

        Raises:
            SwarmsUnavailableError: Redis can't be reached.
        """
        budget, visits = self._budget, 0
        due = await self._due(now)
        while due and budget > 0:
            turn, due = due[:VISITS_PER_COMMAND_BATCH], due[VISITS_PER_COMMAND_BATCH:]
            looked = await self._visit(turn, now)
            visits += len(turn)
            budget -= sum(1 + records // RECORDS_PER_COST for records in looked)
            due += [swarm for swarm, records in zip(turn, looked, strict=True) if records == RECORDS_PER_VISIT]
        return visits

    async def _is_my_turn(self) -> bool:
        milliseconds = int(ROUND_SECONDS * 1000) - 50
        lock = (b"SET", redis_keys.SWEEPER_LOCK, self._token, b"NX", b"PX", milliseconds)
        (reply,) = await self._server.execute([lock])
        if is_out_of_memory(reply):
            turn = self._commands.take_turn_of_full(self._token, milliseconds)
            (reply,) = await execute_scripts(self._server, [turn])
        return reply is not None and not isinstance(reply, Refusal)

    async def _due(self, now: int) -> list[bytes]:
        limit = self._budget // len(redis_keys.ALL_DUE) + 1
        replies = await self._server.execute(
            [(b"ZRANGEBYSCORE", key, b"-inf", now, b"LIMIT", 0, limit) for key in redis_keys.ALL_DUE]
        )
        return [swarm for reply in replies if not isinstance(reply, Refusal) for swarm in reply]

    async def _visit(self, swarms: Sequence[bytes], now: int) -> list[int]:
        replies = await execute_scripts(
            self._server, [self._commands.sweep(swarm, now, RECORDS_PER_VISIT) for swarm in swarms]
        )
        for reply in replies:
            if isinstance(reply, Refusal):
                _log.warning("a swarm was not swept", reason=str(reply))
        return [0 if isinstance(reply, Refusal) else reply for reply in replies]
