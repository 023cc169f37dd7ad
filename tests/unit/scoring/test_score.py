import math
import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.scores.formula import (
    DAY,
    GIB,
    NEW_KEY,
    NEW_TORRENT,
    KeyHistory,
    ScoreParameters,
    SeedingAnnounce,
    TorrentHistory,
    decay,
    record_announce,
    score_of,
    seeding_weight,
)

DEFAULTS = ScoreParameters()
PLAIN = ScoreParameters(gibibyte_weight=1.0)
"""For numbers computed by hand."""

START = 20_000 * DAY


@dataclass(frozen=True)
class Announced:
    """Days after the start: when, and since when it witnesses seeding."""

    day: float
    seeded_from: float | None = None
    torrent: str = "a"
    gibibytes: float | None = 1.0
    prefixes: int = 1
    snatched: bool = False
    wanted: bool = True


def replay(announces: list[Announced], key: KeyHistory = NEW_KEY, parameters: ScoreParameters = PLAIN) -> KeyHistory:
    torrents: dict[str, TorrentHistory] = {}
    for said in announces:
        announce = SeedingAnnounce(
            at_seconds=START + said.day * DAY,
            seeded_from=None if said.seeded_from is None else START + said.seeded_from * DAY,
            snatched=said.snatched,
            seeding_prefixes=said.prefixes,
            length_bytes=None if said.gibibytes is None else int(said.gibibytes * GIB),
            interval_seconds=DAY,
            wanted=said.wanted,
        )
        before = torrents.get(said.torrent, NEW_TORRENT)
        key, torrents[said.torrent] = record_announce(key, before, announce, parameters)
    return key


