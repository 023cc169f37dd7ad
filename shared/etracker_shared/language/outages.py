"""What every service calls an outage of what they share."""


class PostgresUnavailableError(Exception):
    """Postgres is down, too slow, or refuses for a reason that passes: as far as we know, nothing has changed."""
