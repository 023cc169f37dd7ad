"""Ratios, bounds and tables: what a reader of a run believes."""

from pathlib import Path

import pytest

from bench.measure import KEEP_ALIVE, NEW_CONNECTION, Sample
from bench.names import CLUSTER, ETRACKER, GATEWAY, OPENTRACKER, OTHERS, PACED, UNGATHERED, WEBTORRENT, at_commit
from bench.report import markdown, write_docs
from bench.results import Ratio, Results, Verdict


def sample(target: str, cpu_us: float, *, stage: str = OTHERS, mode: str = KEEP_ALIVE, p50_ms: float = 1.0) -> Sample:
    return Sample(
        stage=stage,
        target=target,
        mode=mode,
        rate=500.0 if stage == PACED else None,
        announces=1_000,
        announces_per_second=5_000.0,
        p50_ms=p50_ms,
        p99_ms=2 * p50_ms,
        cpu_us={"announce": cpu_us / 2, "redis": cpu_us / 2},
        peers_per_answer=20.0,
        answer_bytes=200.0,
        connections=32,
        resent=0,
    )


def verdicts(results: Results) -> dict[tuple[str, str, str], Verdict]:
    return {(verdict.name, verdict.stage, verdict.mode): verdict for verdict in results.verdicts()}


def test_a_ratio_is_taken_within_each_round() -> None:
    rounds = [(100, 50), (300, 100), (90, 45)]
    results = Results(
        samples=[sample(name, us) for pair in rounds for name, us in zip((ETRACKER, "x"), pair, strict=True)]
    )
    assert results.ratio(OTHERS, ETRACKER, "x", KEEP_ALIVE) == Ratio(2.0, 2.0, 3.0)
    assert results.ratio(OTHERS, ETRACKER, "x", NEW_CONNECTION) is None
    assert results.ratio(PACED, ETRACKER, "x", KEEP_ALIVE) is None


def test_an_interrupted_round_still_has_a_table() -> None:
    results = Results(samples=[sample(ETRACKER, 100), sample(WEBTORRENT, 100), sample(ETRACKER, 500)])
    assert results.ratio(OTHERS, ETRACKER, WEBTORRENT, KEEP_ALIVE) == Ratio(1.0, 1.0, 1.0)
    assert "| etracker |" in markdown(results)


@pytest.mark.parametrize(("cpu_us", "met"), [(75, True), (76, False)])
def test_gathering_has_to_save_a_quarter_at_the_steady_rate(cpu_us: float, met: bool) -> None:
    results = Results(samples=[sample(ETRACKER, cpu_us, stage=PACED), sample(UNGATHERED, 100, stage=PACED)])
    assert verdicts(results)[f"{ETRACKER} / {UNGATHERED}", PACED, KEEP_ALIVE].met is met


@pytest.mark.parametrize(("p50_ms", "met"), [(20.0, True), (20.5, False)])
def test_half_of_the_announces_are_answered_in_time_at_the_steady_rate(p50_ms: float, met: bool) -> None:
    results = Results(samples=[sample(ETRACKER, 100, stage=PACED, p50_ms=p50_ms)])
    assert verdicts(results)[f"{ETRACKER}: p50 in ms", PACED, KEEP_ALIVE].met is met


@pytest.mark.parametrize("stage", [OTHERS, PACED])
def test_ways_in_and_the_cluster_have_bounds_at_both_loads(stage: str) -> None:
    costs = {ETRACKER: 100, GATEWAY: 251, CLUSTER: 199, WEBTORRENT: 80}
    found = verdicts(Results(samples=[sample(name, cost, stage=stage) for name, cost in costs.items()]))
    assert not found[f"{GATEWAY} / {ETRACKER}", stage, KEEP_ALIVE].met
    assert found[f"{CLUSTER} / {ETRACKER}", stage, KEEP_ALIVE].met
    assert not found[f"{ETRACKER} / {WEBTORRENT}", stage, KEEP_ALIVE].met


def compared_with_older_code() -> Results:
    then = [at_commit(name, "abc123") for name in (ETRACKER, GATEWAY)]
    costs = {ETRACKER: 70, GATEWAY: 150, then[0]: 100, then[1]: 200}
    samples = [sample(name, cost, stage=PACED) for name, cost in costs.items()]
    return Results(samples=samples, commit="abc123", given_then=then[1])


def test_older_code_is_compared_way_by_way_and_by_the_urls_that_users_were_given() -> None:
    table = markdown(compared_with_older_code())
    cells = {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines() if " / " in line}
    assert "0.70" in cells["etracker / etracker at abc123"]
    assert "0.75" in cells["etracker through the gateway / etracker at abc123 through the gateway"]
    assert "0.35" in cells["etracker / etracker at abc123 through the gateway"]
    assert "Announce URLs of abc123 lead to: etracker at abc123 through the gateway." in table


def test_older_code_has_a_bound_at_the_steady_rate() -> None:
    assert verdicts(compared_with_older_code())["etracker / etracker at abc123", PACED, KEEP_ALIVE].met


def test_tables_begin_with_the_ratios_to_other_trackers() -> None:
    results = Results(
        samples=[sample(OPENTRACKER, 25), sample(ETRACKER, 100)],
        keeps={OPENTRACKER: "nothing"},
        missing={"chihaya": "chihaya not found on the PATH, not measured"},
    )
    table = markdown(results)
    assert table.startswith("### CPU time of etracker / another tracker\n")
    assert "| opentracker | nothing | 4.00 (4.00 to 4.00) |" in table
    assert "\nchihaya: chihaya not found on the PATH, not measured.\n" in table


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = compared_with_older_code()
    results.missing["chihaya"] = "not found"
    results.write(tmp_path / "bench.json")
    assert Results.read(tmp_path / "bench.json") == results


def test_only_the_measured_part_of_the_page_is_written(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n")
    write_docs(compared_with_older_code(), tmp_path)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old\n" not in text
    assert "0.70" in text
    assert (tmp_path / "pictures" / "benchmark-cpu.svg").exists()
