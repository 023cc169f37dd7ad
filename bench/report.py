"""Shows the results of a run as tables on the terminal, the same as Markdown, and two plots.

``python -m bench.report build/bench.json`` writes them into ``docs/``.
"""

import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.facts import FactSample
from bench.plots import draw_growth, draw_shares
from bench.results import COLD, OTHERS, PACED, SCALE, UNDER, Median, Ratio, Results

DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEADINGS = {
    OTHERS: "As fast as possible",
    PACED: "At 500 announces per second",
    COLD: "First announces of a key or a torrent after the start",
    SCALE: "As the tracker grows",
    UNDER: "Under the default policy and under that of plain trackers",
}
PICTURES = (
    "![CPU time per announce by process](pictures/benchmark-cpu.svg)\n",
    "![CPU time per announce as the tracker grows](pictures/benchmark-growth.svg)\n",
)
Rows = Sequence[Sequence[str]]

_COLUMNS = (
    "tracker",
    "connections",
    "announces/s",
    "p50 ms",
    "p99 ms",
    "CPU us/announce",
    "min to max",
    "peers/answer",
)
_FACT_ROLES = ("scoring_worker", "postgres", "redis", "others")
_FACT_COLUMNS = ("workers", "facts/s", "CPU us/fact", *_FACT_ROLES, "WAL bytes/fact")
_RATIO_COLUMNS = ("CPU time per announce", "connections", "ratio", "bound", "met")


def show(results: Results) -> None:
    """Print the tables."""
    console = Console(width=max(Console().width, 150))
    for heading, columns, rows in _tables(results):
        table = Table(title=heading, title_justify="left")
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    console.print(_sentences(results))


def write_docs(results: Results, docs: Path = DOCS) -> None:
    """Draw the plots and replace the measured part of ``benchmarks.md``."""
    pictures = docs / "pictures"
    pictures.mkdir(exist_ok=True)
    draw_shares(results.medians(), pictures / "benchmark-cpu.svg")
    draw_growth(results.medians(), pictures / "benchmark-growth.svg")
    page = docs / "benchmarks.md"
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n{END}{after}")


def markdown(results: Results) -> str:
    """Return the tables as Markdown."""
    parts = []
    for heading, columns, rows in _tables(results):
        lines = ["| " + " | ".join(row) + " |" for row in (columns, ["---"] * len(columns), *rows)]
        parts.append(f"### {heading}\n\n" + "\n".join(lines) + "\n")
    return "\n".join([*parts, _sentences(results), *PICTURES])


def _tables(results: Results) -> Iterator[tuple[str, Sequence[str], Rows]]:
    medians = results.medians()
    for stage, heading in HEADINGS.items():
        found = [median for median in medians if median.stage == stage]
        if found:
            yield heading, _COLUMNS, [_row(median) for median in found]
    roles = list(dict.fromkeys(role for median in medians if len(median.cpu_us) > 1 for role in median.cpu_us))
    shares = [_shares(median, roles) for median in medians if len(median.cpu_us) > 1]
    yield "CPU us per announce, by process", ("what", "connections", *roles), shares
    if results.facts:
        yield "Facts settled, by number of scoring workers", _FACT_COLUMNS, _fact_rows(results.facts)
    yield "Bounds", _RATIO_COLUMNS, [_ratio(ratio) for ratio in results.ratios()]


def _row(median: Median) -> list[str]:
    return [
        median.target,
        median.mode,
        f"{median.announces_per_second:,.0f}",
        f"{median.p50_ms:.1f}",
        f"{median.p99_ms:.1f}",
        f"{median.total_cpu_us:.0f}",
        f"{median.least_cpu_us:.0f} to {median.most_cpu_us:.0f}",
        f"{median.peers_per_answer:.1f}",
    ]


def _fact_rows(samples: Sequence[FactSample]) -> Rows:
    rows = []
    for workers in dict.fromkeys(sample.workers for sample in samples):
        found = [sample for sample in samples if sample.workers == workers]
        roles = [statistics.median(sample.cpu_us[role] for sample in found) for role in _FACT_ROLES]
        rate = statistics.median(sample.facts_per_second for sample in found)
        logged = statistics.median(sample.wal_bytes for sample in found)
        rows.append(
            [str(workers), f"{rate:,.0f}", *(f"{spent:.1f}" for spent in (sum(roles), *roles)), f"{logged:.0f}"]
        )
    return rows


def _shares(median: Median, roles: Sequence[str]) -> list[str]:
    shares = [f"{median.cpu_us.get(role, 0.0):.1f}" for role in roles]
    return [f"{median.target}, {median.stage}", median.mode, *shares]


def _ratio(ratio: Ratio) -> list[str]:
    return [ratio.name, ratio.mode, f"{ratio.value:.2f}", f"{ratio.bound:.1f}", "yes" if ratio.met else "no"]


def _sentences(results: Results) -> str:
    memory = "; ".join(f"{name}: {size:.0f} bytes" for name, size in results.memory.items())
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    minutes = results.seconds / 60
    where = f"Measured on: {machine}; the run took {minutes:.1f} minutes."
    return f"Redis memory per peer: {memory or 'not measured'}.\n\n{where}\n"


if __name__ == "__main__":
    found = Results.read(Path(sys.argv[1]))
    show(found)
    write_docs(found)
