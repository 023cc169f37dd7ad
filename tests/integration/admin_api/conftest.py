from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from pydantic import SecretStr

from etracker_admin_api.settings import AdminSettings
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.admin_api import API_KEY, serving


@pytest.fixture
def admin_settings(postgres_settings: PostgresSettings, redis_settings: RedisSettings) -> AdminSettings:
    return AdminSettings(
        **postgres_settings.model_dump(), **redis_settings.model_dump(), authorization=SecretStr(API_KEY)
    )


@pytest.fixture
async def client(admin_settings: AdminSettings) -> AsyncIterator[AsyncClient]:
    async with serving(admin_settings) as client:
        yield client