# Computed by hand from the formulas: w, C7, C28, days, n and g of each key are in the comment above its score.
HISTORIES: dict[str, tuple[list[Announced], float, float]] = {
    # nothing at all
    "silent": ([], 0.0, 0.000000),
    # w = 2 * 3; C7 = 6 ln2 / 7; C28 = 6 ln2 / 28; 1 day
    "alone with 4 GiB for a day": ([Announced(1, 0, gibibytes=4)], 1.0, 6.842413),
    # the same a week later: C7 halved, C28 * 2^(-1/4), 1 day * 2^(-7/60)
    "the same a week ago": ([Announced(1, 0, gibibytes=4)], 8.0, 4.150047),
    # w = 1 * (1 + 2 / 2); two days, the first decayed by one
    "unknown size among four": (
        [Announced(1, 0, gibibytes=None, prefixes=4), Announced(2, 1, gibibytes=None, prefixes=4)],
        2.0,
        5.410525,
    ),
    # w = 0.25 (the least) * (1 + 2 / 4)
    "16 MiB among seven": ([Announced(1, 0, gibibytes=1 / 64, prefixes=7)], 1.0, 1.090854),
    # w = 8 (the most) * (1 + 2 / 32)
    "100 GiB among sixteen": ([Announced(1, 0, gibibytes=100, prefixes=16)], 1.0, 9.082281),
    # n = 3 / 2 after a half-life, nothing seeded
    "hit and run": ([Announced(0, torrent=name, snatched=True) for name in "abc"], 60.0, 0.000000),
    # w = 3; half a day; n = 2^(-1/120), g = 1/2
    "half of the debt paid": ([Announced(0, snatched=True), Announced(0.5, 0)], 0.5, 1.625769),
    # w = 3; two days; n = 2^(-2/60), g = 2^(-1/60): paid later, so worth a little more
    "paid and seeding on": ([Announced(0, snatched=True), Announced(1, 0), Announced(2, 1)], 2.0, 7.266286),
    # w = 3 and 6 at once: one day of seeding, not two; n = 1, g = 0
    "two at once": ([Announced(1, 0), Announced(1, 0, torrent="b", gibibytes=4, snatched=True)], 1.0, 5.943857),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_scores_what_the_formulas_say_by_hand(name: str) -> None:
    announces, day, expected = HISTORIES[name]
    assert score_of(replay(announces), START + day * DAY, PLAIN).total == pytest.approx(expected, abs=5e-7)


def test_two_instances_seeding_one_torrent_are_credited_once() -> None:
    twice = replay([Announced(1, 0), Announced(1, 0)])
    assert twice == replay([Announced(1, 0)])


def test_seeding_does_not_pay_a_debt_twice() -> None:
    key = replay([Announced(0, snatched=True), *(Announced(day, day - 1) for day in range(1, 6))])
    assert decay(key, START + 5 * DAY, PLAIN).paid == pytest.approx(2 ** (-4 / 60))


def test_the_parts_of_a_score_add_up_at_best_conduct() -> None:
    score = score_of(replay([Announced(1, 0, gibibytes=4)]), START + DAY, PLAIN)
    assert score.conduct == 1.0
    assert score.total == pytest.approx(score.recent + score.average + score.length)


def test_months_of_seeding_ten_torrents_score_near_the_top() -> None:
    announces = [Announced(d, d - 1, torrent=str(t), gibibytes=4) for d in range(1, 120) for t in range(10)]
    assert score_of(replay(announces), START + 119 * DAY, PLAIN).total > 90


def test_weight_grows_with_size_and_falls_with_the_number_of_seeders() -> None:
    assert seeding_weight(int(4 * GIB), 1, DEFAULTS) == pytest.approx(18.0)
    assert seeding_weight(int(4 * GIB), 4, DEFAULTS) == pytest.approx(12.0)
    assert seeding_weight(None, 1, DEFAULTS) == pytest.approx(9.0)
    assert seeding_weight(0, 0, DEFAULTS) == pytest.approx(2.25)


@given(st.integers(0, 2**50), st.integers(1, 16))
def test_a_torrent_that_nobody_wants_earns_no_bonus_and_what_its_only_seeder_earned_before(
    length: int, prefixes: int
) -> None:
    unwanted = seeding_weight(length, prefixes, DEFAULTS, wanted=False)
    assert unwanted == pytest.approx(seeding_weight(length, 1, PLAIN))
    assert unwanted < seeding_weight(length, prefixes, DEFAULTS)


def seeding(torrents: int, days: int, *, wanted: bool) -> list[Announced]:
    return [
        Announced(day, day - 1, torrent=str(torrent), gibibytes=100, wanted=wanted)
        for day in range(1, days + 1)
        for torrent in range(torrents)
    ]


def test_thousands_of_claims_earn_no_more_than_a_dozen() -> None:
    """The kind: what a key is credited is bounded, however many torrents it claims to seed."""
    dozen, thousands = (replay(seeding(torrents, 3, wanted=False), parameters=DEFAULTS) for torrents in (12, 3000))
    assert thousands.recent == pytest.approx(dozen.recent)
    bound = DEFAULTS.largest_total_weight * 5 * DAY  # three days, and what the bucket held
    assert thousands.recent < bound * math.log(2) / 7 / DAY
    assert thousands.length_days == dozen.length_days


def test_a_key_that_was_away_is_credited_two_intervals_at_most() -> None:
    away = replay(seeding(3000, 1, wanted=False), parameters=DEFAULTS)
    later = [Announced(said.day + 300, said.day + 299, said.torrent, 100) for said in seeding(3000, 1, wanted=True)]
    back = replay(later, away, DEFAULTS)
    gained = back.recent - decay(away, back.at_seconds, DEFAULTS).recent
    assert gained == pytest.approx(DEFAULTS.largest_total_weight * 2 * math.log(2) / 7)


CLAIMS = st.dictionaries(st.tuples(st.integers(0, 30), st.integers(0, 400)), st.booleans(), min_size=1, max_size=300)


@given(CLAIMS, st.randoms(use_true_random=False))
def test_no_order_of_facts_credits_more_than_the_bound(claims: dict[tuple[int, int], bool], rng: random.Random) -> None:
    announces = [Announced(day, day - 1, str(torrent), 100, wanted=wanted) for (day, torrent), wanted in claims.items()]
    rng.shuffle(announces)
    lasting = ScoreParameters(recent_half_life_days=1e9)  # nothing fades
    credited = replay(announces, parameters=lasting).recent * 1e9 / math.log(2)
    days = max(day for day, _ in claims) - min(day for day, _ in claims)
    assert credited <= lasting.largest_total_weight * (days + 2) * (1 + 1e-6)


SESSIONS = st.lists(
    st.tuples(
        st.floats(0, 200),
        st.floats(0, 1),
        st.sampled_from("abc"),
        st.floats(0.01, 100),
        st.integers(1, 16),
        st.booleans(),
    ),
    max_size=20,
)


@given(SESSIONS)
def test_a_score_is_between_0_and_100_and_its_conduct_between_0_and_1(
    sessions: list[tuple[float, float, str, float, int, bool]],
) -> None:
    key = replay([Announced(s[0], s[0] - s[1], s[2], s[3], s[4], s[5]) for s in sorted(sessions)])
    score = score_of(key, START + 201 * DAY, DEFAULTS)
    assert 0 <= score.total <= 100
    assert 0 < score.conduct <= 1


@given(st.lists(st.tuples(st.integers(1, 100), st.floats(0.1, 16)), min_size=1, max_size=12, unique_by=lambda x: x[0]))
def test_the_order_in_which_facts_of_torrents_arrive_does_not_matter(sessions: list[tuple[int, float]]) -> None:
    announces = [Announced(day, day - 1, torrent=str(day), gibibytes=size) for day, size in sessions]
    forwards = decay(replay(sorted(announces, key=lambda said: said.day)), START + 101 * DAY, DEFAULTS)
    any_order = decay(replay(announces), START + 101 * DAY, DEFAULTS)
    assert any_order.recent == pytest.approx(forwards.recent, rel=1e-12)
    assert any_order.average == pytest.approx(forwards.average, rel=1e-12)


@given(st.floats(0, 100), st.floats(0, 100))
def test_decaying_in_two_steps_is_decaying_in_one(first: float, second: float) -> None:
    key = replay([Announced(1, 0, snatched=True)])
    stepwise = decay(
        decay(key, key.at_seconds + first * DAY, DEFAULTS), key.at_seconds + (first + second) * DAY, DEFAULTS
    )
    at_once = decay(key, key.at_seconds + (first + second) * DAY, DEFAULTS)
    assert stepwise.recent == pytest.approx(at_once.recent, rel=1e-9)
    assert stepwise.owed == pytest.approx(at_once.owed, rel=1e-9)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"recent_half_life_days": 0.0}, "recent_half_life_days must be more than 0"),
        ({"debt_hours": -1.0}, "debt_hours must be a number of at least 0"),
        ({"rarity_bonus": math.nan}, "rarity_bonus must be a number"),
        ({"recent_share": 0.6}, "must add up to 1"),
        ({"strong_score": 70.0}, "must rise"),
        ({"smallest_weight": 9.0}, "smallest_weight must not be more"),
        ({"unpaid_factor": 1.5}, "must not be more than 1"),
        ({"snatch_threshold": 1.5}, "must not be more than 1"),
        ({"strong_days": 15.0}, "strong_days must not be more than long_term_days"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_with_a_sentence(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ScoreParameters(**wrong)  # type: ignore[arg-type]
