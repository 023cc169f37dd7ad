"""Settings of the scoring service's two programs."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.scores.list_policies import Policy
from etracker_shared.plumbing.settings import EnvironmentSettings, PostgresSettings, RedisSettings, ServingSettings

PEER_LIFETIME_SLACK_SECONDS = 300


class ScoreSettings(EnvironmentSettings):
    """Score parameters, for both programs. Must be a class's last base: its way of reading nested names wins.

    ``score``: one variable per parameter, ``ETRACKER_SCORE_`` and its name. ``recalibrate``: let thresholds follow the
    community.
    """

    model_config = SettingsConfigDict(env_nested_delimiter="_", env_nested_max_split=1)

    score: ScoreParameters = ScoreParameters()
    recalibrate: bool = False


class ScoringSettings(PostgresSettings, ServingSettings, ScoreSettings):
    """The API. ``policy`` and ``interval_seconds``: the same values as announce's, so that shares fit its lists.

    ``scoring_connections``: connections to Postgres it keeps open. ``tier_notices``: include notices about changed
    tiers in responses to announces.
    """

    listen_port: int = Field(8081, ge=0, le=65535)
    policy: Policy = Policy.EQUILIBRIUM
    interval_seconds: int = Field(1800, ge=1)
    scoring_connections: int = Field(4, ge=1, le=64)
    tier_notices: bool = True


class WorkerSettings(PostgresSettings, RedisSettings, ServingSettings, ScoreSettings):
    """The worker.

    ``worker_batch_facts``: facts per transaction at most, plus or minus one stream entry.
    ``worker_poll_seconds``: time between two batches; shorter if half a batch is already waiting.
    ``counts_sync_seconds``: how often seeders and leechers are carried into Postgres.
    """

    listen_port: int = Field(8083, ge=0, le=65535)
    disable_allowlist: bool = False
    fact_retention_days: int = Field(0, ge=0)
    worker_batch_facts: int = Field(5000, ge=1, le=100_000)
    worker_poll_seconds: float = Field(1.0, gt=0, le=10)
    counts_sync_seconds: float = Field(20.0, gt=0, le=60)
    max_bytes_per_second: int = Field(
        1_250_000_000,
        ge=1,
        description=(
            "Bytes per second that a client is believed to upload or download at most; what it claims beyond that isn't"
            " counted."
        ),
    )
    interval_seconds: int = Field(1800, ge=1)

    @property
    def guests_last_seconds(self) -> int:
        """How long a guest's session is kept after its last announce: two lifetimes of a peer."""
        return 2 * (2 * self.interval_seconds + PEER_LIFETIME_SLACK_SECONDS)
