"""The parts of the tracker, the broken ones first, and what their failure means."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from etracker_admin_api.system.states import PostgresState, RedisState, ServiceState

Status = Literal["up", "down"]

CONSEQUENCES = {
    "postgres": "Announces go on, statistics wait, and nothing is lost. Pages and changes work again when it is back.",
    "redis": "Announces fail until it is back, and clients repeat them by themselves. Statistics are safe.",
    "announce": "Clients can't announce. They try again by themselves.",
    "scoring": "Announces go on: known keys keep their tier, and new keys count as guests. Standings can't be shown.",
    "scoring_worker": "Announces go on, statistics wait, and nothing is lost as long as the stream has room.",
    "admin_api": "Announces go on. Pages and changes may not work.",
}
REPLICAS_GO_ON = "Other processes of this service do its work."


@dataclass(frozen=True, slots=True)
class Part:
    """A process or a store.

    ``detail``: what is wrong, empty if nothing. ``consequence``: what its silence means; empty if it responds.
    ``answered_at``: when it last answered this process; None if it hasn't since this process started.
    """

    name: str
    status: Status
    detail: str
    consequence: str
    answered_at: datetime | None
    checked_at: datetime
    version: str | None
    started_at: datetime | None
    errors: int


class Watch:
    """Remembers when each part last answered."""

    def __init__(self) -> None:
        self._answered: dict[str, datetime] = {}

    def note(self, name: str, at: datetime, *, answered: bool) -> datetime | None:
        """Note whether a part has just answered; return when it last did."""
        if answered:
            self._answered[name] = at
        return self._answered.get(name)


def describe_parts(
    services: Sequence[ServiceState],
    postgres: PostgresState | None,
    redis: RedisState | None,
    watch: Watch,
    now: datetime,
) -> Sequence[Part]:
    """Return all parts: silent stores, silent processes, processes that wait for something, and then the rest."""
    stores = [_store(name, found, watch, now) for name, found in (("postgres", postgres), ("redis", redis))]
    alive = Counter(_kind(service.name) for service in services if service.responds)
    parts = [(_rank_of(service), _process(service, alive, watch)) for service in services]
    ranked = [*((0 if store.status == "down" else 4, store) for store in stores), *parts]
    return [part for _, part in sorted(ranked, key=lambda one: one[0])]


def announce_is_down(services: Sequence[ServiceState]) -> bool:
    """Return whether no process answers announces."""
    return not any(service.responds for service in services if _kind(service.name) == "announce")


def _store(name: str, found: object | None, watch: Watch, now: datetime) -> Part:
    answered_at = watch.note(name, now, answered=found is not None)
    down = found is None
    return Part(
        name=name,
        status="down" if down else "up",
        detail="Not responding." if down else "",
        consequence=CONSEQUENCES[name] if down else "",
        answered_at=answered_at,
        checked_at=now,
        version=None,
        started_at=None,
        errors=0,
    )


def _process(service: ServiceState, alive: Mapping[str, int], watch: Watch) -> Part:
    kind = _kind(service.name)
    consequence = REPLICAS_GO_ON if alive[kind] else CONSEQUENCES[kind]
    return Part(
        name=service.name,
        status="up" if service.up else "down",
        detail=service.detail,
        consequence="" if service.responds else consequence,
        answered_at=watch.note(service.name, service.checked_at, answered=service.responds),
        checked_at=service.checked_at,
        version=service.version,
        started_at=service.started_at,
        errors=service.errors,
    )


def _rank_of(service: ServiceState) -> int:
    if not service.responds:
        return 1
    if not service.up:
        return 2
    return 3 if service.detail else 4


def _kind(name: str) -> str:
    """Return the service of a process: ``announce`` for ``announce-2``."""
    return re.sub(r"[-_ ]?\d+$", "", name)
