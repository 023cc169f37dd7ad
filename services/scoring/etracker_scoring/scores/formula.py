"""A key's history and the score that it earns: announced seeding time counts, bytes don't (see docs/standing.md).

Each announce costs O(1). A sum is stored as of ``at_seconds``, the time of its newest fact. An older fact is decayed
before it is added, so the order of facts doesn't matter. Times are Unix seconds.
"""

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

from etracker_shared.language.parameters import described

DAY = 86400.0
GIB = 2.0**30


@dataclass(frozen=True, slots=True)
class ScoreParameters:
    """The parameters of scores and tiers.

    Raises:
        ValueError: a parameter is invalid; the message says which, and what would be valid.
    """

    recent_half_life_days: float = described(7.0, "Days in which recent seeding loses half of its value.")
    average_half_life_days: float = described(28.0, "Days in which average seeding loses half of its value.")
    length_half_life_days: float = described(60.0, "Days in which time spent seeding loses half of its value.")
    conduct_half_life_days: float = described(
        60.0, "Days in which a snatch, seeded afterwards or not, loses half of its effect on a key's conduct."
    )
    recent_share: float = described(0.5, "Share of a score that recent seeding can earn; the three shares add up to 1.")
    average_share: float = described(
        0.3, "Share of a score that average seeding can earn; the three shares add up to 1."
    )
    length_share: float = described(
        0.2, "Share of a score that time spent seeding can earn; the three shares add up to 1."
    )
    half_way_weight: float = described(
        5.0, "Seeding weight, summed over torrents, that earns half of the recent and average parts."
    )
    full_length_days: float = described(30.0, "Days of seeding that earn all of the length part.")
    unpaid_factor: float = described(
        0.25, "Factor, from 0 to 1, for the score of a key that never seeds what it snatched."
    )
    gibibyte_weight: float = described(
        3.0, "Weight of a torrent of 1 GiB; weights are in proportion to the square root of the size in GiB."
    )
    smallest_weight: float = described(
        0.25, "Minimum of the square root of a torrent's size in GiB, as far as the torrent's weight is concerned."
    )
    largest_weight: float = described(
        8.0, "Maximum of the square root of a torrent's size in GiB, as far as the torrent's weight is concerned."
    )
    largest_total_weight: float = described(
        100.0, "Maximum seeding weight of a key, summed over its torrents: seeding beyond it earns nothing."
    )
    rarity_bonus: float = described(
        2.0,
        "Bonus for the only seeder of a torrent that somebody downloads: its weight is multiplied by 1 plus this "
        "number.",
    )
    rarity_halving: float = described(
        3.0, "Number of additional address prefixes seeding a torrent that halves the rarity bonus."
    )
    demand_intervals: float = described(
        1.0,
        "Intervals for which a download's progress counts as demand: the rarity bonus is given for seeding that "
        "began at most this long after it.",
    )
    debt_hours: float = described(24.0, "Hours of seeding owed for each snatch.")
    snatch_threshold: float = described(
        0.9, "Share of a torrent, from 0 to 1, that a key must have downloaded for a snatch, finished or not."
    )
    look_threshold: float = described(
        0.05, "Share of a torrent, from 0 to 1, up to which an unfinished download owes no seeding."
    )
    steady_score: float = described(15.0, "Score required for tier 2, from 0 to 100.")
    strong_score: float = described(38.0, "Score required for tier 3, from 0 to 100.")
    long_term_score: float = described(62.0, "Score required for tier 4, from 0 to 100.")
    strong_days: float = described(3.0, "Days of seeding required to rise to tier 3.")
    long_term_days: float = described(14.0, "Days of seeding required to rise to tier 4.")
    free_rider_conduct: float = described(
        0.5, "Share of its snatches, from 0 to 1, that a key must seed afterwards to stay out of tier 0."
    )
    free_rider_snatches: int = described(2, "Number of snatches a key must have before it can fall to tier 0.")
    grace_snatches: int = described(2, "Number of snatches that ends a newcomer's grace.")
    demotion_wait_hours: float = described(
        24.0, "Hours for which a score must stay below a tier's threshold before the tier is lost."
    )
    demotion_margin: float = described(
        3.0, "Number of points below a tier's threshold at which the tier is lost without waiting."
    )
    prefix_memory_days: float = described(
        30.0,
        "Days in which only one newcomer from an address prefix gets the grace, and in which a free-rider counts "
        "against new keys from its prefix.",
    )

    def __post_init__(self) -> None:
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{parameter.name} must be a number of at least 0, not {value}")
        for name in _POSITIVE:
            if getattr(self, name) == 0:
                raise ValueError(f"{name} must be more than 0")
        for name in _SHARES:
            if getattr(self, name) > 1:
                raise ValueError(f"{name} must not be more than 1")
        self._compare()

    def _compare(self) -> None:
        """Check the parameters that depend on each other."""
        if not math.isclose(self.recent_share + self.average_share + self.length_share, 1.0):
            raise ValueError("recent_share, average_share and length_share must add up to 1")
        if not self.smallest_weight <= self.largest_weight:
            raise ValueError("smallest_weight must not be more than largest_weight")
        if not self.steady_score < self.strong_score < self.long_term_score <= 100:
            raise ValueError("steady_score, strong_score and long_term_score must rise, and not past 100")
        if not self.strong_days <= self.long_term_days:
            raise ValueError("strong_days must not be more than long_term_days")


