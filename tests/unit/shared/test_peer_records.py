import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.domain.swarm import RECORD
from etracker_shared.agreements.peer_records import LAYOUT, PeerFlag, PeerRecord, unpack_records

NUMBERS = st.integers(0, 2**32 - 1)
RECORDS = st.builds(
    PeerRecord,
    identity=st.binary(min_size=8, max_size=8),
    pair_hash=NUMBERS,
    left_or_age=NUMBERS,
    peer_id=st.binary(min_size=20, max_size=20),
    first_seen=NUMBERS,
    seen4=NUMBERS,
    seen6=NUMBERS,
    tier=st.integers(0, 4),
    flags=st.integers(0, 255).map(PeerFlag),
    endpoint4=st.binary(min_size=6, max_size=6),
    endpoint6=st.binary(min_size=18, max_size=18),
)


@given(st.lists(RECORDS, max_size=3), st.binary(max_size=LAYOUT.size - 1))
def test_packed_records_are_unpacked_whatever_slack_follows(records: list[PeerRecord], slack: bytes) -> None:
    assert unpack_records(b"".join(LAYOUT.pack(*record) for record in records) + slack) == records


@given(RECORDS)
def test_numpy_reads_the_same_record(record: PeerRecord) -> None:
    packed = LAYOUT.pack(*record)
    assert RECORD.itemsize == LAYOUT.size == len(packed)
    (read,) = np.frombuffer(packed, dtype=RECORD)
    assert read["identity"].tobytes() == record.identity
    assert read["endpoint6"].tobytes() == record.endpoint6
    numbers = ("pair_hash", "left_or_age", "first_seen", "seen4", "seen6", "tier", "flags")
    assert [int(read[name]) for name in numbers] == [int(getattr(record, name)) for name in numbers]
