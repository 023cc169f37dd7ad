"""What several scoring workers say of the fact stream, put together."""

from datetime import UTC, datetime

from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.system.states import ServiceState, stream_state

LAG = "etracker_scoring_stream_lag_"


def worker(number: int, entries: float, seconds: float) -> ServiceState:
    metrics = {f"{LAG}entries": entries, f"{LAG}seconds": seconds}
    return ServiceState(f"scoring_worker-{number}", up=True, detail="", checked_at=datetime.now(UTC), metrics=metrics)


def test_each_workers_entries_add_up_and_the_oldest_counts() -> None:
    state = stream_state([worker(1, 30, 2.5), worker(2, 12, 7.0)])
    assert (state.lag_entries, state.lag_seconds) == (42, 7.0)


def test_no_worker_says_nothing() -> None:
    assert stream_state([]).lag_entries is None


def test_several_workers_are_numbered_and_one_is_not() -> None:
    several = AdminSettings(worker_url="http://a:1, http://b:2").services
    assert {name: url for name, url in several.items() if name.startswith("scoring_worker")} == {
        "scoring_worker-1": "http://a:1",
        "scoring_worker-2": "http://b:2",
    }
    assert AdminSettings(worker_url="http://a:1").services["scoring_worker"] == "http://a:1"