_POSITIVE = (
    "recent_half_life_days",
    "average_half_life_days",
    "length_half_life_days",
    "conduct_half_life_days",
    "half_way_weight",
    "full_length_days",
    "largest_total_weight",
    "rarity_halving",
    "debt_hours",
    "snatch_threshold",
)
_SHARES = ("unpaid_factor", "free_rider_conduct", "snatch_threshold", "look_threshold")


class KeyHistory(NamedTuple):
    """What a key did, over all its torrents and client instances.

    Five decaying sums as of ``at_seconds``: seeding weight with the short half-life (``recent``) and with the long one
    (``average``), days of seeding (``length_days``), debts in snatches (``owed``) and the part of them that was seeded
    afterwards (``paid``). ``drawn``: weight times seconds credited lately, which drains as time passes (see
    :func:`record_announce`). ``snatches`` and ``seeding_seconds``, the union over torrents, never decay.
    ``seeded_until``: seeding time before this moment is counted.
    """

    at_seconds: float = 0.0
    recent: float = 0.0
    average: float = 0.0
    length_days: float = 0.0
    owed: float = 0.0
    paid: float = 0.0
    drawn: float = 0.0
    snatches: int = 0
    seeding_seconds: float = 0.0
    seeded_until: float = 0.0

    @property
    def taken(self) -> float:
        """Return how many torrents the key took: snatches, or more if it left many downloads unfinished."""
        return max(self.snatches, self.owed)


class TorrentHistory(NamedTuple):
    """What a key did in one torrent: the seeding it still owes, and up to when its seeding was credited and paid."""

    debt_seconds: float = 0.0
    credited_until: float = 0.0
    paid_until: float = 0.0


class SeedingAnnounce(NamedTuple):
    """What the score needs to know about one announce of a key in a torrent.

    ``seeded_from``: start of the seeding that ends with the announce, None if there was none.
    ``snatched``: the announce counts as the key's snatch of the torrent. ``length_bytes``: None if unknown.
    ``seeding_prefixes``: distinct address prefixes that seed the torrent, this one included.
    ``wanted``: somebody else downloaded the torrent at that time. ``owed``: the part of a snatch's debt that the
    announce adds, None if that follows from ``snatched``. ``pays``: the seeding pays the debt of the torrent.
    ``partial``: it was seeding of the part that the client wanted, which pays but earns nothing.
    """

    at_seconds: float
    seeded_from: float | None
    snatched: bool
    seeding_prefixes: int
    length_bytes: int | None
    interval_seconds: float = 1800.0
    wanted: bool = True
    owed: float | None = None
    pays: bool = True
    partial: bool = False


class Score(NamedTuple):
    """A score of 0 to 100, and its parts.

    ``recent``, ``average`` and ``length`` are the points of each part before conduct; ``conduct`` is the share of
    snatches that were seeded afterwards, 0 to 1.
    """

    total: float
    recent: float
    average: float
    length: float
    conduct: float


_LN2 = math.log(2.0)
BURST_INTERVALS = 2.0
NEW_KEY = KeyHistory()
NEW_TORRENT = TorrentHistory()


def seeding_weight(
    length_bytes: int | None, seeding_prefixes: int, parameters: ScoreParameters, *, wanted: bool = True
) -> float:
    """Weigh the seeding of one torrent: by the square root of its size, and more if it is wanted and few seed it."""
    gibibytes = 1.0 if length_bytes is None else length_bytes / GIB
    size = min(max(math.sqrt(gibibytes), parameters.smallest_weight), parameters.largest_weight)
    weight = parameters.gibibyte_weight * size
    if not wanted:
        return weight
    others = max(seeding_prefixes, 1) - 1
    return weight * (1.0 + parameters.rarity_bonus * math.exp2(-others / parameters.rarity_halving))


