"""The alerts do what their tests say and are explained; the dashboard's panels can be read without other documents."""

import os
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.support.promql import MONITORING, alerts, dashboard, panels

OPERATIONS = (MONITORING.parents[1] / "docs" / "operations.md").read_text()


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, cwd=MONITORING)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_every_alert_fires_as_tested_and_a_healthy_tracker_is_quiet() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))
def test_every_alert_is_tested_and_explained_under_its_name(alert: dict[str, Any]) -> None:
    name = alert["alert"]
    assert f"name: {name}\n" in (MONITORING / "alerts_test.yml").read_text()
    assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert re.search(rf"^#+ {name}$", OPERATIONS, re.MULTILINE)
    assert f"| [`{name}`](#{name.lower()}) | {alert['labels']['severity']} | " in OPERATIONS


def test_prometheus_accepts_both_configurations(tmp_path: Path) -> None:
    assert "SUCCESS" in promtool("check", "config", MONITORING / "make_run.yml")
    configuration = written(tmp_path, replicas=3)
    configuration.write_text(configuration.read_text().replace("/etc/prometheus", str(MONITORING)))
    assert "SUCCESS" in promtool("check", "config", configuration)


@pytest.mark.parametrize("replicas", [1, 4])
def test_every_process_behind_the_public_port_is_scraped(tmp_path: Path, replicas: int) -> None:
    configuration = written(tmp_path, replicas=replicas).read_text()
    ports = re.findall(r"names: \[(announce\w*)\], type: A, port: (\d+)", configuration)
    assert ports == [("announce", "8090"), *(("announce_public", str(8090 + n)) for n in range(1, replicas))]


def written(directory: Path, replicas: int) -> Path:
    """Return the configuration as the container of Prometheus writes it."""
    result = directory / "prometheus.yml"
    script: list[str | Path] = ["sh", MONITORING / "prometheus.sh", MONITORING / "prometheus.yml", result, "true"]
    subprocess.run(script, check=True, env={**os.environ, "ETRACKER_ANNOUNCE_REPLICAS": str(replicas)})
    return result


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: str(panel["title"]))
def test_every_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    assert len(panel["description"]) > 20
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]


def test_the_dashboards_panels_have_their_own_ids_and_places() -> None:
    every = dashboard()["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    places = [cells(panel["gridPos"]) for panel in every]
    assert not [pair for pair in combinations(places, 2) if pair[0] & pair[1]]
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in every)


def cells(place: dict[str, int]) -> set[tuple[int, int]]:
    xs, ys = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
    return {(x, y) for x in xs for y in ys}
