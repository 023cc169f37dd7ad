"""Pictures of a summary, as SVG files that are the same for the same numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .goal import ATTACK_CHANGE, FR_OVER_C, LABELS, MEAN

BLUE, ORANGE, GREY = "#2b6cb0", "#dd6b20", "#a0aec0"
STYLE = {"svg.hashsalt": "etracker", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
REGIMES = tuple(FR_OVER_C)
KINDS = {
    "altruist": "altruists",
    "ratio_conscious": "ratio-conscious",
    "newcomer": "newcomers",
    "hit_and_run": "hit-and-run",
    "free_rider": "free-riders",
    "whitewasher": "new keys",
}


def draw_all(summary: dict[str, Any], folder: Path) -> list[Path]:
    """Draw every picture into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update(
        {"svg.hashsalt": "etracker", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    figures = {
        "policies": _policies(summary),
        "cost": _cost(summary),
        "who": _who(summary),
        "attacks": _attacks(summary),
    }
    return [_save(figure, folder / f"{name}.svg") for name, figure in figures.items()]


def _save(figure: Figure, path: Path) -> Path:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    return path


def _bars(axes: Axes, found: dict[str, Any], name: str, policies: Sequence[str]) -> None:
    values = [found[policy][name] for policy in policies]
    lows, highs = zip(*(found[policy]["ci"][name] for policy in policies), strict=True)
    reach = [
        [max(0.0, value - low) for value, low in zip(values, lows, strict=True)],
        [max(0.0, high - value) for value, high in zip(values, highs, strict=True)],
    ]
    colours = [ORANGE if policy == "equilibrium" else GREY for policy in policies]
    axes.barh(policies, values, xerr=reach, color=colours, height=0.7, error_kw={"lw": 0.8})
    axes.axvline(1.0, color="black", lw=0.8)
    axes.set_xlim(0, 1.15 * max(values))
    axes.set_ylim(len(policies) - 0.5, -0.5)


def _policies(summary: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(11, 2.8))
    panels = figure.subplots(1, len(REGIMES), sharey=True)
    for axes, regime in zip(panels, REGIMES, strict=True):
        _bars(axes, summary[regime], "fr_over_c", list(summary[regime]))
        axes.axvline(FR_OVER_C[regime], color=BLUE, lw=1, ls="--")
        axes.set_title(f"{regime}: FR/C")
    return figure


def _cost(summary: dict[str, Any]) -> Figure:
    names = ("contributors", "newcomers", "mean")
    figure = Figure(figsize=(11, 7))
    rows = figure.subplots(len(names), len(REGIMES), sharey=True)
    for name, panels in zip(names, rows, strict=True):
        for axes, regime in zip(panels, REGIMES, strict=True):
            _bars(axes, summary[regime], name, list(summary[regime]))
            axes.set_title(f"{regime}: {LABELS[name]}")
            if name == "mean":
                axes.axvline(MEAN[regime], color=BLUE, lw=1, ls="--")
    return figure


def _who(summary: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(8, 3))
    axes = figure.subplots()
    width = 0.8 / len(REGIMES)
    for place, regime in enumerate(REGIMES):
        groups = summary[regime]["equilibrium"]["groups"]
        places = [kind + (place - 1.5) * width for kind in range(len(KINDS))]
        axes.bar(places, [groups[kind] for kind in KINDS], width, label=regime)
    axes.axhline(1.0, color="black", lw=0.8)
    axes.margins(y=0.2)
    axes.set_xticks(range(len(KINDS)), list(KINDS.values()))
    axes.set_ylabel("time over a plain tracker's")
    axes.legend(ncols=len(REGIMES), frameon=False)
    return figure


def _attacks(summary: dict[str, Any]) -> Figure:
    attacks = summary["attacks"]
    figure = Figure(figsize=(8, 1 + 0.5 * len(attacks)))
    axes = figure.subplots()
    regimes = sorted({regime for found in attacks.values() for regime in found}, key=[*REGIMES, "large"].index)
    height = 0.8 / len(regimes)
    for place, regime in enumerate(regimes):
        at = [number for number, found in enumerate(attacks.values()) if regime in found]
        changes = [found[regime]["change"] for found in attacks.values() if regime in found]
        axes.barh([number + (place - (len(regimes) - 1) / 2) * height for number in at], changes, height, label=regime)
    axes.axvline(1.0, color="black", lw=0.8)
    axes.axvline(ATTACK_CHANGE, color=BLUE, lw=1, ls="--")
    axes.set_yticks(range(len(attacks)), list(attacks))
    axes.set_ylim(len(attacks) - 0.5, -0.5)
    axes.set_xlabel("FR/C relative to no attack")
    figure.legend(ncols=len(regimes), frameon=False, loc="upper right")
    return figure
