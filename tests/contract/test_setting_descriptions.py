"""A setting is described once, where it is declared; documents and the settings page have it from there."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

from etracker_shared.plumbing.setting_variables import variables_of
from etracker_shared.plumbing.told_settings import tell_settings
from scripts.compose_settings import ComposeSettings
from scripts.list_settings import COMPOSE_READS_TOO, DOCUMENT, READERS, Setting, all_settings, renew

ROOT = Path(__file__).parents[2]
SETTINGS = all_settings()
UNITS = {
    "SECONDS": "second",
    "HOURS": "hour",
    "HOUR": "hour",
    "DAYS": "day",
    "BYTES": "byte",
    "CPUS": "cores",
    "LIMIT": "per period",
    "SHARE": "share",
    "PORT": "port",
    "URL": "url",
    "SCORE": "from 0 to 100",
}
POINTS_ELSEWHERE = re.compile(r"\b(the same|as above|see above|ditto|likewise|as for)\b", re.IGNORECASE)

each_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.name))


def test_the_tables_are_those_that_the_declarations_make() -> None:
    """``make settings`` renews them."""
    document = DOCUMENT.read_text()
    assert renew(document) == document


@each_setting
def test_a_setting_is_described_once_in_a_sentence(setting: Setting) -> None:
    """The second description of a setting that two classes declare would be forgotten when the first one changes."""
    (description,) = setting.descriptions
    assert re.fullmatch(r"[A-Z][^|\n]+[^.]\.", description)
    assert not re.search(r"\. [A-Z]", description), "more than one sentence"
    assert not POINTS_ELSEWHERE.search(description.replace("at the same time", ""))


@each_setting
def test_a_description_says_the_unit(setting: Setting) -> None:
    (description,) = setting.descriptions
    unit = UNITS.get(setting.name.rpartition("_")[2], "")
    assert unit in description.lower()


@pytest.mark.parametrize("settings", [kind for kind in READERS.values() if kind.__name__ != "StackSettings"])
def test_a_service_can_describe_all_of_its_settings(settings: type[BaseSettings]) -> None:
    """The settings page shows what each service tells; the stack, which tells nothing, leaves some to the services."""
    assert [variable.name for variable in variables_of(settings) if not variable.description] == []
    told = tell_settings(settings())
    assert [(one.name, one.description) for one in told.settings] == [
        (variable.name, variable.description) for variable in variables_of(settings)
    ]


def test_variables_of_compose_are_declared_with_its_defaults() -> None:
    text = (ROOT / "compose.yml").read_text()
    used: dict[str, set[str]] = {}
    for name, default in re.findall(r"\$\{(\w+):[-?]([^}]*)\}", text):
        used.setdefault(name, set()).add(default)
    own = {variable.name: variable.default for variable in variables_of(ComposeSettings)}
    assert set(used) <= {setting.name for setting in SETTINGS}
    assert {name: used[name] for name in own} == {name: {str(default)} for name, default in own.items()}
    assert all(name in used for name in COMPOSE_READS_TOO)


def test_the_example_of_an_environment_file_names_settings_only() -> None:
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(named) > 10
    assert set(named) - {setting.name for setting in SETTINGS} == {"COMPOSE_FILE"}  # compose's own


def test_every_variable_that_a_container_is_given_is_described() -> None:
    """Also those of containers that aren't ours, as Redis and the gateway."""
    containers = yaml.safe_load((ROOT / "compose.yml").read_text())["services"]
    given = {name for one in containers.values() for name in one.get("environment", {}) if name.startswith("ETRACKER_")}
    assert given - {setting.name for setting in SETTINGS} == set()
