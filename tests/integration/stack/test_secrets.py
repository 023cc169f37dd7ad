"""Each process has only the secrets that it needs in its environment, and none has a secret in its command line."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.processes import living
from tests.support.stack import StackRun

pytestmark = pytest.mark.timeout(180)

GIVEN = "seventeen letters"
"""Long enough to be an API key, and short enough to be warned of."""

STRANGE = {"AWS_SECRET_ACCESS_KEY": "somebody else's", "SMTP_PASSWORD": "not ours"}

HOLDERS = {
    "postgres": {"scoring", "scoring_worker", "admin_api", "announce-1"},
    "redis": {"scoring_worker", "admin_api", "announce-1"},
    "api key": set[str](),
    "strange": set[str](),
}


@pytest.fixture
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="etracker-stack-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "data"


def _replace_key(data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ETRACKER_DATA_DIR": str(data), **variables}
    command = [sys.executable, "-m", "etracker_stack.api_key"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _may_operate(run: StackRun, key: str) -> bool:
    return httpx.get(f"{run.base_url}/api/v1/operators", headers={"Authorization": key}).status_code == 200


def _named(run: StackRun) -> Iterator[tuple[str, psutil.Process]]:
    """Yield every process except the stack itself, with the name of the child that it is or descends from."""
    for name, pid in run.pids().items():
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            yield name, one


def test_a_process_has_the_secrets_that_it_needs_and_no_others(data: Path) -> None:
    run = StackRun(data, {"ETRACKER_AUTHORIZATION": GIVEN, **STRANGE})
    run.start()
    kept = json.loads((data / "secrets.json").read_text())
    secrets = {
        "postgres": [kept["postgres_password"]],
        "redis": [kept["redis_password"]],
        "api key": [GIVEN],
        "strange": list(STRANGE.values()),
    }
    found = list(_named(run))
    assert {one.pid for _, one in found} | {run.program.pid} == {one.pid for one in run.processes()}
    holders: dict[str, set[str]] = {kind: set() for kind in secrets}
    for name, process in found:
        environment, command = "", ""
        with living():
            environment, command = " ".join(process.environ().values()), " ".join(process.cmdline())
        for kind, values in secrets.items():
            assert not any(value in command for value in values), (name, kind)
            if any(value in environment for value in values):
                holders[kind].add(name)
    assert holders == HOLDERS
    assert "ETRACKER_AUTHORIZATION has fewer than 20 characters" in run.output
    _assert_only_the_environment_replaces_its_key(run)
    run.stop()


def _assert_only_the_environment_replaces_its_key(run: StackRun) -> None:
    """The next start would restore the given key, whatever shell replaced it."""
    for refused in (_replace_key(run.data, ETRACKER_AUTHORIZATION=GIVEN), _replace_key(run.data)):
        assert refused.returncode != 0
        assert "change it there" in refused.stderr
    assert run.api_key == GIVEN
    assert _may_operate(run, GIVEN)


def test_a_replaced_key_works_at_once_and_the_old_one_no_longer(data: Path) -> None:
    data.mkdir(mode=0o711)
    earlier_version = {"postgres_password": "p" * 40, "redis_password": "r" * 40, "api_key": "k" * 40}
    (data / "secrets.json").write_text(json.dumps(earlier_version))
    run = StackRun(data)
    run.start()
    old, pids = run.api_key, run.pids()
    assert old == earlier_version.pop("api_key")
    assert json.loads((data / "secrets.json").read_text()) == earlier_version
    assert (data / "api_key").stat().st_mode & 0o777 == 0o600
    assert _may_operate(run, old)

    told = _replace_key(data)
    new = told.stdout.strip()
    assert len(new) >= 40, told.stderr
    assert (_may_operate(run, new), _may_operate(run, old)) == (True, False)
    assert run.api_key == new
    assert run.pids() == pids
    run.stop()

    of_the_stopped = _replace_key(data).stdout.strip()
    assert of_the_stopped not in ("", new)
    again = StackRun(data)
    again.start()
    assert again.api_key == of_the_stopped
    assert of_the_stopped in again.output
    assert _may_operate(again, of_the_stopped)
    again.stop()


def test_a_short_key_is_refused_before_anything_starts(data: Path) -> None:
    refusal = StackRun(data, {"ETRACKER_AUTHORIZATION": "fifteen letters"}).refusal()
    assert "ETRACKER_AUTHORIZATION is wrong: an API key has at least 16 characters" in refusal
    assert "fifteen" not in refusal
    assert not data.exists()
    data.mkdir()
    (data / "api_key").write_text("short\n")
    assert f"The API key in {data}/api_key has fewer than 16 characters" in StackRun(data).refusal()
