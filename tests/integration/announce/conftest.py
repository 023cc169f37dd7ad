"""One announce service per test, on real Postgres and Redis."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer

KEY = "0123456789abcdef0123456789abcd"
OTHER_KEY = "abcdef0123456789abcdef01234567"
INFO_HASH = bytes(range(20))


@pytest.fixture
async def announcer(postgres_settings: PostgresSettings, redis_settings: RedisSettings) -> AsyncIterator[Announcer]:
    """Return an announce service that knows two registered keys and one tracked torrent."""
    exempt: dict[str, Any] = {"shared_networks": "127.0.0.0/8 ::1", "budget_burst": 0}
    async with running_announcer(postgres_settings, redis_settings, **exempt) as running:
        running.scoring.register(KEY)
        running.scoring.register(OTHER_KEY)
        await running.track(INFO_HASH)
        yield running
