"""A real Prometheus scrapes the whole tracker with the configuration that is shipped, and answers the dashboard."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.load import UNLIMITED
from tests.support.processes import Program, free_port, wait_until
from tests.support.promql import MONITORING, Selector, alerts, groupings, queries, selectors
from tests.support.stack import StackRun, running_stack

pytestmark = pytest.mark.timeout(300)

TARGET_LABELS = {"job", "instance", "le"}
PROCESSES = {"announce": 2, "scoring": 1, "scoring_worker": 1, "admin_api": 1, "gateway": 1}


@pytest.fixture(scope="module")
def tracker() -> Iterator[StackRun]:
    unlimited = {"ETRACKER_DISABLE_ALLOWLIST": "true", "ETRACKER_KEY_LIMIT": "1000/hour"}
    quick = {"ETRACKER_COUNTS_SYNC_SECONDS": "1", "ETRACKER_ANNOUNCE_REPLICAS": "2"}
    with running_stack({**UNLIMITED, **unlimited, **quick}) as run:
        yield run


class Prometheus:
    """A real Prometheus."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ready(self) -> bool:
        try:
            return bool(urlopen(f"http://{self._address}/-/ready", timeout=2).status == 200)
        except OSError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate an expression now."""
        with urlopen(f"http://{self._address}/api/v1/query?{urlencode({'query': expression})}", timeout=30) as answer:
            return list(json.load(answer)["data"]["result"])


@pytest.fixture(scope="module")
def prometheus(tracker: StackRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory, port = tmp_path_factory.mktemp("prometheus"), free_port()
    shipped = (MONITORING / "make_run.yml").read_text()
    changes = {
        "../../.data": str(tracker.data),
        "alerts.yml": str(MONITORING / "alerts.yml"),
        "scrape_interval: 15s": "scrape_interval: 1s\n  scrape_timeout: 1s",
        "evaluation_interval: 15s": "evaluation_interval: 1s",
    }
    for old, new in changes.items():
        assert old in shipped
        shipped = shipped.replace(old, new)
    configuration = directory / "prometheus.yml"
    configuration.write_text(shipped)
    command = ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={directory / 'data'}"]
    with Program([*command, f"--web.listen-address=127.0.0.1:{port}"], log=directory / "log") as program:
        served = Prometheus(f"127.0.0.1:{port}")
        program.wait_until(served.ready, "Prometheus is ready", 30.0)
        yield served


def put_load(tracker: StackRun) -> bool:
    """Put some load on the tracker; return whether all of it was answered, which a busy machine may prevent."""
    try:
        announce_and_ask(tracker)
    except HTTPError:
        return False
    return True


def announce_and_ask(tracker: StackRun) -> None:
    """Announce on both ways in, with and without a key, and ask the API."""
    with urlopen(f"{tracker.base_url}/api/generate") as answer:
        key = json.load(answer)["announce_key"]
    for number in range(20):
        fields = {"info_hash": f"film {number % 3:15}", "peer_id": f"-TR4060-{number:012}", "port": 6881 + number}
        sums = {"uploaded": 0, "downloaded": 0, "left": number % 2}
        for way in (f"http://{tracker.announce_address}/{key}", f"http://{tracker.announce_address}", tracker.base_url):
            urlopen(f"{way}/announce?{urlencode({**fields, **sums})}").read()
    urlopen(f"{tracker.base_url}/api/stats").read()


def test_every_process_is_scraped_as_its_service(tracker: StackRun, prometheus: Prometheus) -> None:
    def up() -> dict[str, int]:
        return {one["metric"]["job"]: int(one["value"][1]) for one in prometheus.query("sum by (job) (up)")}

    wait_until(lambda: up() == PROCESSES, f"all processes of {tracker.data} answer Prometheus", 30.0)
    assert len(prometheus.query("process_cpu_seconds_total")) == sum(PROCESSES.values())
    assert len(prometheus.query("etracker_build_info")) == sum(PROCESSES.values()) - 1


def test_every_query_of_the_dashboard_has_data_and_no_alert_fires(tracker: StackRun, prometheus: Prometheus) -> None:
    asked = {name: query.replace("$__rate_interval", "15s") for name, query in queries().items()}
    silent = dict(asked)

    def all_have_answered() -> bool:
        put_load(tracker)
        for name in [name for name, query in silent.items() if prometheus.query(query)]:
            del silent[name]
        return not silent

    try:
        wait_until(all_have_answered, "every panel has data", 120.0, pause=0.5)
    except AssertionError:
        raise AssertionError(f"no data for {silent}") from None
    assert prometheus.query('ALERTS{alertstate="firing"}') == []


def test_every_metric_label_and_value_that_is_asked_for_exists(tracker: StackRun) -> None:
    """An expression over a name that doesn't exist is valid and stays silent: the kind that hides an outage."""
    wait_until(lambda: put_load(tracker), "everything is answered", 60.0)
    exposed = Exposed(tracker)
    expressions = [*queries().values(), *(alert["expr"] for alert in alerts())]
    assert len(expressions) > 60
    complaints = [
        (expression, complaint)
        for expression in expressions
        for complaint in (
            *(complaint for selector in selectors(expression) for complaint in exposed.complaints(selector)),
            *sorted(groupings(expression) - exposed.labels_of(expression)),
        )
    ]
    assert complaints == []


class Exposed:
    """What all processes of a tracker expose: the labels of every metric, and their values."""

    def __init__(self, tracker: StackRun) -> None:
        self._values: dict[str, dict[str, set[str]]] = {"up": {"job": set(PROCESSES)}}
        for name in tracker.pids():
            if tracker.state()["processes"][name]["observation"]:
                self._read(tracker.observation_url_of(name))

    def _read(self, url: str) -> None:
        with urlopen(f"{url}/metrics") as answer:
            text = answer.read().decode()
        for family in text_string_to_metric_families(text):
            for name in (family.name, f"{family.name}_total"):  # also those without samples yet
                self._values.setdefault(name, {})
            for sample in family.samples:
                labels = self._values.setdefault(sample.name, {})
                for label, value in sample.labels.items():
                    labels.setdefault(label, set()).add(value)

    def complaints(self, selector: Selector) -> Iterator[str]:
        """Yield what a selector asks for that doesn't exist."""
        if selector.metric not in self._values:
            yield f"no metric {selector.metric}"
            return
        for label, values in selector.labels.items():
            existing = self._values[selector.metric].get(label)
            if existing is None:
                yield f"{selector.metric} has no label {label}"
            elif values is not None and not values <= existing:
                yield f"no {label} of {selector.metric} is {sorted(values - existing)}"

    def labels_of(self, expression: str) -> set[str]:
        """Return the labels of all metrics in an expression, and those that Prometheus adds."""
        return {label for one in selectors(expression) for label in self._values.get(one.metric, {})} | TARGET_LABELS
