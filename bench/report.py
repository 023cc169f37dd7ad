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
from bench.measure import MODES
from bench.names import CLUSTER, COLD, ETRACKER, GATEWAY, OTHERS, PACED, SCALE, UNDER, UNGATHERED, at_commit
from bench.plots import draw_growth, draw_shares
from bench.results import Median, Ratio, Results, Verdict

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
_LOADS = {OTHERS: "as fast as possible", PACED: "500/s"}
_RATIO_COLUMNS = tuple(f"{load}, {mode}" for load in _LOADS.values() for mode in MODES)
_BOUND_COLUMNS = ("CPU time per announce", "load", "connections", "value", "bound", "met")
_FACT_ROLES = ("scoring_worker", "postgres", "redis", "others")
_FACT_COLUMNS = ("workers", "facts/s", "CPU us/fact", *_FACT_ROLES, "WAL bytes/fact")


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
    if results.keeps:
        rows = [[name, keeps, *_ratios(results, ETRACKER, name)] for name, keeps in results.keeps.items()]
        yield "CPU time of etracker / another tracker", ("tracker", "keeps", *_RATIO_COLUMNS), rows
    if pairs := [pair for pair in _own_pairs(results) if any(_ratios(results, *pair))]:
        rows = [[f"{above} / {below}", *_ratios(results, above, below)] for above, below in pairs]
        yield "CPU time of etracker / itself", ("what", *_RATIO_COLUMNS), rows
    yield "Bounds", _BOUND_COLUMNS, [_verdict(verdict) for verdict in results.verdicts()]
    yield from _details(results)


def _own_pairs(results: Results) -> Iterator[tuple[str, str]]:
    """Return which of etracker's rows are compared with each other."""
    yield GATEWAY, ETRACKER
    yield ETRACKER, UNGATHERED
    yield CLUSTER, ETRACKER
    if results.commit:
        then = [at_commit(name, results.commit) for name in (ETRACKER, GATEWAY)]
        yield ETRACKER, then[0]
        yield GATEWAY, then[1]
        if results.given_then == then[1]:  # announce URLs led to the gateway
            yield ETRACKER, then[1]


def _ratios(results: Results, above: str, below: str) -> list[str]:
    return [_ratio(results.ratio(stage, above, below, mode)) for stage in _LOADS for mode in MODES]


def _ratio(ratio: Ratio | None) -> str:
    return f"{ratio.value:.2f} ({ratio.least:.2f} to {ratio.most:.2f})" if ratio else ""


def _details(results: Results) -> Iterator[tuple[str, Sequence[str], Rows]]:
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


def _verdict(verdict: Verdict) -> list[str]:
    load = _LOADS.get(verdict.stage, verdict.stage)
    met = "yes" if verdict.met else "no"
    return [verdict.name, load, verdict.mode, f"{verdict.value:.2f}", f"{verdict.bound:.2f}", met]


def _sentences(results: Results) -> str:
    memory = "; ".join(f"{name}: {size:.0f} bytes" for name, size in results.memory.items())
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    minutes = results.seconds / 60
    parts = [
        *(f"{name}: {why}." for name, why in results.missing.items()),
        *([f"Announce URLs of {results.commit} lead to: {results.given_then}."] if results.commit else []),
        f"Redis memory per peer: {memory or 'not measured'}.",
        f"Measured on: {machine}; the run took {minutes:.1f} minutes.",
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    found = Results.read(Path(sys.argv[1]))
    show(found)
    write_docs(found)
