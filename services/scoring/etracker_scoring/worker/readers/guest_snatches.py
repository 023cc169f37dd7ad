"""Snatches of guests by address prefix: anyone can pose as many guests, so only a few per prefix are counted."""

from collections import Counter

from etracker_scoring.worker.batch import Batch
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.records import PrefixKey
from etracker_scoring.worker.store import Rows

ADD_GUEST_SNATCHES = """
INSERT INTO guest_snatches AS stored (info_hash_id, prefix, number)
SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::integer[])
ON CONFLICT (info_hash_id, prefix) DO UPDATE SET number = stored.number + excluded.number, last_time = now()
"""

Changes = Counter[PrefixKey]


class GuestSnatchesReader(Reader[None, Changes]):
    """Remembers how many snatches of guests were counted."""

    shares_rows = True

    async def load(self, batch: Batch, rows: Rows) -> None:
        """Load nothing: the batch has the counts."""

    def read(self, batch: Batch, known: None) -> Changes:  # noqa: ARG002 - see Reader
        """Return the snatches of this batch."""
        return Counter((item.torrent.id, item.fact.prefix) for item in batch.facts if item.snatched and not item.key)

    async def store(self, changes: Changes, rows: Rows) -> None:
        """Add the snatches to the stored counts."""
        added = [(*prefix, number) for prefix, number in sorted(changes.items())]
        await rows.write("guest_snatches", ADD_GUEST_SNATCHES, added)
