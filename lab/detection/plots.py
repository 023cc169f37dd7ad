"""The picture of docs/detection.md."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from .evaluation import Tally, recall
from .goals import of_kind
from .offenders import KINDS

BLUE, GREY = "#2b6cb0", "#a0aec0"


def draw_recall(tallies: Mapping[str, Tally], path: Path) -> None:
    """Draw the shares of each kind suspected and confirmed, one panel per setting."""
    mpl.rcParams.update(
        {"svg.hashsalt": "etracker", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    figure = Figure(figsize=(3 + 2 * len(tallies), 5))
    panels = figure.subplots(1, len(tallies), sharey=True, squeeze=False)[0]
    for axes, (setting, tally) in zip(panels, tallies.items(), strict=True):
        for state, colour in (("suspected", GREY), ("confirmed", BLUE)):
            shares = [recall(of_kind(tally.outcomes, kind), state) or 0.0 for kind in KINDS]
            axes.barh(KINDS, shares, color=colour, height=0.7, label=state)
        axes.set_title(setting)
        axes.set_xlim(0, 1)
        axes.set_ylim(len(KINDS) - 0.5, -0.5)
    panels[-1].legend(frameon=False, loc="lower right")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
