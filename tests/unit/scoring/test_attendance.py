"""In which blocks sessions announced: kept with every announce, also across long silences and restarts."""

from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.worker.records import Session
from etracker_scoring.worker.sessions import settle
from etracker_shared.agreements.anomalies import BLOCK_SECONDS
from tests.support.facts import make_fact

BLOCK_MS = BLOCK_SECONDS * 1000
MOST = 2**63 - 1


def blocks_of(bitmap: int, last: int) -> set[int]:
    return {last - bit for bit in range(64) if bitmap >> bit & 1}


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 2), st.booleans()), min_size=1, max_size=30))
def test_bitmaps_say_in_which_blocks_a_session_announced_and_in_which_it_seeded(
    steps: list[tuple[int, int, bool]],
) -> None:
    session: Session | None = None
    block, present, seeded = 1000, set[int](), set[int]()
    for number, (passed, up, seeds) in enumerate(steps):
        block += passed
        fact = make_fact(at_ms=block * BLOCK_MS + number, uploaded=up * number, left=0 if seeds else 5)
        settlement = settle(session, fact)
        assert settlement
        session = settlement.session
        present.add(block)
        if seeds:
            seeded.add(block)
        assert blocks_of(session.present, block) == {at for at in present if block - at < 64}
        assert blocks_of(session.seeded, block) == {at for at in seeded if block - at < 64}
        assert -MOST - 1 <= session.present <= MOST
