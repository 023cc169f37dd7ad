"""Rules of the house that no linter knows. Import contracts stand in pyproject.toml."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from etracker_shared.agreements import redis_keys

ROOT = Path(__file__).parents[2]
CODE = ("shared", "migrations", "services", "deploy", "lab", "bench", "scripts")
BUILDERS = {
    "FastAPI",
    "create_app",
    "create_worker_app",
    "load_settings",
    "create_async_engine",
    "create_pool",
    "connect_redis",
}


def _modules(*directories: str) -> list[Path]:
    found = [path for directory in directories for path in (ROOT / directory).rglob("*.py")]
    return [path for path in found if not {"build", "node_modules", ".venv"} & set(path.relative_to(ROOT).parts)]


def _names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_no_module_is_longer_than_350_lines() -> None:
    assert not _names([path for path in _modules(*CODE, "tests") if len(path.read_text().splitlines()) > 350])


def test_no_function_is_longer_than_60_lines() -> None:
    functions = [
        (path.name, node.name)
        for path in _modules(*CODE, "tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert not functions


def test_no_module_is_named_for_nothing() -> None:
    meaningless = {"utils.py", "util.py", "helpers.py", "common.py", "manager.py", "core.py", "misc.py"}
    assert not _names([path for path in _modules(*CODE, "tests") if path.name in meaningless])


@pytest.mark.parametrize("path", _modules("services", "shared"), ids=lambda path: path.stem)
def test_nothing_is_built_when_a_module_is_imported(path: Path) -> None:
    assert not [call for call in _calls_on_import(ast.parse(path.read_text())) if call in BUILDERS]


def _calls_on_import(module: ast.Module) -> Iterator[str]:
    for statement in module.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If):
            continue  # an If is ``if __name__ == "__main__"``
        for node in ast.walk(statement):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func).rpartition(".")[2]


def test_tests_use_no_doubles_of_drivers_and_skip_nothing() -> None:
    forbidden = re.compile(
        r"unittest\.mock|monkeypatch\.setattr|mocker\b|fakeredis|pytest\.skip|mark\.skip|mark\.xfail|importorskip"
    )
    modules = [path for path in _modules("tests") if path != Path(__file__)]
    assert not _names([path for path in modules if forbidden.search(path.read_text())])


def test_only_tests_of_a_front_end_speak_its_protocol() -> None:
    spoken = re.compile(r"^(import fastbencode|from tests\.support\.announce import)", re.MULTILINE)
    modules = [path for path in _modules("tests/unit/announce") if spoken.search(path.read_text())]
    assert modules
    front_end = re.compile(r"etracker_announce\.frontends|\bask\(")  # support's ask() goes through a handler
    assert not _names([path for path in modules if not front_end.search(path.read_text())])


def test_only_one_module_spells_redis_keys() -> None:
    spelled = re.compile(rb"[\"'](facts:|newhash:|limit:|\{[0-9a-f%x]{2,4}\}[mslf])")
    others = [path for path in _modules("services", "shared", "deploy") if path != Path(redis_keys.__file__)]
    assert not _names([path for path in others if spelled.search(path.read_bytes())])
