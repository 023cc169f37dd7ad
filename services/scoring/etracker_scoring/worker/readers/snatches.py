"""Memberships: which keys download or have snatched which torrents, and what they owe for it."""

from etracker_scoring.worker.batch import Batch
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.records import Membership, MembershipKey
from etracker_scoring.worker.store import Rows

PUT_MEMBERSHIPS = """
INSERT INTO memberships (key_id, info_hash_id, first_seen, leeching, snatched_time, taken, owed_share, owed_by)
SELECT key_id, info_hash_id, to_timestamp(first_seen), leeching, to_timestamp(snatched), taken, owed_share, owed_by
FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::boolean[], $5::float8[], $6::bigint[], $7::float8[],
    $8::bytea[])
    new (key_id, info_hash_id, first_seen, leeching, snatched, taken, owed_share, owed_by)
ON CONFLICT (key_id, info_hash_id) DO UPDATE SET leeching = excluded.leeching, snatched_time = excluded.snatched_time,
    taken = excluded.taken, owed_share = excluded.owed_share, owed_by = excluded.owed_by
"""

Changes = dict[MembershipKey, Membership]
"""The memberships that are new or changed."""


class SnatchesReader(Reader[None, Changes]):
    """Stores the progress of downloads."""

    async def load(self, batch: Batch, rows: Rows) -> None:
        """Load nothing: the batch has the memberships."""

    def read(self, batch: Batch, known: None) -> Changes:  # noqa: ARG002 - see Reader
        """Return the memberships that changed."""
        last = {item.member: item.membership for item in batch.facts}
        stored = batch.stored.memberships
        return {
            member: membership
            for member, membership in last.items()
            if member and membership and membership != stored.get(member)
        }

    async def store(self, changes: Changes, rows: Rows) -> None:
        """Insert or update the memberships."""
        written = [
            (*member, first_seen / 1000, leeching, snatched and snatched / 1000, *owed)
            for member, (first_seen, leeching, snatched, *owed) in sorted(changes.items())
        ]
        await rows.write("memberships", PUT_MEMBERSHIPS, written)
