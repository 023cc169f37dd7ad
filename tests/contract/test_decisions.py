"""Decision records: named after their titles, dated, listed, and linked to where they are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "adr"
RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"['`]", "", title.lower())).strip("-")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name[:4])
def test_a_record_is_named_after_its_title_and_says_its_status_and_date(record: Path) -> None:
    heading, blank, status = record.read_text().split("\n")[:3]
    number, title = heading.removeprefix("# ").split(". ", 1)
    assert record.name == f"{int(number):04d}-{_slug(title)}.md"
    assert blank == ""
    assert re.match(r"Status: (accepted|rejected|superseded), \d{4}-\d{2}-\d{2}", status)


def test_the_index_lists_every_record_with_its_title_and_status() -> None:
    rows = [
        line for line in (DECISIONS / "README.md").read_text().split("\n") if line.startswith("| ") and "](" in line
    ]
    expected = []
    for record in RECORDS:
        heading, _, status = record.read_text().split("\n")[:3]
        number, title = heading.removeprefix("# ").split(". ", 1)
        expected.append(f"| {number} | [{title}]({record.name}) | {status.removeprefix('Status: ')} |")
    assert rows == expected


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    files = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in files if not (document.parent / link).exists()] == []
