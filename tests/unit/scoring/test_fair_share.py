"""How many shards a worker takes."""

from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.worker.leadership import fair_share
from etracker_shared.agreements.facts import SHARDS

backends = st.sets(st.integers(1, 2**22), min_size=1, max_size=40)


@given(backends)
def test_shares_add_up_to_all_shards_and_differ_by_one_at_most(present: set[int]) -> None:
    shares = [fair_share(present, own) for own in present]
    assert sum(shares) == SHARDS
    assert max(shares) - min(shares) <= 1


@given(backends)
def test_a_worker_that_does_not_count_takes_no_share(present: set[int]) -> None:
    assert fair_share(present, 0) == 0
