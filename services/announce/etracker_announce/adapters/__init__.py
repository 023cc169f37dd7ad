"""The outside world: Redis, Postgres and scoring, each behind a port."""
