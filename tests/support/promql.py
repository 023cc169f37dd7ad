"""What the dashboard and the alerts ask for: metrics, labels and values, taken from their expressions."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
_SELECTOR = re.compile(r"\b(up|(?:etracker|process|caddy)_\w+)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\bby\s*\(([^)]*)\)")


class Selector(NamedTuple):
    """A metric, and the values that its labels are compared with; None for a value that is a pattern."""

    metric: str
    labels: Mapping[str, frozenset[str] | None]


def alerts() -> list[dict[str, Any]]:
    """Return the alert rules."""
    [group] = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    return dict(json.loads((MONITORING / "grafana/dashboards/etracker.json").read_text()))


def panels() -> list[dict[str, Any]]:
    """Return the panels that show something."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> dict[str, str]:
    """Return every query of every panel, by the panel's title and the query's letter."""
    return {
        f"{panel['title']} {target['refId']}": str(target["expr"]) for panel in panels() for target in panel["targets"]
    }


def selectors(expression: str) -> Iterator[Selector]:
    """Yield what an expression selects."""
    for metric, braces in _SELECTOR.findall(expression):
        yield Selector(metric, {label: _values(value) for label, _, value in _MATCHER.findall(braces)})


def groupings(expression: str) -> set[str]:
    """Return the labels by which an expression groups."""
    return {label.strip() for labels in _GROUPING.findall(expression) for label in labels.split(",")}


def _values(pattern: str) -> frozenset[str] | None:
    return None if re.search(r"[.*+?\[(^$]", pattern) else frozenset(pattern.split("|"))
