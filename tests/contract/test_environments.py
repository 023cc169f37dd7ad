"""Each process gets the settings that it reads and no others, from ``make run`` and in its container."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from etracker_admin_api.settings import AdminSettings
from etracker_announce.replicas import ReplicaSettings
from etracker_announce.settings import AnnounceSettings
from etracker_migrations.upgrade import MigrationSettings
from etracker_scoring.settings import ScoringSettings, WorkerSettings
from etracker_shared.plumbing.setting_variables import variable_name, variables_of
from etracker_shared.plumbing.settings import EnvironmentSettings
from etracker_stack import environment

ROOT = Path(__file__).parents[2]
READ_BY: dict[str, type[EnvironmentSettings]] = {
    "announce": AnnounceSettings,
    "announce_public": AnnounceSettings,
    "scoring": ScoringSettings,
    "scoring_worker": WorkerSettings,
    "admin_api": AdminSettings,
    "migrate": MigrationSettings,
}
GIVEN_BY_STACK = {
    "announce": environment.ANNOUNCE,
    "announce_public": environment.ANNOUNCE,
    "scoring": environment.SCORING,
    "scoring_worker": environment.SCORING_WORKER,
    "admin_api": environment.ADMIN_API,
    "migrate": environment.MIGRATE,
}
LIBRARIES = ("PYTHON", "PGSSL", "PGPASSFILE", "PGSERVICE", "PGTARGETSESSIONATTRS", "PGKRBSRVNAME", "PGGSSLIB")
"""Variables that no setting reads, but Python and asyncpg."""
BY_IMAGE = {"ETRACKER_LISTEN_PORT"}
BY_PARENT = {"ETRACKER_LISTEN_SOCKETS", "ETRACKER_PUBLIC_SOCKETS"}
READ_BY_PARENT = {"ETRACKER_ANNOUNCE_PORT", "ETRACKER_ANNOUNCE_REPLICAS"}
"""What the process reads that starts the replicas in the container of the public port."""


def _names(settings: type[EnvironmentSettings]) -> Iterator[str]:
    """The variables, those of a group of parameters as one pattern."""
    for name, field in settings.model_fields.items():
        yield variable_name(f"{name}_*" if dataclasses.is_dataclass(field.annotation) else name)


@pytest.fixture(scope="module")
def containers() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load((ROOT / "compose.yml").read_text())["services"])


@pytest.mark.parametrize("name", READ_BY)
def test_make_run_gives_a_service_what_its_settings_read(name: str) -> None:
    given = {one for one in GIVEN_BY_STACK[name] if not one.startswith(LIBRARIES)}
    read = set(_names(READ_BY[name]))
    assert given == read - {"ETRACKER_AUTHORIZATION"}  # which comes in a file


@pytest.mark.parametrize("name", READ_BY)
def test_compose_gives_a_container_what_its_settings_read(name: str, containers: dict[str, dict[str, Any]]) -> None:
    given = {one for one in containers[name]["environment"] if not one.startswith(LIBRARIES)}
    read = {variable.name for variable in variables_of(READ_BY[name])}
    assert given == (read | (READ_BY_PARENT if name == "announce_public" else set())) - BY_IMAGE - BY_PARENT


def test_the_parent_of_replicas_reads_what_its_container_is_given() -> None:
    """Its address isn't among them: in the container it is every interface."""
    read = {variable.name for variable in variables_of(ReplicaSettings)}
    given = {variable.name for variable in variables_of(AnnounceSettings)}
    assert read - given == READ_BY_PARENT | {"ETRACKER_ANNOUNCE_HOST"}


def test_no_container_gets_a_whole_file_of_variables(containers: dict[str, dict[str, Any]]) -> None:
    assert [name for name, container in containers.items() if "env_file" in container] == []


def test_a_setting_that_compose_passes_on_can_be_set_in_the_environment_file(
    containers: dict[str, dict[str, Any]],
) -> None:
    """A variable without a value is taken from ``.env``, and one with a value only if the value names it."""
    addresses = {"ETRACKER_SCORING_URL", "ETRACKER_ANNOUNCE_URL", "ETRACKER_WORKER_URL"}
    by_compose = {*addresses, "ETRACKER_TRUSTED_PROXIES", "ETRACKER_LISTEN_HOST"}
    by_compose |= {"ETRACKER_OBSERVATION_HOST", "ETRACKER_OBSERVATION_PORT"}
    for name in READ_BY:
        for variable, value in containers[name]["environment"].items():
            assert variable in by_compose or value is None or f"${{{variable}:" in value, (name, variable)


def test_the_gateway_gets_every_variable_that_its_files_name() -> None:
    files = [ROOT / "deploy/gateway" / name for name in ("Caddyfile", "gateway.sh")]
    text = "".join(file.read_text() for file in files)
    named = set(re.findall(r"\{?\$\{?(ETRACKER_\w+)", text))
    assert len(named) > 5
    assert [
        name for name in named if name not in environment.environment(environment.GATEWAY, dict.fromkeys(named, ""))
    ] == []
