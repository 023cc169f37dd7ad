"""What a process reports about itself in Prometheus' text format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from etracker_admin_api.system.states import SHOWN_METRICS, WARNINGS

TRACKERS_FAULT = frozenset({"swarms_unavailable", "swarms_full", "allowlist_unavailable", "starting", "internal"})
"""Reasons why announces fail for which the client can do nothing."""

_ERRORS: Mapping[str, Callable[[Mapping[str, str]], bool]] = {
    "etracker_announce_answers_total": lambda labels: labels.get("answer") in TRACKERS_FAULT,
    "etracker_scoring_requests_total": lambda labels: labels.get("status", "").startswith("5"),
    "etracker_admin_requests_total": lambda labels: labels.get("status", "").startswith("5"),
    "etracker_scoring_outages_total": lambda _: True,
    "etracker_scoring_detector_faults_total": lambda _: True,
}


@dataclass
class Report:
    """See :class:`~etracker_admin_api.system.states.ServiceState`. ``warnings``: sentences that follow from metrics."""

    metrics: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    version: str | None = None
    started_at: datetime | None = None
    errors: int = 0


def read_report(text: str) -> Report:
    """Read the metrics that operators see.

    Raises:
        ValueError: the text isn't in Prometheus' format.
    """
    report = Report()
    for family in text_string_to_metric_families(text):
        for name, labels, value, *_ in family.samples:
            _read_sample(report, name, labels, value)
    return report


def _read_sample(report: Report, name: str, labels: Mapping[str, str], value: float) -> None:
    if name in SHOWN_METRICS:
        report.metrics[name] = report.metrics.get(name, 0.0) + value
    elif value and name in WARNINGS:
        report.warnings.append(WARNINGS[name])
    elif name == "etracker_build_info":
        report.version = labels.get("version")
    elif name == "process_start_time_seconds":
        report.started_at = datetime.fromtimestamp(value, UTC)
    if name in _ERRORS and _ERRORS[name](labels):
        report.errors += int(value)
