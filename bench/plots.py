"""Two plots: the CPU time of an announce by process, and how it changes as the tracker grows."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.measure import MODES
from bench.names import OTHERS, SCALE
from bench.results import Median

mpl.rcParams["svg.hashsalt"] = "etracker"  # the same numbers draw the same file


def draw_shares(medians: Sequence[Median], path: Path) -> None:
    """Draw each tracker's CPU time per announce, stacked by process."""
    _draw([median for median in medians if median.stage == OTHERS], path)


def draw_growth(medians: Sequence[Median], path: Path) -> None:
    """Draw our CPU time per announce against the number of peers and swarms."""
    _draw([median for median in medians if median.stage == SCALE], path)


def _draw(medians: Sequence[Median], path: Path) -> None:
    targets = list(dict.fromkeys(median.target for median in medians))
    figure = Figure(figsize=(9, 1 + 0.6 * len(targets)), layout="constrained")
    axes = figure.subplots(1, len(MODES), sharex=True, sharey=True, squeeze=False)[0]
    roles = list(dict.fromkeys(role for median in medians for role in median.cpu_us))
    for ax, mode in zip(axes, MODES, strict=True):
        _stack(ax, [median for median in medians if median.mode == mode], roles)
        ax.set_title(mode)
    axes[0].invert_yaxis()
    figure.supxlabel("CPU time per announce, microseconds")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    figure.savefig(path, metadata={"Date": None})


def _stack(ax: Axes, medians: Sequence[Median], roles: Sequence[str]) -> None:
    targets = [median.target for median in medians]
    left = [0.0] * len(medians)
    for number, role in enumerate(roles):
        widths = [median.cpu_us.get(role, 0.0) for median in medians]
        ax.barh(targets, widths, left=left, label=role, color=mpl.colormaps["tab20"](number))
        left = [start + width for start, width in zip(left, widths, strict=True)]
