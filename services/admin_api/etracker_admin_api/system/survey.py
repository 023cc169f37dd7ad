"""A survey of all services and stores at the same time; those that are down are reported, not raised."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from etracker_admin_api.system.parts import Part, Watch, announce_is_down, describe_parts
from etracker_admin_api.system.services import Services
from etracker_admin_api.system.states import (
    PostgresState,
    RedisState,
    ServiceState,
    Setting,
    StreamState,
    merge_settings,
    stream_state,
)
from etracker_admin_api.system.store import StoreStates


@dataclass(frozen=True, slots=True)
class SystemState:
    """The state of everything. ``postgres`` and ``redis`` are None while they don't respond."""

    services: Sequence[ServiceState]
    parts: Sequence[Part]
    stream: StreamState
    postgres: PostgresState | None
    redis: RedisState | None


class Survey:
    """Surveys the other services and the stores; ``own`` and ``own_settings`` return what this process contributes.

    ``announce_is_down``: whether no process answered announces at the latest survey.
    """

    def __init__(
        self,
        services: Services,
        stores: StoreStates,
        own: Callable[[], Coroutine[None, None, ServiceState]],
        own_settings: Callable[[], Sequence[Setting]],
    ) -> None:
        self._services = services
        self._stores = stores
        self._own = own
        self._own_settings = own_settings
        self._watch = Watch()
        self.announce_is_down = False

    async def state(self) -> SystemState:
        """Return the current state of everything."""
        async with asyncio.TaskGroup() as group:  # not gather, which doesn't wait for all of them when it is cancelled
            own_state = group.create_task(self._own())
            others = [group.create_task(self._services.state(name)) for name in self._services.names]
            postgres_state = group.create_task(self._stores.postgres())
            redis_state = group.create_task(self._stores.redis())
        services = [own_state.result(), *(other.result() for other in others)]
        postgres, redis = postgres_state.result(), redis_state.result()
        parts = describe_parts(services, postgres, redis, self._watch, datetime.now(UTC))
        self.announce_is_down = announce_is_down(services)
        return SystemState(services, parts, stream_state(services), postgres, redis)

    async def settings(self) -> Sequence[Setting]:
        """Return the settings in effect; those of services that don't respond are omitted."""
        names = self._services.names
        reported = await asyncio.gather(*(self._services.settings(name) for name in names))
        return merge_settings({"admin_api": self._own_settings(), **dict(zip(names, reported, strict=True))})
