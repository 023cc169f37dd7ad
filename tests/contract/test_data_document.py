"""docs/data.md names every table and column, Redis key, metric and setting there is."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from pydantic_settings import BaseSettings

from etracker_admin_api.metrics import Metrics as AdminMetrics
from etracker_admin_api.settings import AdminSettings
from etracker_announce.metrics import Metrics as AnnounceMetrics
from etracker_announce.settings import AnnounceSettings
from etracker_scoring.metrics import ApiMetrics, WorkerMetrics
from etracker_scoring.settings import ScoringSettings, WorkerSettings
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.tables import metadata
from etracker_stack.settings import StackSettings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
SETTINGS: list[type[BaseSettings]] = [AdminSettings, AnnounceSettings, ScoringSettings, WorkerSettings, StackSettings]


def variables_of(settings: type[BaseSettings]) -> Iterator[str]:
    """Return the environment variables of a class; a field that is a dataclass has one for each of its own fields."""
    for name, field in settings.model_fields.items():
        if dataclasses.is_dataclass(field.annotation):
            yield from (
                f"ETRACKER_{name}_{parameter.name}".upper() for parameter in dataclasses.fields(field.annotation)
            )
        else:
            yield name.upper() if name.startswith("pg") else f"ETRACKER_{name.upper()}"


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: str(table.name))
def test_every_column_is_described(table: object) -> None:
    columns = getattr(table, "columns", ())
    assert [column.name for column in columns if f"`{column.name}`" not in DOCUMENT] == []


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: str(settings.__name__))
def test_every_setting_is_described(settings: type[BaseSettings]) -> None:
    assert [variable for variable in variables_of(settings) if f"`{variable}`" not in DOCUMENT] == []


def test_every_metric_is_described() -> None:
    registry = CollectorRegistry()
    admin = AdminMetrics()
    AnnounceMetrics(registry)
    ApiMetrics(registry)
    WorkerMetrics(registry)
    families = [*registry.collect(), *admin.registry.collect()]
    names = [f"{family.name}_total" if family.type == "counter" else family.name for family in families]
    assert len(names) > 10
    assert [name for name in names if f"`{name}" not in DOCUMENT] == []


def test_every_redis_key_is_described() -> None:
    table = redis_keys.__doc__ or ""
    keys = re.findall(r"^``([^`]+)``", table, flags=re.MULTILINE)
    assert len(keys) > 8
    spelled = ["facts:{0}" if key == "facts:{n}" else key for key in keys]
    assert [key for key in spelled if f"`{key}`" not in DOCUMENT] == []
