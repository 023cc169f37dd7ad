"""Settings of the scoring service's two roles."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.scores.list_policies import Policy
from etracker_shared.settings import EnvironmentSettings, PostgresSettings, RedisSettings, ServingSettings


class ScoreSettings(EnvironmentSettings):
    """What both roles judge keys by; the last base of a class, whose reading of nested names wins.

    ``score``: a variable a parameter, ``ETRACKER_SCORE_`` and its name. ``recalibrate``: let thresholds follow the
    community.
    """

    model_config = SettingsConfigDict(env_nested_delimiter="_", env_nested_max_split=1)

    score: ScoreParameters = ScoreParameters()
    recalibrate: bool = False


class ScoringSettings(PostgresSettings, ServingSettings, ScoreSettings):
    """The API role. ``policy`` and ``interval_seconds``: announce's own, so that shares fit its lists.

    ``scoring_connections``: connections to Postgres it keeps open. ``tier_notices``: let announces tell of changed
    tiers.
    """

    listen_port: int = Field(8081, ge=0, le=65535)
    policy: Policy = Policy.EQUILIBRIUM
    interval_seconds: int = Field(1800, ge=1)
    scoring_connections: int = Field(4, ge=1, le=64)
    tier_notices: bool = True


class WorkerSettings(PostgresSettings, RedisSettings, ServingSettings, ScoreSettings):
    """The worker role.

    ``worker_batch_facts``: facts a transaction holds at most, give or take one stream entry.
    ``worker_poll_seconds``: time between two batches, unless half a batch is waiting already.
    ``counts_sync_seconds``: how often seeders and leechers are carried into Postgres.
    """

    listen_port: int = Field(8083, ge=0, le=65535)
    disable_allowlist: bool = False
    fact_retention_days: int = Field(0, ge=0)
    worker_batch_facts: int = Field(5000, ge=1, le=100_000)
    worker_poll_seconds: float = Field(1.0, gt=0, le=10)
    counts_sync_seconds: float = Field(20.0, gt=0, le=60)
