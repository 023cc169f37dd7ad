"""Sessions: one row of ``announces`` for each client instance, with its base and its credits."""

from collections.abc import Mapping

from etracker_scoring.worker.batch import Batch
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.records import Session, SessionKey
from etracker_scoring.worker.store import Rows

UPDATE_SESSIONS = """
UPDATE announces SET last_seen = to_timestamp(new.last_seen), uploaded = new.uploaded, downloaded = new.downloaded,
    amount_left = new.amount_left, corrupt = new.corrupt, redundant = new.redundant, event = new.event,
    uploaded_credit = new.uploaded_credit, downloaded_credit = new.downloaded_credit,
    seeding_seconds = new.seeding_seconds, snatched = new.snatched, place = new.place, others = new.others,
    most_left = new.most_left, taken = new.taken, present = new.present, seeded = new.seeded
FROM unnest($1::bigint[], $2::float8[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
    $8::smallint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::boolean[], $13::bigint[], $14::bytea[],
    $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[])
    new (id, last_seen, uploaded, downloaded, amount_left, corrupt, redundant, event, uploaded_credit,
    downloaded_credit, seeding_seconds, snatched, place, others, most_left, taken, present, seeded)
WHERE announces.id = new.id
"""

INSERT_SESSIONS = """
INSERT INTO announces (key_id, info_hash_id, peer_id, first_seen, last_seen, uploaded, downloaded, amount_left, corrupt,
    redundant, event, uploaded_credit, downloaded_credit, seeding_seconds, snatched, place, others, most_left, taken,
    present, seeded)
SELECT key_id, info_hash_id, peer_id, to_timestamp(began), to_timestamp(ended), uploaded, downloaded, amount_left,
    corrupt, redundant, event, uploaded_credit, downloaded_credit, seeding_seconds, snatched, place, others, most_left,
    taken, present, seeded
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::float8[], $5::float8[], $6::bigint[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::smallint[], $12::bigint[], $13::bigint[], $14::bigint[],
    $15::boolean[], $16::bigint[], $17::bytea[], $18::bigint[], $19::bigint[], $20::bigint[],
    $21::bigint[])
    new (key_id, info_hash_id, peer_id, began, ended, uploaded, downloaded, amount_left, corrupt, redundant, event,
    uploaded_credit, downloaded_credit, seeding_seconds, snatched, place, others, most_left, taken, present, seeded)
"""

Changes = Mapping[SessionKey, Session]
"""Every session that changed, as it is after the last fact."""


class SessionsReader(Reader[None, Changes]):
    """Stores the states with which the next facts are compared."""

    async def load(self, batch: Batch, rows: Rows) -> None:
        """Load nothing: the batch has the sessions."""

    def read(self, batch: Batch, known: None) -> Changes:  # noqa: ARG002 - see Reader
        """Return the last state of each session."""
        return batch.sessions

    async def store(self, changes: Changes, rows: Rows) -> None:
        """Update the rows that exist, insert the others."""
        stored, new = [], []
        for key, (row, first_seen, last_seen, *values) in changes.items():
            if row is None:
                new.append((*key, first_seen / 1000, last_seen / 1000, *values))
            else:
                stored.append((row, last_seen / 1000, *values))
        await rows.write("announces", UPDATE_SESSIONS, stored)
        await rows.write("announces", INSERT_SESSIONS, new)
