"""Write the tables of settings in docs/data.md from the settings' declarations: ``make settings``."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_settings import BaseSettings

from etracker_admin_api.settings import AdminSettings
from etracker_announce.replicas import ReplicaSettings
from etracker_announce.settings import AnnounceSettings
from etracker_migrations.upgrade import MigrationSettings
from etracker_scoring.settings import ScoringSettings, WorkerSettings
from etracker_shared.plumbing.setting_variables import Variable, variables_of
from etracker_shared.plumbing.told_settings import write_value
from etracker_stack.environment import GATEWAY
from etracker_stack.settings import StackSettings
from scripts.compose_settings import ComposeSettings

DOCUMENT = Path(__file__).parents[1] / "docs" / "data.md"
BEGIN, END = "<!-- made by make settings -->\n", "<!-- end of what make settings makes -->\n"
READERS: dict[str, type[BaseSettings]] = {
    "announce": AnnounceSettings,
    "announce's replicas": ReplicaSettings,
    "scoring API": ScoringSettings,
    "worker": WorkerSettings,
    "admin API": AdminSettings,
    "migrations": MigrationSettings,
    "`make run`": StackSettings,
    "compose": ComposeSettings,
}
SERVICES = ("announce", "scoring API", "worker", "admin API")
COMPOSE_READS_TOO = ("ETRACKER_REDIS_MAXMEMORY",)
"""Described by the stack."""

GROUPS = {
    "ETRACKER_EQUILIBRIUM_": "Parameters of the policy `equilibrium` ([what they do](equilibrium.md)). All announce "
    "processes need the same ones. Several values are written as `120 7200`.",
    "ETRACKER_SCORE_": "Parameters of scores and tiers ([what they do](standing.md)). The scoring API and the worker "
    "need the same ones.",
}
_MEBIBYTE, _GIBIBYTE = 2**20, 2**30


class Setting(NamedTuple):
    """A variable as its readers declare it. ``defaults``: each default, with the readers that declare it."""

    name: str
    descriptions: Sequence[str]
    defaults: dict[str, list[str]]

    @property
    def readers(self) -> list[str]:
        """The programs that read the variable."""
        return [reader for readers in self.defaults.values() for reader in readers]


def all_settings() -> Sequence[Setting]:
    """Return all variables, in the order of their declaration."""
    declared: dict[str, list[tuple[str, Variable]]] = defaultdict(list)
    for reader, settings in READERS.items():
        for variable in variables_of(settings):
            declared[variable.name].append((reader, variable))
    return [_merge(name, found) for name, found in declared.items()]


def settings_tables() -> str:
    """Return the tables as Markdown."""
    settings = all_settings()
    grouped = {prefix: [one for one in settings if one.name.startswith(prefix)] for prefix in GROUPS}
    rest = [one for one in settings if not one.name.startswith(tuple(GROUPS))]
    tables = ["\n".join(_table(sorted(rest)))]
    tables += [f"{GROUPS[prefix]}\n\n" + "\n".join(_table(group)) for prefix, group in grouped.items()]
    return "\n\n".join(tables) + "\n"


def renew(document: str) -> str:
    """Return a document with new tables."""
    before, _, rest = document.partition(BEGIN)
    return before + BEGIN + "\n" + settings_tables() + "\n" + END + rest.partition(END)[2]


def _merge(name: str, declared: Iterable[tuple[str, Variable]]) -> Setting:
    defaults: dict[str, list[str]] = defaultdict(list)
    descriptions: dict[str, None] = {}
    for reader, variable in declared:
        defaults[_write_default(name, variable.default)].append(reader)
        if variable.description:
            descriptions[variable.description] = None
    return Setting(name, list(descriptions), dict(defaults))


def _write_default(name: str, default: Any) -> str:
    written = write_value(default)
    if not written:
        return "none"
    if name.endswith("_BYTES") and default % _GIBIBYTE == 0:
        return f"`{written}` ({default // _GIBIBYTE} GiB)"
    if name.endswith("_BYTES") and default % _MEBIBYTE == 0:
        return f"`{written}` ({default // _MEBIBYTE} MiB)"
    return f"`{written}`"


def _table(settings: Iterable[Setting]) -> Iterator[str]:
    yield "| variable | default | read by | meaning |"
    yield "|---|---|---|---|"
    for one in settings:
        (description,) = one.descriptions
        yield f"| `{one.name}` | {_write_defaults(one)} | {_all_readers(one)} | {description} |"


def _write_defaults(setting: Setting) -> str:
    if len(setting.defaults) == 1:
        return next(iter(setting.defaults))
    return ", ".join(f"{default} ({_join(readers)})" for default, readers in setting.defaults.items())


def _all_readers(setting: Setting) -> str:
    composed = ["compose"] if setting.name in COMPOSE_READS_TOO else []
    return _join([*setting.readers, *composed, *(["gateway"] if setting.name in GATEWAY else [])])


def _join(readers: Sequence[str]) -> str:
    others = [reader for reader in readers if reader not in SERVICES]
    everyone = len(readers) - len(others) == len(SERVICES)
    return ", ".join(["every service", *others] if everyone else readers)


if __name__ == "__main__":
    DOCUMENT.write_text(renew(DOCUMENT.read_text()))
