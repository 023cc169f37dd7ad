"""Rules for Lua: what stands in front of a script, and where its keys and fields come from."""

import re
from pathlib import Path

import pytest

from etracker_shared.agreements import redis_keys

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(
    path
    for directory in ("shared", "migrations", "services", "deploy", "lab", "bench", "scripts")
    for path in (ROOT / directory).rglob("*.lua")
    if not {"build", "node_modules", ".venv"} & set(path.relative_to(ROOT).parts)
)
HEADER = re.compile(r"-- [A-Z].+\n--\n-- KEYS   .+\n-- ARGV   .+\n-- Return .+\n-- Cost   .+", re.DOTALL)
CALL = re.compile(r"\bp?call\('([A-Z]+)'((?:, (?:'[^']*'|[^,()]+|\w+\([^()]*\)))*)")
STRING = re.compile(r"""'([^']*)'|"([^"]*)"|\[\[(.*?)\]\]""", re.DOTALL)
NEITHER_KEY_NOR_FIELD = re.compile(
    r"|<[IBcd0-9]+|\\0|[*]|-inf|0-1|EX|PX|NX|XX|LIMIT|OOM|OOM .+|table|number"
)  # nothing, formats of struct, a byte, arguments of commands, errors, what type() returns
ALIAS = re.compile(r"\blocal ([A-Z_]+) = KEYS\[\d\]")
KEYLESS = {"TIME"}
EVERY_ARGUMENT = {"DEL", "EXISTS"}
"""Commands that take nothing but keys."""


def _code(script: Path) -> str:
    return re.sub(r"--.*", "", script.read_text())


def _ids(script: Path) -> str:
    return script.name


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 10


@pytest.mark.parametrize("script", SCRIPTS, ids=_ids)
def test_header_gives_keys_arguments_return_and_cost(script: Path) -> None:
    assert HEADER.match(script.read_text().partition("\n\n")[0])


@pytest.mark.parametrize("script", SCRIPTS, ids=_ids)
def test_no_key_and_no_field_is_spelled_in_lua(script: Path) -> None:
    without_commands = re.sub(r"\bp?call\('[A-Z]+'", "", _code(script))
    spelled = ["".join(found) for found in STRING.findall(without_commands)]
    assert [text for text in spelled if not NEITHER_KEY_NOR_FIELD.fullmatch(text)] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=_ids)
def test_every_constant_is_one_of_redis_keys(script: Path) -> None:
    assert [name for name in re.findall(r"\bredis_keys\.(\w+)", _code(script)) if not hasattr(redis_keys, name)] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=_ids)
def test_every_command_names_an_element_of_keys(script: Path) -> None:
    included = "".join(path.read_text() for path in script.parent.glob("*.lua"))
    keys = set(ALIAS.findall(included))
    code = _code(script)
    assert len(CALL.findall(code)) == len(re.findall(r"\bp?call\(", code)), "the command is a literal"
    for command, arguments in CALL.findall(code):
        named = [] if command in KEYLESS else arguments.removeprefix(", ").split(", ")
        for key in named if command in EVERY_ARGUMENT else named[:1]:
            assert re.fullmatch(r"KEYS\[\w+\]", key) or key in keys, f"{command} {key}"


def test_every_field_is_in_the_table_of_redis_keys() -> None:
    fields = {name: value.decode() for name, value in vars(redis_keys).items() if name.endswith("_FIELD")}
    assert len(fields) > 5
    assert [name for name, field in fields.items() if f"``{field}``" not in (redis_keys.__doc__ or "")] == []
