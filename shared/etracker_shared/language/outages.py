"""Errors that all services use for outages of shared servers."""


class PostgresUnavailableError(Exception):
    """Postgres is down, too slow, or refuses for a temporary reason: as far as we know, nothing has changed."""
