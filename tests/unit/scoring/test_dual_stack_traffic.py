"""A client that announces one counter over two address families transferred it once: for keys and for guests."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.detection.blocks import spread
from etracker_scoring.scores.keys import Key
from etracker_scoring.worker.admission import admit
from etracker_scoring.worker.batch import Stored, settle_facts
from etracker_scoring.worker.observations import observe, says_something
from etracker_scoring.worker.readers.anomalies import content_of, identity_of
from etracker_scoring.worker.records import Torrent
from etracker_shared.agreements.facts import Fact
from etracker_shared.language.identity import hash_announce_key
from tests.support.detection import HALF_HOUR, PIECE, SIZE, Watch
from tests.support.facts import info_hash_of, make_fact

TORRENT = Torrent(1, SIZE, piece_length=PIECE, private=True)
STEPS = st.lists(st.tuples(st.integers(0, 2**28), st.integers(0, 2**26), st.booleans()), min_size=2, max_size=12)


def announces(steps: list[tuple[int, int, bool]], *, both: bool, guest: bool) -> list[Fact]:
    """Return a leecher's announces over IPv4 and, if ``both``, over IPv6 in the steps that say so."""
    who = {"guest": b"-qB5110-abcdefghijkl"} if guest else {"key": "alice"}
    facts, uploaded, downloaded = [], 0, 0
    for number, (sent, received, again) in enumerate(steps):
        uploaded, downloaded = uploaded + sent, downloaded + received
        counters = {"uploaded": uploaded, "downloaded": downloaded, "left": SIZE - downloaded}
        facts.append(make_fact(**who, at=number * HALF_HOUR, address="IPv4", **counters))
        if both and again:
            facts.append(make_fact(**who, at=number * HALF_HOUR + 1, address="IPv6", **counters))
    return facts


def transferred(facts: list[Fact]) -> tuple[int, int, int]:
    """Return what is added to the swarm's blocks."""
    sums: Counter[int] = Counter()
    keys = {hash_announce_key("alice"): Key(1, hash_announce_key("alice"))}
    admitted, _ = admit(facts, keys, {info_hash_of("film"): TORRENT})
    for item in settle_facts(admitted, Stored()).facts:
        assert identity_of(item)
        if says_something(item):
            for _, traffic in spread(observe(item), content_of(TORRENT)):
                sums.update(dict(enumerate(traffic)))
    return sums[0], sums[1], sums[2]


@pytest.mark.parametrize("guest", [False, True])
@given(steps=STEPS)
def test_what_is_reported_over_two_families_is_added_once(steps: list[tuple[int, int, bool]], guest: bool) -> None:
    once = transferred(announces(steps, both=False, guest=guest))
    assert transferred(announces(steps, both=True, guest=guest)) == once
    assert once[0] == sum(sent for sent, _, _ in steps[1:])


@given(steps=STEPS)
def test_a_client_on_two_families_gives_no_evidence_that_it_would_not_give_on_one(
    steps: list[tuple[int, int, bool]],
) -> None:
    one, two = Watch(), Watch()
    one.see(announces(steps, both=False, guest=False))
    two.see(announces(steps, both=True, guest=False))
    assert two.kinds() <= one.kinds()
