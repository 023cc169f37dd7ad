"""Redis, Postgres and scoring, each behind a port."""
