"""Raw facts, kept for ``ETRACKER_FACT_RETENTION_DAYS``."""

from collections.abc import Iterator
from datetime import UTC, datetime

from etracker_scoring.worker.batch import Batch
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.store import Rows
from etracker_shared.agreements.facts import fact_size

Changes = list[tuple[datetime, bytes]]


class RawFactsReader(Reader[None, Changes]):
    """Stores every fact that was read, including those that don't count."""

    async def load(self, batch: Batch, rows: Rows) -> None:
        """Load nothing."""

    def read(self, batch: Batch, known: None) -> Changes:  # noqa: ARG002 - see Reader
        """Return each fact's time and bytes."""
        return list(_raw_facts(batch))

    async def store(self, changes: Changes, rows: Rows) -> None:
        """Append the facts to their table."""
        await rows.copy("facts", ("at", "fact"), changes)


def _raw_facts(batch: Batch) -> Iterator[tuple[datetime, bytes]]:
    for entry in batch.entries:
        size = fact_size(entry.packed) if entry.facts else 0
        for index, fact in enumerate(entry.facts or ()):
            packed = entry.packed[index * size : (index + 1) * size]
            yield datetime.fromtimestamp(fact.at_ms / 1000, UTC), packed
