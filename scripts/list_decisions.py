"""Write docs/adr/README.md from the records next to it: ``python -m scripts.list_decisions`` (``make decisions``)."""

from pathlib import Path

DECISIONS = Path(__file__).parents[1] / "docs" / "adr"
HEAD = """\
# Decisions

Each record fits on a screen: status and date, context, decision, consequences, alternatives. Its file is named after
its title.

| | decision | status |
|---|---|---|
"""


def row(record: Path) -> str:
    """Return a record's row of the table."""
    heading, _, status = record.read_text().split("\n")[:3]
    number, title = heading.removeprefix("# ").split(". ", 1)
    return f"| {number} | [{title}]({record.name}) | {status.removeprefix('Status: ')} |\n"


if __name__ == "__main__":
    (DECISIONS / "README.md").write_text(HEAD + "".join(row(record) for record in sorted(DECISIONS.glob("[0-9]*.md"))))
