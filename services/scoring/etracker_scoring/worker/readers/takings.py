"""What address prefixes take within an hour: torrents and lists, for operators."""

import time

from prometheus_client import Gauge
from structlog import get_logger

from etracker_scoring.errors import StreamsUnavailableError
from etracker_scoring.worker.batch import Batch
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.store import Rows
from etracker_scoring.worker.takings import Names, RedisTakings, Takings, add_up
from etracker_shared.agreements.secret_names import PAIR_SECRET

FIND_SECRET = "SELECT value FROM secrets WHERE name = $1"  # noqa: S105 - a statement

log = get_logger("takings")


class TakingsReader(Reader[None, Takings]):
    """Counts in Redis, once a batch is stored. A worker that is killed in that moment leaves its batch uncounted.

    ``most``: shows the largest number of torrents that a prefix took in the current hour.
    """

    def __init__(self, takings: RedisTakings, most: Gauge) -> None:
        self._takings = takings
        self._most = most
        self._names: Names | None = None
        self._uncounted: Takings = {}
        self._hour = 0

    async def load(self, batch: Batch, rows: Rows) -> None:  # noqa: ARG002 - see Reader
        """Load the secret, once."""
        if self._names is None:
            found = await rows.fetch(FIND_SECRET, PAIR_SECRET)
            self._names = Names(found[0]["value"])

    def read(self, batch: Batch, known: None) -> Takings:  # noqa: ARG002 - see Reader
        """Add up the facts, including those of keys that aren't registered: their announces may have got a list."""
        takings: Takings = {}
        for entry in batch.entries:
            if entry.facts:
                add_up(entry.facts, takings)
        return takings

    async def store(self, changes: Takings, rows: Rows) -> None:
        """Write nothing to Postgres."""

    def committed(self, changes: Takings) -> None:
        """Remember what to count."""
        self._uncounted = changes

    async def publish(self) -> None:
        """Count in Redis. If Redis refuses, the batch remains uncounted: facts must not wait for this."""
        now = time.time()
        hour = int(now // 3600)
        uncounted, self._uncounted = self._uncounted, {}
        if hour != self._hour:
            self._most.set(0)
            self._hour = hour
        try:
            await self._count(uncounted, now, hour)
        except StreamsUnavailableError as error:
            log.warning("takings_not_counted", error=str(error))

    async def _count(self, uncounted: Takings, now: float, hour: int) -> None:
        for of_hour, prefixes in uncounted.items():
            if self._names and of_hour >= hour - 1:  # nobody is shown older ones
                named = {self._names.of(prefix): taking for prefix, taking in prefixes.items()}
                await self._takings.add(of_hour, named, now)
        if hour in uncounted:
            self._most.set(await self._takings.most(hour))
