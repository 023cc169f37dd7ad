"""What the System page says of processes and stores: the broken ones first, with what that means."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from etracker_admin_api.system.parts import CONSEQUENCES, REPLICAS_GO_ON, Watch, announce_is_down, describe_parts
from etracker_admin_api.system.reports import read_report
from etracker_admin_api.system.states import PostgresState, RedisState, ServiceState

NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
POSTGRES = PostgresState(size_bytes=1, connections=1, max_connections=100, last_write=None)
REDIS = RedisState(memory_bytes=1, max_memory_bytes=0)


def process(name: str, problem: str = "", *, up: bool = False) -> ServiceState:
    return ServiceState(name, up=up or not problem, detail=problem, checked_at=NOON)


def silent(name: str) -> ServiceState:
    return ServiceState(name, up=False, detail="Not responding (ConnectError).", checked_at=NOON, responds=False)


def test_what_causes_a_failure_comes_before_what_suffers_from_it() -> None:
    services = [
        process("announce"),
        process("admin_api", "Not ready: postgres."),
        process("scoring", "a warning", up=True),
        silent("scoring_worker"),
    ]
    parts = describe_parts(services, None, REDIS, Watch(), NOON)
    assert [part.name for part in parts] == ["postgres", "scoring_worker", "admin_api", "scoring", "redis", "announce"]
    assert [bool(part.consequence) for part in parts] == [True, True, False, False, False, False]


def test_a_part_is_silent_since_it_last_answered() -> None:
    watch = Watch()
    describe_parts([process("scoring")], POSTGRES, REDIS, watch, NOON)
    parts = describe_parts([silent("scoring")], None, None, watch, NOON + timedelta(minutes=9))
    assert {part.name: part.answered_at for part in parts} == {"postgres": NOON, "redis": NOON, "scoring": NOON}
    [unknown, *_] = describe_parts([], None, REDIS, Watch(), NOON)
    assert unknown.answered_at is None


def test_one_of_several_processes_is_missed_by_nobody() -> None:
    def consequences(*services: ServiceState) -> Mapping[str, str]:
        return {part.name: part.consequence for part in describe_parts(services, POSTGRES, REDIS, Watch(), NOON)}

    some = consequences(silent("announce-1"), process("announce-2"), silent("scoring_worker-1"))
    assert some["announce-1"] == REPLICAS_GO_ON
    assert some["scoring_worker-1"] == CONSEQUENCES["scoring_worker"]
    assert consequences(silent("announce-1"), silent("announce-2"))["announce-1"] == CONSEQUENCES["announce"]


def test_announce_is_down_if_none_of_its_processes_responds() -> None:
    assert not announce_is_down([silent("announce-1"), process("announce-2", "Not ready: postgres.")])
    assert announce_is_down([silent("announce-1"), process("scoring")])


def test_a_report_counts_what_is_the_trackers_fault() -> None:
    report = read_report(
        "# TYPE etracker_announce_answers counter\n"
        'etracker_announce_answers_total{kind="announce",answer="ok"} 90.0\n'
        'etracker_announce_answers_total{kind="announce",answer="unknown_key"} 5.0\n'
        'etracker_announce_answers_total{kind="announce",answer="internal"} 2.0\n'
        "# TYPE etracker_build info\n"
        'etracker_build_info{package="etracker-announce",version="1.2.3",python="3.11.7"} 1.0\n'
        "# TYPE process_start_time_seconds gauge\n"
        "process_start_time_seconds 1798804800.0\n"
    )
    assert (report.errors, report.version, report.started_at) == (2, "1.2.3", NOON)
    assert report.metrics == {"etracker_announce_answers_total": 97}
