"""The tier of a key that announces torrents as a seeder without uploading anything, from the real score."""

import functools
from typing import NamedTuple

from etracker_scoring.scores.formula import (
    DAY,
    GIB,
    NEW_TORRENT,
    KeyHistory,
    ScoreParameters,
    SeedingAnnounce,
    TorrentHistory,
    record_announce,
)
from etracker_scoring.scores.tiers import HeldTier, Origin, assess
from etracker_shared.language.tier import Tier

from .tracker import EPOCH, INTERVAL_SECONDS

LARGE_BYTES = int(64 * GIB)
"""Torrents above this size weigh no more."""

PARAMETERS = ScoreParameters()


class Claim(NamedTuple):
    """``torrents`` large torrents, announced for ``days``.

    ``prefixes``: address prefixes that seed each of them; nobody downloads torrents that have only one.
    ``pays``: they are the torrents that the key downloaded earlier, so announcing them pays its debts.
    """

    torrents: int
    days: float
    prefixes: int = 16
    pays: bool = False


@functools.cache
def tier_after(claim: Claim, snatches: int) -> Tier:
    """Return the tier of a key after its claims, if it had snatched torrents before and seeded none of them."""
    since = float(EPOCH)
    key = KeyHistory(at_seconds=since, owed=float(snatches), snatches=snatches)
    owing = TorrentHistory(debt_seconds=PARAMETERS.debt_hours * 3600.0) if claim.pays and snatches else NEW_TORRENT
    torrents = [owing] * claim.torrents
    held, origin = HeldTier(Tier.FREE_RIDER if snatches else Tier.LITTLE_HISTORY), Origin(since=since)
    now = since
    while now < since + claim.days * DAY:
        now += INTERVAL_SECONDS
        announce = SeedingAnnounce(
            now,
            now - INTERVAL_SECONDS,
            snatched=False,
            seeding_prefixes=claim.prefixes,
            length_bytes=LARGE_BYTES,
            wanted=claim.prefixes > 1,
        )
        for place, torrent in enumerate(torrents):
            key, torrents[place] = record_announce(key, torrent, announce, PARAMETERS)
        held = assess(key, held, origin, now, PARAMETERS).held
    return held.tier
