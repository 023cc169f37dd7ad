"""PROTOCOL 19: what clients are told about tiers is a text on which programs act."""

from itertools import permutations

import pytest

from etracker_announce.domain.texts import MAX_TEXT_BYTES, forbidden_words, one_line
from etracker_scoring.domain.notices import tier_notice
from etracker_shared.tiers import Tier


@pytest.mark.parametrize(("before", "after"), list(permutations(Tier, 2)))
def test_every_notice_is_one_short_line_that_says_nothing_clients_act_upon(before: Tier, after: Tier) -> None:
    """PROTOCOL 12 and 19."""
    text = tier_notice(before, after)
    assert forbidden_words(text) == []
    assert one_line(text) == text.encode()
    assert len(text) <= MAX_TEXT_BYTES
    assert f"tier {after.value} " in text
