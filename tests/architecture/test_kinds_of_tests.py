"""Kinds of tests that hold no promise, or tie others to themselves: none in tests."""

import ast
import builtins
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "tests").rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in MODULES:
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def _tests(module: ast.Module) -> Iterator[Function]:
    for node in ast.walk(module):
        if isinstance(node, Function) and node.name.startswith("test_"):
            yield node


# Imports: what two modules of tests share stands in tests/support, or next to both of them.


def _imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{name.name}" for name in node.names))
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def _is_anothers(name: str, importer: str) -> bool:
    """Return whether a module is a test module, a conftest, or something of another directory of tests."""
    package, _, module = name.rpartition(".")
    if not name.startswith("tests.") or name.startswith("tests.support"):
        return False
    own = importer.replace("/", ".").startswith(package + ".")
    exists = (ROOT / f"{name.replace('.', '/')}.py").is_file()
    return exists and (module == "conftest" or module.startswith("test_") or not own)


def test_no_module_imports_a_test_module_a_conftest_or_another_directorys_parts() -> None:
    imports = [(path, name) for path, module in _trees() for name in _imported(module)]
    assert ("tests/conftest.py", "tests.support.postgres") in imports
    assert not [(path, name) for path, name in imports if _is_anothers(name, path)]


# Sleeps: an assertion right after one says that something happened in time, or worse that nothing did. What waits for
# a condition, or for a later event that shows what came before it, is right on a slow machine and fails on a fault.


def _blocks(function: Function) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and not isinstance(node, ast.While):
                yield block


def _sleeps_a_fixed_time(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    call = call.value if isinstance(call, ast.Await) else call
    if not isinstance(call, ast.Call) or ast.unparse(call.func) not in {"asyncio.sleep", "time.sleep"}:
        return False
    names = {node.id for node in ast.walk(call.args[0]) if isinstance(node, ast.Name)}
    return ast.unparse(call.args[0]) != "0" and all(name.isupper() for name in names)


def _asserts(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(statement))


def _asserted_after_a_sleep(function: Function) -> Iterator[int]:
    for block in _blocks(function):
        for sleep, following in pairwise(block):
            if _sleeps_a_fixed_time(sleep) and _asserts(following):
                yield following.lineno


def test_nothing_is_asserted_right_after_a_sleep() -> None:
    found = [
        (path, test.name, list(_asserted_after_a_sleep(test))) for path, module in _trees() for test in _tests(module)
    ]
    assert found
    assert not [test for test in found if test[2]]


# Constants: that a constant has the value somebody wrote down is no behaviour.


def _compares_a_constant_with_a_literal(assertion: ast.Assert, imported: set[str]) -> bool:
    if not isinstance(assertion.test, ast.Compare) or len(assertion.test.comparators) != 1:
        return False
    if isinstance(assertion.test.ops[0], ast.Is | ast.IsNot):  # narrows a type
        return False
    sides = (assertion.test.left, assertion.test.comparators[0])
    free = [_free_names(side) for side in sides]
    return any(
        one and one <= imported and not other and _is_without_calls(side)
        for one, other, side in ((free[0], free[1], sides[0]), (free[1], free[0], sides[1]))
    )


def _free_names(expression: ast.expr) -> set[str]:
    names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    loops = [node.target for node in ast.walk(expression) if isinstance(node, ast.comprehension)]
    bound = {node.id for target in loops for node in ast.walk(target) if isinstance(node, ast.Name)}
    return names - bound - set(dir(builtins))


def _is_without_calls(expression: ast.expr) -> bool:
    """Return whether nothing of ours is called: builtins and a dictionary's views aside."""
    calls = [node.func for node in ast.walk(expression) if isinstance(node, ast.Call)]
    plain = [isinstance(called, ast.Name) and called.id in dir(builtins) for called in calls]
    views = [isinstance(called, ast.Attribute) and called.attr in {"items", "keys", "values"} for called in calls]
    return all(one or other for one, other in zip(plain, views, strict=True))


def test_no_test_asserts_that_a_constant_has_a_value() -> None:
    found = [
        (path, test.name, node.lineno)
        for path, module in _trees()
        for test in _tests(module)
        for node in ast.walk(test)
        if isinstance(node, ast.Assert) and _compares_a_constant_with_a_literal(node, _constants(module))
    ]
    assert not found


def _constants(module: ast.Module) -> set[str]:
    """Return what a module imports from our packages."""
    imports = [node for node in module.body if isinstance(node, ast.ImportFrom)]
    return {name.asname or name.name for node in imports for name in node.names}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("await asyncio.sleep(0.02)\n    assert not seen", True),
        ("time.sleep(0.02)\n    for one in seen:\n        assert one", True),
        ("with x:\n        await asyncio.sleep(PAUSE)\n        assert not seen", True),
        ("await asyncio.sleep(0)\n    assert not seen", False),
        ("while not seen:\n        time.sleep(0.01)\n    assert seen", False),
    ],
)
def test_the_rule_about_sleeps_finds_its_kind_and_no_other(code: str, found: bool) -> None:
    (test,) = _tests(ast.parse(f"async def test_x():\n    {code}"))
    assert bool(list(_asserted_after_a_sleep(test))) is found
