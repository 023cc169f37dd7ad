"""What is made of runs once they are played: summary, published numbers, goal, pictures and page."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from etracker_announce.domain.policies import POLICIES
from lab.attacks import PREVENTED, REFERENCE, Attack
from lab.campaign import DEFAULT, FULL, PLAIN, QUICK, Results, Task, add_up, published, tasks_of
from lab.community import Payoff
from lab.goal import checks, fresh_checks
from lab.measures import Estimate, Run
from lab.page import write_page
from lab.plots import KINDS, draw_all
from lab.regimes import LARGE, REGIMES
from lab.rehearsal import RANKED, SCALED, TIMELESS, Ranking, Real

SAME = {name: value for name, value in json.loads(json.dumps(asdict(SCALED))).items() if name in TIMELESS}
ATTACKED = ("tiny", "rich")


def run(fr_over_c: float, seconds: float) -> Run:
    return Run(fr_over_c, seconds, seconds, seconds, 0, seconds, dict.fromkeys(KINDS, seconds))


def play(task: Task) -> Run | Payoff:
    """Give every run its numbers by hand: under the default everybody takes 0.9 times as long, FR/C is 1.6 or 2.5."""
    default = task.policy == DEFAULT
    if task.regime is None:
        advantages = [1.0, 4.0] if default else [1.0, 1.0]
        return Payoff(advantages, [0, 0, 1, 2, 3], [6, task.seed, 0, 0, 0])
    fr_over_c = (1.6, 2.5)[task.seed % 2] if default else 1.0
    fr_over_c *= {Attack.FIVE_KEYS: 0.8, Attack.BURST: 0.5, Attack.NEWCOMER: 0.5}.get(task.attack, 1.0)
    return run(fr_over_c, (90.0 if default else 100.0) * (1 + task.seed))


@pytest.fixture
def summary() -> Results:
    tasks = [Task(regime, policy, seed) for regime in REGIMES for policy in POLICIES for seed in range(4)]
    tasks += [Task(regime, policy, seed) for regime in REGIMES for policy in (PLAIN, DEFAULT) for seed in range(4, 6)]
    tasks += [
        Task(regime, DEFAULT, seed, attack)
        for regime in ATTACKED
        for attack in Attack
        if attack is not Attack.NONE
        for seed in range(2)
    ]
    tasks += [Task(None, policy, seed) for policy in (PLAIN, DEFAULT) for seed in range(2)]
    return add_up({task: play(task) for task in reversed(tasks)}, dict.fromkeys(REGIMES, 4))


def test_the_published_numbers_have_the_shape_that_was_agreed(summary: Results) -> None:
    found: dict[str, Any] = json.loads(json.dumps(published(summary)))
    assert set(found) == {"tiny", "rich", "poor", "flash", "fresh", "attacks", "payoff"}
    for regime in REGIMES:
        assert set(found[regime]) == set(POLICIES)
        assert set(found["fresh"][regime]) == {DEFAULT}
        for numbers in (*found[regime].values(), found["fresh"][regime][DEFAULT]):
            assert set(numbers) == {"fr_over_c", "contributors", "newcomers", "mean", "stranded", "ci"}
            assert set(numbers["ci"]) == {"fr_over_c", "contributors", "newcomers", "mean"}
            assert all(low <= high for low, high in numbers["ci"].values())
    assert set(found["attacks"]) == {attack.value for attack in Attack if attack is not Attack.NONE}
    assert all(set(regimes) == set(ATTACKED) for regimes in found["attacks"].values())
    assert set(found["payoff"]) == {PLAIN, DEFAULT}


def test_runs_add_up_to_what_they_do_by_hand(summary: Results) -> None:
    of_default = summary["poor"][DEFAULT]
    assert of_default["fr_over_c"] == pytest.approx(2.0)  # the geometric mean of 1.6 and 2.5, twice
    assert of_default["contributors"] == of_default["newcomers"] == of_default["mean"] == pytest.approx(0.9)
    # The logarithms are 0.2231 off their mean each way: a deviation of 0.2577, and 3.182 is Student's t of 3 degrees.
    assert of_default["ci"]["fr_over_c"] == pytest.approx([2.0 / 1.507, 2.0 * 1.507], rel=0.01)
    assert (of_default["stranded"], of_default["runs"]) == (0, 4)
    assert summary["poor"][PLAIN]["mean"] == 1.0


def test_an_attack_is_held_against_the_same_seeds_without_it(summary: Results) -> None:
    assert summary["attacks"]["five keys"]["rich"]["change"] == pytest.approx(0.8)
    assert summary["attacks"]["five keys"]["rich"]["runs"] == 2
    assert summary["attacks"]["peer exchange on"]["tiny"]["change"] == pytest.approx(1.0)


def test_an_attack_with_many_keys_is_held_against_the_same_with_one(summary: Results) -> None:
    assert REFERENCE == {Attack.BURST: Attack.NEWCOMER}
    assert summary["attacks"][Attack.NEWCOMER.value]["rich"]["change"] == pytest.approx(0.5)
    assert summary["attacks"][Attack.BURST.value]["rich"]["change"] == pytest.approx(1.0)


def test_seeds_that_follow_the_chosen_ones_are_summarised_apart(summary: Results) -> None:
    assert {summary["fresh"][regime][DEFAULT]["runs"] for regime in REGIMES} == {2}
    summary["fresh"]["flash"][DEFAULT]["fr_over_c"] = 1.59
    assert [check.what for check in fresh_checks(summary) if not check.met] == [
        "flash: free-riders over contributors (FR/C)"
    ]
    assert "flash: free-riders over contributors (FR/C)" in [check.what for check in checks(summary) if check.met]


def test_the_payoff_is_over_the_pairs_of_all_communities(summary: Results) -> None:
    payoff = summary["payoff"][DEFAULT]
    assert payoff["advantage"] == pytest.approx(2.0)
    assert payoff["tiers_of_seeders"] == [0, 0, 2, 4, 6]
    assert payoff["tiers_of_leavers"] == [12, 1, 0, 0, 0]
    assert summary["payoff"][PLAIN]["advantage"] == 1.0


def test_the_goal_covers_every_regime_the_attacks_and_the_payoff(summary: Results) -> None:
    found = checks(summary)
    assert len(found) == 4 * 5 + len(PREVENTED) * len(ATTACKED) + 1
    missed = [check.what for check in found if not check.met]
    assert missed == [f"five keys, {regime}: FR/C changes by the factor" for regime in ATTACKED]
    summary["flash"][DEFAULT]["stranded"] = 1
    assert "flash: stranded" in [check.what for check in checks(summary) if not check.met]


def test_bounds_are_on_the_right_side(summary: Results) -> None:
    summary["tiny"][DEFAULT] |= {"fr_over_c": 1.54, "contributors": 1.03, "newcomers": 1.21, "mean": 1.16}
    summary["rich"][DEFAULT] |= {"fr_over_c": 1.6, "contributors": 1.02, "newcomers": 1.2, "mean": 1.3}
    by_regime = {regime: [c.met for c in checks(summary) if c.what.startswith(f"{regime}: ")] for regime in REGIMES}
    assert by_regime["tiny"] == [False, False, False, False, True]
    assert by_regime["rich"] == [True, True, True, True, True]


def write(folder: Path, summary: Results, parameters: dict[str, Any]) -> str:
    simulated = {policy: Estimate(value, value, value) for policy, value in zip(RANKED, (1.0, 2.0, 3.0), strict=True)}
    real = Real(dict(zip(RANKED, (0.8, 1.3, 2.1), strict=True)), parameters)
    write_page(folder / "equilibrium.md", summary, Ranking(simulated, real), 2.5)
    return (folder / "equilibrium.md").read_text()


def test_the_page_says_what_was_found_and_what_was_missed(tmp_path: Path, summary: Results) -> None:
    page = write(tmp_path, summary, SAME)
    assert "| `equilibrium` |" + 4 * " 2.00 / 0.90 / 0.90 / 0.90 |" in page
    assert page.count("| rich: free-riders over contributors (FR/C) | 2.000 (") == 2
    assert page.count("**missed**") == len(ATTACKED)
    assert "| five keys | rich | 1.60 | 0.80 (0.80 to 0.80) | 1.00 (1.00 to 1.00) | 1.00 (1.00 to 1.00) |" in page
    assert "- **Free-riders** take 0.90 to 0.90 times as long" in page
    assert "4 of `random` and `equilibrium`, 4 of the other policies, 2 to 2 of attacks" in " ".join(page.split())
    assert "took 2.5 minutes" in page
    assert "{" not in page


def test_the_page_names_parameters_of_real_runs_only_if_they_were_others(tmp_path: Path, summary: Results) -> None:
    assert "The real runs were made with" not in write(tmp_path, summary, SAME)
    assert f"`phi` 0.3 and not {SCALED.phi}" in write(tmp_path, summary, {**SAME, "phi": 0.3})


def test_the_same_numbers_draw_the_same_pictures(tmp_path: Path, summary: Results) -> None:
    drawn, again = draw_all(summary, tmp_path / "one"), draw_all(summary, tmp_path / "other")
    assert {path.name for path in drawn} == {"policies.svg", "cost.svg", "who.svg", "attacks.svg"}
    assert [path.read_bytes() for path in drawn] == [path.read_bytes() for path in again]


@pytest.mark.parametrize("plan", [FULL, QUICK])
def test_every_run_has_its_pair_and_long_ones_go_first(plan: Any) -> None:
    tasks = tasks_of(plan)
    assert [task.cost for task in tasks] == sorted((task.cost for task in tasks), reverse=True)
    assert len(set(tasks)) == len(tasks)
    for regime in REGIMES:
        seeds = {p: {t.seed for t in tasks if (t.regime, t.policy, t.attack) == (regime, p, "none")} for p in POLICIES}
        chosen, fresh = set(range(plan.regimes[regime])), plan.fresh[regime]
        assert seeds[PLAIN] == seeds[DEFAULT] == set(range(len(chosen) + fresh))
        assert all(own == chosen for policy, own in seeds.items() if policy not in (PLAIN, DEFAULT))
    unattacked = {(t.regime, t.seed) for t in tasks if t.attack is Attack.NONE and t.policy == DEFAULT}
    assert {(t.regime, t.seed) for t in tasks if t.attack is not Attack.NONE} <= unattacked
    assert (LARGE.name in {task.regime for task in tasks}) is (plan is FULL)
