"""The other services, over HTTP on their own ports."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import httpx
from pydantic import ValidationError

from etracker_admin_api.system.reports import Report, read_report
from etracker_admin_api.system.states import ServiceState, Setting
from etracker_shared.plumbing.health import SETTINGS_PATH, Readiness
from etracker_shared.plumbing.told_settings import ToldSettings

TIMEOUT_SECONDS = 2.0


class Services:
    """Clients of the other services. Nothing here raises: a service that doesn't respond is reported as down."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._http = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)

    @property
    def names(self) -> Sequence[str]:
        """The names of the services."""
        return list(self._urls)

    async def state(self, name: str) -> ServiceState:
        """Return the state of a service."""
        moment = datetime.now(UTC)
        try:
            readiness = Readiness.model_validate_json((await self._http.get(f"{self._urls[name]}/readyz")).content)
            report = read_report((await self._http.get(f"{self._urls[name]}/metrics")).text)
        except (httpx.HTTPError, ValidationError, ValueError) as error:
            detail = f"Not responding ({type(error).__name__})."
            return ServiceState(name, up=False, detail=detail, checked_at=moment, responds=False)
        down = [readiness.reasons.get(check, check) for check, passed in readiness.checks.items() if not passed]
        return service_state(name, moment, down, report)

    async def settings(self, name: str) -> Sequence[Setting]:
        """Return a service's settings in effect; nothing if it doesn't respond."""
        try:
            answer = (await self._http.get(f"{self._urls[name]}{SETTINGS_PATH}")).raise_for_status()
            return describe_settings(name, ToldSettings.model_validate_json(answer.content))
        except (httpx.HTTPError, ValidationError):
            return []

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()


def service_state(name: str, moment: datetime, down: Sequence[str], report: Report) -> ServiceState:
    """Return the state of a process that responds; ``down``: what it says it is waiting for."""
    waiting = [f"Not ready: {', '.join(down).rstrip('.')}."] * bool(down)
    return ServiceState(
        name,
        up=not down,
        detail=" ".join([*waiting, *report.warnings]),
        checked_at=moment,
        metrics=report.metrics,
        version=report.version,
        started_at=report.started_at,
        errors=report.errors,
    )


def describe_settings(service: str, told: ToldSettings) -> Sequence[Setting]:
    """Return the settings that a service reported."""
    return [
        Setting(
            name=one.name,
            value=one.value,
            default=one.default,
            description=one.description.replace("`", ""),
            secret=one.secret,
            changed=one.changed,
            services=(service,),
        )
        for one in told.settings
    ]
