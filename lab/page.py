"""Writes ``docs/equilibrium.md``: how the default policy affects each kind of user, for operators."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from etracker_announce.domain.policies.equilibrium import DEFAULTS, EquilibriumParameters, tau_of
from etracker_shared.agreements.policies import PolicyName

from .goal import FR_OVER_C, Check, checks, fresh_checks
from .plots import KINDS
from .rehearsal import Ranking

POLICIES = {
    PolicyName.RANDOM: "any peers, as a plain tracker gives them",
    PolicyName.ANNOUNCES: "one peer more for every torrent announced",
    PolicyName.SEEDS: "one peer more for every torrent seeded",
    PolicyName.GOOD_SEEDS: "a longer list for who seeds much and gave back what it took",
    PolicyName.RATIO: "a shorter list for who stopped seeding and has a bad ratio (the original's default)",
    PolicyName.TIERS: "peers of one's own tier or below, one tier more with every interval",
    PolicyName.EQUILIBRIUM: "the default, described here",
}

_OF_ATTACKS = {"change": "FR/C, relative", "attackers": "attackers' time", "contributors": "contributors' time"}

_TEMPLATE = Path(__file__).with_name("page.md")


def write_page(path: Path, summary: dict[str, Any], ranking: Ranking, minutes: float) -> None:
    """Write the page from a summary, the results of real clients, and how long all the runs took."""
    payoff = summary["payoff"]
    path.write_text(
        _TEMPLATE.read_text().format(
            short=_short(summary),
            phi=DEFAULTS.phi,
            steps=", ".join(f"{step:g}" for step in DEFAULTS.steps),
            height=sum(DEFAULTS.steps),
            pace=DEFAULTS.pace / 1e6,
            tau_small=tau_of(4 * 10**9, DEFAULTS) / 60,
            tau_crowd=tau_of(4 * 10**9, DEFAULTS, DEFAULTS.largest_crowd) / 60,
            crowd=DEFAULTS.crowd,
            largest=DEFAULTS.largest_crowd,
            seeders=_guarantees(DEFAULTS),
            share=f"{DEFAULTS.seeders_share:.1%}",
            exact=DEFAULTS.exact_up_to,
            leechers=DEFAULTS.leechers,
            fewest=DEFAULTS.fewest,
            policies="\n".join(f"- `{name}`: {what}." for name, what in POLICIES.items()),
            table=_policy_table(summary),
            goal=_goal_table(checks(summary)),
            fresh=_goal_table(fresh_checks(summary)),
            attacks=_attack_table(summary["attacks"]),
            days=20,
            random=payoff["random"]["advantage"],
            equilibrium=payoff["equilibrium"]["advantage"],
            low=payoff["equilibrium"]["ci"][0],
            high=payoff["equilibrium"]["ci"][1],
            lines="1 to 500",
            runs=f"{_runs(summary)}; all of them took {minutes:.1f} minutes on {os.cpu_count()} cores",
            ranking=_ranking_table(ranking),
            verdict=_verdict(ranking),
        )
    )


def _short(summary: dict[str, Any]) -> str:
    lines = []
    for kind, name in KINDS.items():
        factors = [summary[regime]["equilibrium"]["groups"][kind] for regime in FR_OVER_C]
        factor = f"{min(factors):.2f} to {max(factors):.2f}"
        lines.append(f"- **{name.capitalize()}** take {factor} times as long as under a plain tracker.")
    stranded = sum(summary[regime]["equilibrium"]["stranded"] for regime in FR_OVER_C)
    lines.append(f"- People who never completed: {stranded}.")
    return "\n".join(lines)


def _runs(summary: dict[str, Any]) -> str:
    """State how many paired runs the page is based on."""
    of_policies = {policy: [summary[regime][policy]["runs"] for regime in FR_OVER_C] for policy in POLICIES}
    compared = (PolicyName.RANDOM, PolicyName.EQUILIBRIUM)
    both = min(count for policy in compared for count in of_policies[policy])
    others = min(count for policy, counts in of_policies.items() if policy not in compared for count in counts)
    attacks = [found["runs"] for regimes in summary["attacks"].values() for found in regimes.values()]
    counts = f"{min(attacks)} to {max(attacks)}"
    return f"{both} of `random` and `equilibrium`, {others} of the other policies, {counts} of attacks"


def _guarantees(parameters: EquilibriumParameters) -> str:
    return ", ".join("all" if wanted is None else str(wanted) for wanted in parameters.seeders)


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows))


def _policy_table(summary: dict[str, Any]) -> str:
    rows = [
        [f"`{policy}`", *(" / ".join(_numbers(summary[regime][policy])) for regime in FR_OVER_C)] for policy in POLICIES
    ]
    return _markdown(["policy: FR/C / contributors / newcomers / everyone", *FR_OVER_C], rows)


def _numbers(found: dict[str, Any]) -> list[str]:
    numbers = [f"{found[name]:.2f}" for name in ("fr_over_c", "contributors", "newcomers", "mean")]
    return [*numbers, f"{found['stranded']} stranded"] if found["stranded"] else numbers


def _goal_table(found: Sequence[Check]) -> str:
    rows = [
        [
            check.what,
            f"{check.value:.3f} ({check.low:.3f} to {check.high:.3f})",
            f"{'at least' if check.at_least else 'at most'} {check.bound:g}",
            "met" if check.met else "**missed**",
        ]
        for check in found
    ]
    return _markdown(["what", "found (95 %)", "goal", ""], rows)


def _attack_table(attacks: dict[str, Any]) -> str:
    rows = [
        [attack, regime, f"{found['fr_over_c']:.2f}", *(_with_interval(found, name) for name in _OF_ATTACKS)]
        for attack, regimes in attacks.items()
        for regime, found in regimes.items()
    ]
    return _markdown(["attack", "regime", "FR/C", *_OF_ATTACKS.values()], rows)


def _with_interval(found: dict[str, Any], name: str) -> str:
    return "{:.2f} ({:.2f} to {:.2f})".format(found[name], *found["ci"][name])


def _ranking_table(ranking: Ranking) -> str:
    rows = [
        [
            f"`{policy}`",
            f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})",
            "" if ranking.real is None else f"{ranking.real.fr_over_c[policy]:.2f}",
        ]
        for policy, found in ranking.simulated.items()
    ]
    return _markdown(["policy", "FR/C simulated (95 %)", "FR/C of real clients, median"], rows)


def _verdict(ranking: Ranking) -> str:
    if ranking.real is None:
        return "Real clients haven't been measured on this machine: run `make equilibrium-real`."
    verdict = f"Both rank the policies {'in the same order' if ranking.agrees else 'differently'}."
    others = [f"`{name}` {real} and not {here}" for name, (real, here) in ranking.real.differing.items()]
    return verdict + (f" The real runs were made with {', '.join(others)}." if others else "")
