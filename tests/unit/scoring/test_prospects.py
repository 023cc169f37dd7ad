"""What would raise a tier, and when."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etracker_scoring.scores.formula import (
    DAY,
    GIB,
    NEW_KEY,
    KeyHistory,
    ScoreParameters,
    SeedingAnnounce,
    TorrentHistory,
    decay,
    record_announce,
    score_of,
)
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.prospects import OwnedTorrent, Pace, continued, pace_of, prospect_of
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier

DEFAULTS = ScoreParameters()
NOW = 20_000 * DAY


def key_with(history: KeyHistory = NEW_KEY, tier: Tier = Tier.LITTLE_HISTORY, origin: Origin | None = None) -> Key:
    return Key(1, KeyHash(bytes(16)), history, HeldTier(tier), origin or Origin(since=NOW - 50 * DAY))


def owned(gibibytes: float = 4.0, *, seeding: bool = True, owes_days: float = 0.0) -> OwnedTorrent:
    return OwnedTorrent(int(gibibytes * GIB), 1, seeding, owes_days * DAY)


@settings(deadline=None)  # the first example also pays for what is imported late
@given(st.floats(0.5, 60), st.floats(0, 3), st.integers(0, 3))
def test_what_is_foretold_is_what_announces_then_add_up_to(days: float, owes_days: float, snatches: int) -> None:
    start = NEW_KEY._replace(at_seconds=NOW, recent=1.0, average=2.0, length_days=3.0, owed=float(snatches))
    torrents = [owned(owes_days=owes_days)]
    foretold = continued(start, pace_of(torrents, DEFAULTS), NOW, days, DEFAULTS)
    key, torrent, steps = start._replace(seeded_until=NOW), TorrentHistory(owes_days * DAY, NOW), 400
    for step in range(1, steps + 1):
        then, before = (NOW + at / steps * days * DAY for at in (step, step - 1))
        announce = SeedingAnnounce(then, before, snatched=False, seeding_prefixes=1, length_bytes=int(4 * GIB))
        key, torrent = record_announce(key, torrent, announce, DEFAULTS)
    reached = decay(key, NOW + days * DAY, DEFAULTS)
    for name in ("recent", "average", "length_days", "owed", "paid"):
        assert getattr(foretold, name) == pytest.approx(getattr(reached, name), rel=1e-2, abs=1e-3)


def test_who_seeds_enough_is_told_when_the_next_tier_comes() -> None:
    prospect = prospect_of(key_with(), [owned()], NOW, DEFAULTS)
    assert prospect is not None
    assert (prospect.tier, prospect.score_needed) == (Tier.CONTRIBUTOR, 15.0)
    assert prospect.advice == "Keep seeding what you seed now to become a contributor."
    assert prospect.expected_at is not None
    pace = pace_of([owned()], DEFAULTS)
    days = (prospect.expected_at - NOW) / DAY
    before, after = (continued(NEW_KEY, pace, NOW, at, DEFAULTS) for at in (days - 0.25, days))
    assert score_of(before, 0, DEFAULTS).total < 15.0 <= score_of(after, 0, DEFAULTS).total


def test_who_seeds_too_little_is_told_where_that_ends() -> None:
    torrents = [owned(0.01, owes_days=1)._replace(wanted=False), owned(1, seeding=False, owes_days=1)]
    prospect = prospect_of(key_with(), torrents, NOW, ScoreParameters(steady_score=36))
    assert prospect is not None
    assert prospect.expected_at is None
    assert prospect.advice.startswith("What you seed now levels off at 30 points")
    assert prospect.advice.endswith("Begin with the torrent that you fetched and left.")


def test_who_seeds_nothing_is_told_to_begin_with_what_it_owes() -> None:
    idle = prospect_of(key_with(), [], NOW, DEFAULTS)
    debtor = prospect_of(key_with(), [owned(seeding=False, owes_days=1)] * 2, NOW, DEFAULTS)
    assert idle is not None
    assert debtor is not None
    assert (idle.expected_at, debtor.expected_at) == (None, None)
    assert idle.advice == "Seed something. Large torrents and those that others download and few seed count most."
    assert debtor.advice == "Seed the 2 torrents that you fetched and left: each snatch owes a day of seeding."


def test_a_free_riders_debts_are_forgotten_in_time_and_sooner_if_it_pays() -> None:
    history = KeyHistory(at_seconds=NOW - 2 * DAY, owed=3.0, snatches=3)
    free_rider = key_with(history, Tier.FREE_RIDER)
    waiting = prospect_of(free_rider, [owned(seeding=False, owes_days=1)] * 3, NOW, DEFAULTS)
    paying = prospect_of(free_rider, [owned(0.01, owes_days=1)] * 3, NOW, DEFAULTS)
    assert waiting is not None
    assert paying is not None
    assert waiting.expected_at is not None
    assert paying.expected_at is not None
    assert (waiting.tier, paying.tier) == (Tier.LITTLE_HISTORY, Tier.LITTLE_HISTORY)
    assert paying.expected_at - NOW < DAY < 60 * DAY < waiting.expected_at - NOW


def test_there_is_nothing_above_the_top() -> None:
    history = KeyHistory(at_seconds=NOW, recent=30.0, average=30.0, length_days=30.0)
    assert prospect_of(key_with(history, Tier.LONG_TERM_SEEDER), [owned()], NOW, DEFAULTS) is None


def test_a_pace_counts_what_is_seeded_now() -> None:
    torrents = [owned(4), owned(1), owned(9, seeding=False, owes_days=1), owned(1, owes_days=0.5)]
    assert pace_of(torrents, DEFAULTS) == Pace(weight=18.0 + 9.0 + 9.0, debts=[0.5])


def test_a_pace_counts_no_more_than_the_largest_total_weight() -> None:
    assert pace_of([owned(64)] * 100, DEFAULTS).weight == DEFAULTS.largest_total_weight


def test_a_pace_has_no_bonus_for_torrents_that_nobody_downloads() -> None:
    assert pace_of([owned(4)._replace(wanted=False)], DEFAULTS).weight == 6.0


@pytest.mark.parametrize(
    ("days", "words"), [(1.0, "takes 2 more days of seeding"), (2.5, "takes 1 more day of seeding")]
)
def test_whoever_has_the_score_but_not_the_days_is_told_how_many_are_missing(days: float, words: str) -> None:
    history = KeyHistory(NOW, recent=30.0, average=30.0, length_days=days, seeding_seconds=days * DAY)
    prospect = prospect_of(key_with(history, Tier.CONTRIBUTOR), [owned()], NOW, DEFAULTS)
    assert prospect is not None
    assert prospect.days_missing == 3.0 - days
    assert words in prospect.advice
    assert prospect.expected_at == NOW + prospect.days_missing * DAY
