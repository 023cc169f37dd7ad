"""How everything is, asked of everybody at once; whatever is down is told, not raised."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from etracker_admin_api.domain.system import (
    PostgresState,
    RedisState,
    ServiceState,
    Setting,
    StreamState,
    merge_settings,
    stream_state,
)
from etracker_admin_api.ports import Services, Stores


@dataclass(frozen=True, slots=True)
class SystemState:
    """``postgres`` and ``redis`` are None while they don't answer."""

    services: Sequence[ServiceState]
    stream: StreamState
    postgres: PostgresState | None
    redis: RedisState | None


class System:
    """Asks the other services and the stores; ``own`` and ``own_settings`` say how this process is."""

    def __init__(
        self,
        services: Services,
        stores: Stores,
        own: Callable[[], Awaitable[ServiceState]],
        own_settings: Callable[[], Sequence[Setting]],
    ) -> None:
        self._services = services
        self._stores = stores
        self._own = own
        self._own_settings = own_settings

    async def state(self) -> SystemState:
        """Return how everything is now."""
        asked = asyncio.gather(self._own(), *(self._services.state(name) for name in self._services.names))
        services, postgres, redis = await asyncio.gather(asked, self._stores.postgres(), self._stores.redis())
        return SystemState(services, stream_state(services), postgres, redis)

    async def settings(self) -> Sequence[Setting]:
        """Return the settings in force; those of a service that doesn't answer are missing."""
        names = self._services.names
        told = await asyncio.gather(*(self._services.settings(name) for name in names))
        return merge_settings({"admin_api": self._own_settings(), **dict(zip(names, told, strict=True))})
