"""Settings of the scoring service's two roles."""

from pydantic import Field

from etracker_scoring.domain.policies import Policy
from etracker_shared.settings import PostgresSettings, RedisSettings, ServingSettings


class ScoringSettings(PostgresSettings, ServingSettings):
    """The API role. ``policy`` and ``interval_seconds``: announce's own, so that shares fit its lists.

    ``scoring_connections``: connections to Postgres it keeps open.
    """

    listen_port: int = Field(8081, ge=0, le=65535)
    policy: Policy = Policy.EQUILIBRIUM
    interval_seconds: int = Field(1800, ge=1)
    scoring_connections: int = Field(4, ge=1, le=64)


class WorkerSettings(PostgresSettings, RedisSettings, ServingSettings):
    """The worker role.

    ``worker_batch_facts``: facts a transaction holds at most, give or take one stream entry.
    ``worker_poll_seconds``: time between two batches, unless half a batch is waiting already.
    ``counts_sync_seconds``: how often seeders and leechers are carried into Postgres.
    """

    listen_port: int = Field(8082, ge=0, le=65535)
    disable_allowlist: bool = False
    fact_retention_days: int = Field(0, ge=0)
    worker_batch_facts: int = Field(5000, ge=1, le=100_000)
    worker_poll_seconds: float = Field(1.0, gt=0, le=10)
    counts_sync_seconds: float = Field(20.0, gt=0, le=60)
