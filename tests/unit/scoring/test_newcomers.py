"""Grace and stain: what an address prefix means for a new key."""

from itertools import permutations

import pytest

from etracker_scoring.scores.formula import DAY, NEW_KEY, ScoreParameters
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.newcomers import Neighbour, Newcomer, decide_origins
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier

DEFAULTS = ScoreParameters()
NOW = 20_000 * DAY
HOME, ELSEWHERE = b"\x04home\x00\x00", b"\x04else\x00\x00"


def neighbour(number: int, origin: Origin, *, snatches: int = 0, held: Tier = Tier.LITTLE_HISTORY) -> Neighbour:
    assert origin.since is not None
    history = NEW_KEY._replace(at_seconds=origin.since, snatches=snatches, owed=float(snatches))
    key = Key(number, KeyHash(bytes(16)), history, HeldTier(held, origin.since), origin)
    return Neighbour(key, HOME, last_seen=origin.since)


def graced(days_ago: float) -> Neighbour:
    return neighbour(90, Origin(grace=True, since=NOW - days_ago * DAY))


def hit_and_run(days_ago: float) -> Neighbour:
    return neighbour(91, Origin(since=NOW - days_ago * DAY), snatches=3)


def test_the_first_key_of_a_prefix_gets_the_grace_and_the_second_none() -> None:
    result = decide_origins(
        [Newcomer(1, HOME, NOW), Newcomer(2, HOME, NOW + 1), Newcomer(3, ELSEWHERE, NOW)], [], DEFAULTS
    )
    assert {key_id for key_id, origin in result.by_key.items() if origin.grace} == {1, 3}
    assert result.by_key[2] == Origin(since=NOW + 1)


@pytest.mark.parametrize(("days_ago", "grace"), [(29.9, False), (30.1, True)])
def test_a_prefix_gives_one_grace_in_thirty_days(days_ago: float, grace: bool) -> None:
    assert decide_origins([Newcomer(1, HOME, NOW)], [graced(days_ago)], DEFAULTS).by_key[1].grace is grace


def test_whose_fact_comes_first_does_not_matter_to_who_gets_the_grace() -> None:
    earlier, later = Newcomer(1, HOME, NOW - DAY), Newcomer(90, HOME, NOW)
    for first, second in permutations([earlier, later]):
        result = decide_origins([first], [], DEFAULTS)
        known = neighbour(first.key_id, result.by_key[first.key_id])
        result = decide_origins([second], [known], DEFAULTS)
        holders = ({first.key_id} - result.overtaken.keys()) | {
            at for at, origin in result.by_key.items() if origin.grace
        }
        assert holders == {1}


def test_a_new_key_from_a_free_riders_prefix_is_stained_and_uses_up_no_grace() -> None:
    result = decide_origins([Newcomer(1, HOME, NOW)], [hit_and_run(days_ago=2)], DEFAULTS)
    assert result.by_key[1] == Origin(grace=False, stained=True, since=NOW)


def test_nobody_is_stained_by_a_neighbour_who_may_still_start_to_seed() -> None:
    assert not decide_origins([Newcomer(1, HOME, NOW)], [hit_and_run(days_ago=0.5)], DEFAULTS).by_key[1].stained


def test_a_free_rider_is_forgotten_after_thirty_days() -> None:
    assert not decide_origins([Newcomer(1, HOME, NOW)], [hit_and_run(days_ago=31)], DEFAULTS).by_key[1].stained


def test_who_is_only_stained_stains_nobody() -> None:
    stained = neighbour(92, Origin(stained=True, since=NOW - 2 * DAY), held=Tier.FREE_RIDER)
    assert not decide_origins([Newcomer(1, HOME, NOW)], [stained], DEFAULTS).by_key[1].stained
