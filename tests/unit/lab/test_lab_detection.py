"""Verdicts are compared with the truth as docs/detection.md says."""

from pathlib import Path
from typing import Any

from lab.detection.announces import Announce, Label
from lab.detection.evaluation import Tally, compare, median_delay_hours, recall
from lab.detection.goals import checks
from lab.detection.page import write_page
from lab.detection.plots import draw_recall
from lab.detection.results import Result, ResultFile, sum_up

HONEST, OFFENDER, SMALL = "aa", "bb", "cc"
LABELS = [
    Label(HONEST),
    Label(OFFENDER, "joal", 10_000, 2**31, "100 kB/s"),
    Label(SMALL, "joal", 10_000, 2**20, "1 kB/s"),
]


def announce(key: str, time: int) -> Announce:
    return Announce(time, key, "198.18.0.1", 6881, "00" * 20, "x" * 20, 0, 0, 0, None, None, "agent", None, None)


def line(key: str, state: str, time: int) -> dict[str, Any]:
    return {"time": time, "key": key, "state": state, "score": 50, "kinds": ["F:mod5"], "text": "multiples of 5"}


def tally(*lines: dict[str, Any]) -> Tally:
    announces = [announce(key, time) for key in (HONEST, OFFENDER) for time in range(0, 86400, 600)]
    return compare(announces, LABELS, lines)


def test_days_are_those_of_honest_keys_only() -> None:
    assert tally().honest_days == 1


def test_a_small_offence_counts_neither_as_found_nor_as_missed() -> None:
    found = tally(line(SMALL, "confirmed", 20_000))
    assert [outcome.strength for outcome in found.outcomes] == ["100 kB/s"]
    assert recall(found.outcomes, "confirmed") == 0


def test_delay_counts_from_the_first_offence() -> None:
    found = tally(line(OFFENDER, "suspected", 13_600), line(OFFENDER, "confirmed", 17_200))
    assert recall(found.outcomes, "suspected") == 1
    assert median_delay_hours(found.outcomes) == 2


def test_an_honest_key_counts_each_time_that_it_is_accused() -> None:
    states = ("suspected", "confirmed", "suspected", "cleared", "suspected")
    found = tally(*(line(HONEST, state, time) for time, state in enumerate(states)))
    assert (found.suspicions, found.confirmations) == (2, 1)
    assert found.per_10000(found.confirmations) == 10_000


def test_the_goal_is_missed_by_wrong_confirmations() -> None:
    found = {"mixed": tally(line(HONEST, "confirmed", 1), line(OFFENDER, "confirmed", 13_600))}
    met = {check.what: check.met for check in checks(found)}
    assert not met["honest keys confirmed, per 10,000 days"]
    assert met["joal confirmed (mixed)"]


def test_a_page_without_numbers_says_so(tmp_path: Path) -> None:
    write_page(tmp_path / "detection.md", {}, "")
    assert "No numbers yet" in (tmp_path / "detection.md").read_text()


def test_the_page_and_its_picture_are_made_of_the_numbers(tmp_path: Path) -> None:
    found = {"mixed": tally(line(OFFENDER, "confirmed", 17_200))}
    write_page(tmp_path / "detection.md", found, "0 to 7")
    draw_recall(found, tmp_path / "recall.svg")
    assert "| `joal` | mixed | 1 | 100% | 100% | 2.0 |" in (tmp_path / "detection.md").read_text()
    assert (tmp_path / "recall.svg").stat().st_size > 1000


def test_results_written_before_an_interruption_are_kept(tmp_path: Path) -> None:
    file = ResultFile(tmp_path / "build" / "results.jsonl")
    file.begin()
    first = Result("mixed", 0, tally(line(HONEST, "confirmed", 1), line(OFFENDER, "confirmed", 13_600)))
    file.append(first)
    with (tmp_path / "build" / "results.jsonl").open("a") as cut_short:
        cut_short.write('\n{"setting": "mixed", "se')
    second = Result("closed", 0, tally())
    file.append(second)
    assert file.read() == {("mixed", 0): first, ("closed", 0): second}


def test_results_are_added_up_by_setting() -> None:
    results = [Result("mixed", seed, tally(line(HONEST, "suspected", 1))) for seed in range(2)]
    assert {name: found.suspicions for name, found in sum_up(results, ("mixed", "closed")).items()} == {
        "mixed": 2,
        "closed": 0,
    }
