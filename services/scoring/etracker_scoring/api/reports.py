"""The complete standing of a key, for its holder."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.scores.keys import Key, assess_key
from etracker_scoring.scores.notices import TIER_NAMES
from etracker_scoring.scores.prospects import OwnedTorrent, Prospect, prospect_of
from etracker_scoring.scores.tiers import entry_score
from etracker_shared.agreements.standing import (
    HalfLives,
    NextTier,
    OwedSnatch,
    OwnTorrent,
    PartMaximum,
    ScoreParts,
    StandingNotice,
    StandingReport,
    TierChange,
)
from etracker_shared.language.tier import Tier

NOTICES_LAST = timedelta(days=14)
AT_THE_TOP = "Keep seeding as you do."


class Participation(NamedTuple):
    """What a key did in a torrent. ``seeders``: how many seed it now; ``debt_seconds``: seeding still owed.

    ``wanted``: somebody downloads it now.
    """

    info_hash: bytes
    name: str
    length: int | None
    seeders: int
    seeding: bool
    debt_seconds: float
    seeding_seconds: int
    uploaded: int
    downloaded: int
    last_seen: datetime
    wanted: bool = False


class Holder(NamedTuple):
    """Everything stored about a key, for its holder. ``notice``: the latest one, delivered or not."""

    key: Key
    created: datetime
    last_seen: datetime | None
    uploaded: int
    downloaded: int
    seeding_seconds: int
    notice: str | None
    notice_since: datetime | None
    participations: Sequence[Participation]
    changes: Sequence[tuple[datetime, int, float]]


def report(holder: Holder, now: float, parameters: ScoreParameters) -> StandingReport:
    """Report a key's standing at a given time (Unix seconds), and what would raise its tier."""
    key = holder.key
    held, score = assess_key(key, now, parameters)
    torrents = [
        OwnedTorrent(one.length, one.seeders, one.seeding, one.debt_seconds, one.wanted)
        for one in holder.participations
    ]
    prospect = None if key.confirmed else prospect_of(key, torrents, now, parameters)
    return StandingReport(
        tier=held.tier,
        tier_name=TIER_NAMES[held.tier],
        score=score.total,
        parts=ScoreParts(recent=score.recent, average=score.average, length=score.length, conduct=score.conduct),
        maximum=PartMaximum(
            recent=100 * parameters.recent_share,
            average=100 * parameters.average_share,
            length=100 * parameters.length_share,
        ),
        half_life_days=HalfLives(
            recent=parameters.recent_half_life_days,
            average=parameters.average_half_life_days,
            length=parameters.length_half_life_days,
            conduct=parameters.conduct_half_life_days,
        ),
        snatches=key.history.snatches,
        snatches_owed=[
            OwedSnatch(info_hash=one.info_hash.hex(), name=one.name, seconds_left=round(one.debt_seconds))
            for one in holder.participations
            if one.debt_seconds > 0
        ],
        next_tier=_next_tier(prospect) if prospect else None,
        thresholds={str(tier.value): entry_score(tier, parameters) for tier in Tier if tier >= Tier.CONTRIBUTOR},
        history=[TierChange(at=at, tier=tier, score=points) for at, tier, points in holder.changes],
        notice=_notice(holder, prospect, now),
        torrents=[_torrent(one) for one in sorted(holder.participations, key=lambda one: one.last_seen, reverse=True)],
        uploaded_bytes=holder.uploaded,
        downloaded_bytes=holder.downloaded,
        seeding_seconds=holder.seeding_seconds,
        created=holder.created,
        last_seen=holder.last_seen,
    )


def _next_tier(prospect: Prospect) -> NextTier:
    expected_at = prospect.expected_at
    return NextTier(
        tier=prospect.tier,
        tier_name=TIER_NAMES[prospect.tier],
        score_needed=prospect.score_needed,
        advice=prospect.advice,
        expected_at=None if expected_at is None else datetime.fromtimestamp(expected_at, UTC),
        days_missing=prospect.days_missing,
    )


def _notice(holder: Holder, prospect: Prospect | None, now: float) -> StandingNotice | None:
    since = holder.notice_since
    if holder.notice is None or since is None or datetime.fromtimestamp(now, UTC) - since > NOTICES_LAST:
        return None
    return StandingNotice(text=holder.notice, since=since, advice=prospect.advice if prospect else AT_THE_TOP)


def _torrent(one: Participation) -> OwnTorrent:
    return OwnTorrent(
        info_hash=one.info_hash.hex(),
        name=one.name,
        size=one.length,
        seeding=one.seeding,
        seeding_seconds=one.seeding_seconds,
        uploaded_bytes=one.uploaded,
        downloaded_bytes=one.downloaded,
        last_seen=one.last_seen,
    )
