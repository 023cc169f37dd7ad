"""docs/data.md names every table and column, Redis key and metric there is. Its settings are written by a program."""

import re
from pathlib import Path

import pytest
from redis.asyncio import Redis

from etracker_admin_api.metrics import Metrics as AdminMetrics
from etracker_announce.metrics import Metrics as AnnounceMetrics
from etracker_scoring.metrics import ApiMetrics, WorkerMetrics
from etracker_scoring.worker.upkeep.census_metrics import CensusMetrics
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.tables import metadata
from etracker_shared.plumbing.dependencies import Dependencies
from etracker_shared.plumbing.pool_metrics import observe_postgres, observe_redis
from etracker_shared.plumbing.process_metrics import create_registry

SUFFIXES = {"counter": "_total", "info": "_info"}
DOCUMENT = (Path(__file__).parents[2] / "docs" / "data.md").read_text()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: str(table.name))
def test_every_column_is_described(table: object) -> None:
    columns = getattr(table, "columns", ())
    assert [column.name for column in columns if f"`{column.name}`" not in DOCUMENT] == []


def test_every_metric_is_described() -> None:
    registry = create_registry("etracker-shared")
    admin = AdminMetrics()
    registry.register(Dependencies({}))
    observe_postgres(registry, {})
    observe_redis(registry, Redis())
    registry.register(CensusMetrics())
    AnnounceMetrics(registry)
    ApiMetrics(registry)
    WorkerMetrics(registry)
    families = [*registry.collect(), *admin.registry.collect()]
    names = [family.name + SUFFIXES.get(family.type, "") for family in families]
    assert len(names) > 10
    assert [name for name in names if f"`{name}" not in DOCUMENT] == []


def test_every_redis_key_is_described() -> None:
    table = redis_keys.__doc__ or ""
    keys = re.findall(r"^``([^`]+)``", table, flags=re.MULTILINE)
    assert len(keys) > 8
    spelled = ["facts:{0}" if key == "facts:{n}" else key for key in keys]
    assert [key for key in spelled if f"`{key}`" not in DOCUMENT] == []
