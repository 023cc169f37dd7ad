"""The errors of the scoring service.

::

    Exception
    ├── PostgresUnavailableError   of all services: Postgres can't be reached; wait and start over
    │   └── LookupUnavailableError     no answer in time for the announce that waits for it
    ├── BatchConflictError         the loaded rows changed before the batch was stored; load again
    ├── BatchRefusedError          Postgres will never store these facts
    └── StreamsUnavailableError    Redis isn't available, or refuses writes
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from etracker_shared.language.outages import PostgresUnavailableError
from etracker_shared.plumbing.postgres import UNAVAILABLE


class LookupUnavailableError(PostgresUnavailableError):
    """Postgres didn't answer within the time that an announce has."""


class BatchConflictError(Exception):
    """The loaded rows changed before the batch could be stored: load again. Nothing was stored."""


class BatchRefusedError(Exception):
    """Postgres refuses these facts and always will. Nothing was stored."""


class StreamsUnavailableError(Exception):
    """Redis isn't available, or refuses writes."""


_CONFLICTS = (
    asyncpg.ForeignKeyViolationError,
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
_REFUSALS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


@contextmanager
def postgres_errors() -> Iterator[None]:
    """Convert asyncpg's exceptions into the errors above."""
    try:
        yield
    except _CONFLICTS as error:
        raise BatchConflictError(type(error).__name__) from error
    except _REFUSALS as error:
        raise BatchRefusedError(type(error).__name__) from error
    except (asyncpg.PostgresError, *UNAVAILABLE) as error:
        raise PostgresUnavailableError(type(error).__name__) from error
