"""Grace and stain: what an address prefix means for a new key."""

from itertools import permutations

import pytest

from etracker_scoring.scores.formula import DAY, NEW_KEY, ScoreParameters
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.newcomers import (
    PROMISE_SECONDS,
    Neighbour,
    Newcomer,
    Promise,
    decide_origins,
    follow_promises,
)
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


def test_a_promised_grace_is_its_keys_whichever_announced_first_or_is_settled_first() -> None:
    promised, other = Newcomer(2, HOME, NOW), Newcomer(1, HOME, NOW - 1)
    promises = {HOME: Promise(2, NOW - 0.5)}
    for batches in ([[promised, other]], [[other], [promised]], [[promised], [other]]):
        known: list[Neighbour] = []
        for batch in batches:
            result = decide_origins(batch, known, DEFAULTS, promises)
            known += [neighbour(key_id, origin) for key_id, origin in result.by_key.items()]
            assert not result.overtaken
            assert not result.unpromised
        assert [one.key.id for one in known if one.key.origin.grace] == [2]


def test_a_promise_to_a_key_that_never_came_keeps_nothing_from_its_neighbours_for_long() -> None:
    promises = {HOME: Promise(90, NOW - PROMISE_SECONDS)}
    result = decide_origins([Newcomer(1, HOME, NOW)], [], DEFAULTS, promises)
    assert (result.by_key[1].grace, result.unpromised) == (True, [Newcomer(1, HOME, NOW)])
    assert not decide_origins([Newcomer(1, HOME, NOW - 1)], [], DEFAULTS, promises).by_key[1].grace


def test_a_key_that_was_promised_a_grace_in_a_prefix_with_a_free_rider_is_stained() -> None:
    result = decide_origins([Newcomer(1, HOME, NOW)], [hit_and_run(days_ago=2)], DEFAULTS, {HOME: Promise(1, NOW)})
    assert result.by_key[1] == Origin(stained=True, since=NOW)


def test_a_newcomer_began_where_it_was_first_promised_a_grace() -> None:
    newcomers = {1: Newcomer(1, HOME, NOW), 2: Newcomer(2, HOME, NOW)}
    promised = [(ELSEWHERE, Promise(1, NOW - 1)), (b"later", Promise(1, NOW)), (b"other", Promise(3, NOW))]
    promised.append((b"old", Promise(2, NOW - PROMISE_SECONDS)))
    assert follow_promises(newcomers, promised) == {1: newcomers[1]._replace(prefix=ELSEWHERE), 2: newcomers[2]}
