"""One thing has one class: two with the same fields in one service are converted into each other for nothing."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("services/announce", "services/scoring", "services/admin_api", "shared")
ALIKE_BY_CHANCE = {
    frozenset({"StatsHistory", "TorrentHistory"}),  # samples of different kinds
    # items of different kinds
    frozenset({"AnomalyList", "AuditList", "BanList", "EvidenceList", "KeyList", "TorrentPage"}),
    frozenset({"BanChange", "Terms"}),  # what may be left out, and what a ban has
    # base64 of the original API, hex, one of many, and what a response names
    frozenset({"BulkInfoHash", "InfoHashRequest", "NewInfoHash", "TorrentName"}),
    frozenset({"HalfLives", "ScoreParts"}),  # days and points
}


def classes_in(package: str) -> Iterator[tuple[Path, ast.ClassDef]]:
    for path in (ROOT / package).rglob("*.py"):
        if "build" not in path.relative_to(ROOT).parts:
            yield from (
                (path, node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)
            )


def fields_of(definition: ast.ClassDef) -> frozenset[str]:
    return frozenset(
        statement.target.id
        for statement in definition.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_classes_of_a_service_have_the_same_fields(package: str) -> None:
    classes: dict[frozenset[str], set[str]] = defaultdict(set)
    for _, definition in classes_in(package):
        if len(fields_of(definition)) > 1:
            classes[fields_of(definition)].add(definition.name)
    assert len(classes) > 5
    assert [names for names in classes.values() if len(names) > 1 and frozenset(names) not in ALIKE_BY_CHANCE] == []


def test_a_condition_has_one_error_in_all_services() -> None:
    """Postgres being down, above all: whoever handles it must not miss the one of another module."""
    defined: dict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for path, definition in classes_in(package):
            if definition.name.endswith("Error"):
                defined[definition.name].append(str(path.relative_to(ROOT)))
    assert defined["PostgresUnavailableError"] == ["shared/etracker_shared/language/outages.py"]
    assert {name: places for name, places in defined.items() if len(places) > 1} == {}
