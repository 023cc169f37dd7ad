"""``POST /v1/standing``: everything that scoring reports to a key's holder; the admin API passes it on.

Infohashes are in hex (40 digits), times in UTC, counters in bytes unless named otherwise.
"""

from datetime import datetime

from pydantic import BaseModel, Field

STANDING_PATH = "/v1/standing"


class StandingQuestion(BaseModel):
    """The key whose standing is requested: its hash in hex."""

    key_hash: str = Field(pattern="^[0-9a-f]{32}$")


class ScoreParts(BaseModel):
    """Points of each part before conduct; ``conduct``: the share of snatches seeded afterwards, 0 to 1."""

    recent: float
    average: float
    length: float
    conduct: float


class PartMaximum(BaseModel):
    """The maximum points for each part."""

    recent: float
    average: float
    length: float


class HalfLives(BaseModel):
    """Days in which half of each part fades."""

    recent: float
    average: float
    length: float
    conduct: float


class OwedSnatch(BaseModel):
    """Seeding still owed for a torrent that was downloaded, or part of it."""

    info_hash: str
    name: str
    seconds_left: int


class NextTier(BaseModel):
    """What would raise the tier. ``expected_at``: when it rises at the key's current pace, null if it never does.

    ``days_missing``: how many more days of seeding it takes at least, whatever the score.
    """

    tier: int
    tier_name: str
    score_needed: float
    advice: str
    expected_at: datetime | None
    days_missing: float = 0.0


class TierChange(BaseModel):
    """A tier, and since when the key held it."""

    at: datetime
    tier: int
    score: float


class StandingNotice(BaseModel):
    """What happened to the key, since when, and what to do about it."""

    text: str
    since: datetime
    advice: str


class OwnTorrent(BaseModel):
    """What a key did in a torrent. ``seeding``: whether it seeds now."""

    info_hash: str
    name: str
    size: int | None
    seeding: bool
    seeding_seconds: int
    uploaded_bytes: int
    downloaded_bytes: int
    last_seen: datetime


class StandingReport(BaseModel):
    """The standing of a key.

    ``thresholds``: the scores required for tiers 2, 3 and 4. ``torrents``: the thousand announced most recently.
    """

    tier: int = Field(ge=0, le=4)
    tier_name: str
    score: float
    parts: ScoreParts
    maximum: PartMaximum
    half_life_days: HalfLives
    snatches: int
    snatches_owed: list[OwedSnatch]
    next_tier: NextTier | None
    thresholds: dict[str, float] = Field(examples=[{"2": 15, "3": 38, "4": 62}])
    history: list[TierChange]
    notice: StandingNotice | None
    torrents: list[OwnTorrent]
    uploaded_bytes: int
    downloaded_bytes: int
    seeding_seconds: int
    created: datetime
    last_seen: datetime | None