def record_announce(
    key: KeyHistory, torrent: TorrentHistory, announce: SeedingAnnounce, parameters: ScoreParameters
) -> tuple[KeyHistory, TorrentHistory]:
    """Add one announce to the histories of its key. Several instances of a key in one torrent are credited once.

    What all torrents of a key are credited is bounded by ``largest_total_weight`` with a leaky bucket, which holds the
    credit of :data:`BURST_INTERVALS` intervals: clients announce all their torrents at nearly the same time.
    """
    now = announce.at_seconds
    start = now if announce.seeded_from is None else announce.seeded_from
    seconds = 0.0 if announce.partial else max(0.0, now - max(start, torrent.credited_until))
    fresh_seconds = 0.0 if announce.partial else max(0.0, now - max(start, key.seeded_until))
    paying_seconds = max(0.0, now - max(start, torrent.paid_until)) if announce.pays else 0.0
    paid_seconds = min(paying_seconds, torrent.debt_seconds)
    owed = float(announce.snatched) if announce.owed is None else announce.owed
    debt = parameters.debt_hours * 3600.0
    before = decay(key, now, parameters)
    drawn = _draw(before, announce, seconds, parameters)
    credit = drawn * _LN2 / DAY
    days_ago = (before.at_seconds - now) / DAY  # 0 unless the fact is late
    recent, average = parameters.recent_half_life_days, parameters.average_half_life_days
    conduct = math.exp2(-days_ago / parameters.conduct_half_life_days)
    history = KeyHistory(
        before.at_seconds,
        before.recent + credit / recent * math.exp2(-days_ago / recent),
        before.average + credit / average * math.exp2(-days_ago / average),
        before.length_days + fresh_seconds / DAY * math.exp2(-days_ago / parameters.length_half_life_days),
        before.owed + owed * conduct,
        before.paid + paid_seconds / debt * conduct,
        before.drawn + drawn,
        before.snatches + announce.snatched,
        before.seeding_seconds + fresh_seconds,
        max(before.seeded_until, now) if fresh_seconds else before.seeded_until,
    )
    new_debt = torrent.debt_seconds - paid_seconds + debt * owed
    return history, TorrentHistory(
        new_debt, now if seconds else torrent.credited_until, now if paid_seconds else torrent.paid_until
    )


def _draw(key: KeyHistory, announce: SeedingAnnounce, seconds: float, parameters: ScoreParameters) -> float:
    """Return the weight times seconds that an announce is credited with."""
    if not seconds:
        return 0.0
    weight = seeding_weight(announce.length_bytes, announce.seeding_prefixes, parameters, wanted=announce.wanted)
    most = parameters.largest_total_weight * BURST_INTERVALS * announce.interval_seconds
    return min(weight * seconds, max(0.0, most - key.drawn))


def score_of(key: KeyHistory, now: float, parameters: ScoreParameters) -> Score:
    """Compute the score of a history at a given time."""
    at = decay(key, now, parameters)
    recent = 100.0 * parameters.recent_share * _saturate(at.recent, parameters)
    average = 100.0 * parameters.average_share * _saturate(at.average, parameters)
    length = 100.0 * parameters.length_share * min(1.0, at.length_days / parameters.full_length_days)
    # A payment is newer than its snatch, so it has decayed less: without a bound, conduct could exceed 1.
    conduct = min(1.0, (at.paid + 1.0) / (at.owed + 1.0))
    factor = parameters.unpaid_factor + (1.0 - parameters.unpaid_factor) * conduct
    return Score((recent + average + length) * factor, recent, average, length, conduct)


def decay(key: KeyHistory, now: float, parameters: ScoreParameters) -> KeyHistory:
    """Decay the sums of a history to a later moment. An earlier moment changes nothing."""
    if now <= key.at_seconds:
        return key
    days = (now - key.at_seconds) / DAY
    conduct = math.exp2(-days / parameters.conduct_half_life_days)
    return KeyHistory(
        now,
        key.recent * math.exp2(-days / parameters.recent_half_life_days),
        key.average * math.exp2(-days / parameters.average_half_life_days),
        key.length_days * math.exp2(-days / parameters.length_half_life_days),
        key.owed * conduct,
        key.paid * conduct,
        max(0.0, key.drawn - days * DAY * parameters.largest_total_weight),
        key.snatches,
        key.seeding_seconds,
        key.seeded_until,
    )


def _saturate(weight: float, parameters: ScoreParameters) -> float:
    return weight / (weight + parameters.half_way_weight)
