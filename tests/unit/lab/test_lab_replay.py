"""The detector judges a small trace as an operator would run it."""

from pathlib import Path

from lab.detection.evaluation import evaluate
from lab.detection.goals import of_kind
from lab.detection.worlds import make_trace


def test_replay_finds_contradictions_and_confirms_no_honest_key(tmp_path: Path) -> None:
    tally = evaluate(make_trace("small", 1003, days=2), tmp_path)
    assert tally.honest_days > 100
    assert tally.confirmations == 0
    found = [outcome for kind in ("ratio_spoof", "ratioup") for outcome in of_kind(tally.outcomes, kind)]
    assert found
    assert all(outcome.confirmed is not None for outcome in found)
