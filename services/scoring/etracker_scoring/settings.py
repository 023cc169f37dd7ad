"""Settings of the scoring service's two programs."""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.scores.formula import ScoreParameters
from etracker_shared.agreements.database_roles import DatabaseRole
from etracker_shared.plumbing.settings import (
    AllowlistSettings,
    DetectionSettings,
    EnvironmentSettings,
    IntervalSettings,
    PolicySettings,
    PostgresSettings,
    RedisSettings,
    ServingSettings,
)

PEER_LIFETIME_SLACK_SECONDS = 300


class ScoreSettings(EnvironmentSettings):
    """Score parameters, for both programs. Must be a class's last base, so that its way of reading nested names wins.

    ``score`` has one variable for each parameter.
    """

    model_config = SettingsConfigDict(env_nested_delimiter="_", env_nested_max_split=1)

    score: ScoreParameters = ScoreParameters()
    recalibrate: bool = Field(
        False,  # noqa: FBT003
        description="Whether the thresholds of tiers 2, 3 and 4 move every night at 4:00 UTC a fifth of the way "
        "towards the 50th, 75th and 90th percentiles of the scores of keys seen that day, if there are at least 1,000 "
        "keys, and no further than 30 % from the configured thresholds.",
    )


class ScoringSettings(PostgresSettings, ServingSettings, PolicySettings, DetectionSettings, ScoreSettings):
    """Settings of the API."""

    database_role: ClassVar[DatabaseRole] = DatabaseRole.SCORING

    listen_port: int = Field(8081, ge=0, le=65535)
    scoring_connections: int = Field(
        4,
        ge=1,
        le=64,
        description="Number of connections over which one scoring API process looks up keys in Postgres; it has at "
        "most four others.",
    )
    tier_notices: bool = Field(
        True,  # noqa: FBT003
        description="Whether a key's clients are told in a warning message, once, that its tier has changed, and that "
        "somebody waits for its recovery code.",
    )


class WorkerSettings(
    PostgresSettings,
    RedisSettings,
    ServingSettings,
    AllowlistSettings,
    IntervalSettings,
    DetectionSettings,
    ScoreSettings,
):
    """Settings of the worker."""

    database_role: ClassVar[DatabaseRole] = DatabaseRole.SCORING_WORKER

    listen_port: int = Field(8083, ge=0, le=65535)
    anomaly: DetectionParameters = DetectionParameters()
    fact_retention_days: int = Field(
        0, ge=0, description="Days for which raw facts are kept in Postgres; 0 keeps none."
    )
    worker_batch_facts: int = Field(
        5000,
        ge=1,
        le=100_000,
        description="Maximum number of facts settled in one transaction, give or take one stream entry.",
    )
    worker_poll_seconds: float = Field(
        1.0,
        gt=0,
        le=10,
        description="Seconds between two transactions, unless facts for half a batch are already waiting.",
    )
    counts_sync_seconds: float = Field(
        20.0, gt=0, le=60, description="Seconds between two updates of the numbers of seeders and leechers in Postgres."
    )
    max_bytes_per_second: int = Field(
        1_250_000_000,
        ge=1,
        description=(
            "Maximum number of bytes per second that a client can upload or download; what it claims beyond that isn't"
            " counted."
        ),
    )
    new_prefix_days: float = Field(
        30.0,
        gt=0,
        le=56,
        description="Days for which an address prefix counts as new to a key, so that the key's holder can disown what "
        "came from it.",
    )

    @property
    def guests_last_seconds(self) -> int:
        """How long a guest's session is kept after its last announce: two lifetimes of a peer."""
        return 2 * (2 * self.interval_seconds + PEER_LIFETIME_SLACK_SECONDS)
