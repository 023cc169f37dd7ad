"""The first operator's API key: refused when it is easy to guess, and replaced while the service runs."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from etracker_admin_api.api_keys import hash_api_key
from etracker_admin_api.operators.first_key import KeyFile, first_key
from etracker_admin_api.settings import AdminSettings
from etracker_shared.plumbing.told_settings import tell_settings

GOOD, BETTER = "a good key of one kind", "a good key of another!"
UNFIT = {
    "short": b"fifteen letters",
    "blank": b" \n",
    "empty": b"",
    "two lines": b"sixteen letters!\nand another line",
    "control character": b"sixteen letters!\x07!",
    "not UTF-8": b"\xff\xfe" + GOOD.encode(),
    "large": b"x" * 5000,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api_key"


@pytest.fixture
def logged() -> Iterator[list[dict[str, object]]]:
    with capture_logs() as lines:
        yield lines  # type: ignore[misc]


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Start the service, on no port that it could have."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ETRACKER_")}
    return subprocess.run(
        [sys.executable, "-m", "etracker_admin_api"],
        env={**inherited, "ETRACKER_LISTEN_HOST": "host.invalid", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "key", ["fifteen letters", "schlüssel", " " * 20 + "short", "   ", "two\nlines of a key that is long"]
)
def test_a_key_that_nobody_should_use_is_refused_with_a_sentence(key: str) -> None:
    done = start(ETRACKER_AUTHORIZATION=key)
    assert done.returncode == 78
    assert done.stderr.startswith("etracker: the setting ETRACKER_AUTHORIZATION is wrong: the API key ")
    assert "openssl rand" in done.stderr
    assert key.strip() not in done.stderr or not key.strip()


def test_bytes_that_are_no_text_are_refused_with_a_sentence() -> None:
    with pytest.raises(ValidationError, match="can't be sent"):
        AdminSettings(authorization=SecretStr("caf\udce9 of a long enough kind"))


def test_a_short_key_is_warned_of_at_start_and_not_repeated() -> None:
    for key, warned in (("seventeen letters", True), ("twenty letters, good", False)):
        done = start(ETRACKER_AUTHORIZATION=key)
        assert ("api_key_short" in done.stderr) is warned
        assert key not in done.stderr + done.stdout


@pytest.mark.parametrize("content", UNFIT.values(), ids=list(UNFIT))
def test_a_file_without_a_usable_key_is_refused_at_start(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ValidationError) as refusal:
        AdminSettings(authorization_file=str(path))
    assert content.decode("latin-1").strip() not in str(refusal.value).partition("[type=")[0] or not content.strip()


def test_a_file_that_isnt_one_is_refused_at_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe", tmp_path / "a" / "b"):
        done = start(ETRACKER_AUTHORIZATION_FILE=str(path))
        assert done.returncode == 78
        assert "the setting ETRACKER_AUTHORIZATION_FILE is wrong: " in done.stderr


def test_both_settings_at_once_are_refused_with_a_sentence(path: Path) -> None:
    path.write_text(GOOD)
    done = start(ETRACKER_AUTHORIZATION=GOOD, ETRACKER_AUTHORIZATION_FILE=str(path))
    assert done.returncode == 78
    assert "ETRACKER_AUTHORIZATION is set too" in done.stderr
    assert GOOD not in done.stderr


@pytest.mark.parametrize("content", [GOOD, f"{GOOD}\n", f"\r\n  {GOOD}\t\r\n", f"\ufeff{GOOD}"])
def test_whitespace_around_a_files_key_doesnt_belong_to_it(path: Path, content: str) -> None:
    path.write_bytes(content.encode())
    settings = AdminSettings(authorization_file=str(path))
    assert first_key(settings).hash() == hash_api_key(GOOD.encode())
    assert GOOD not in tell_settings(settings).model_dump_json()


def test_a_key_beyond_ascii_works_from_a_file_too(path: Path) -> None:
    path.write_text("schlüssel, länger als nötig", encoding="utf-8")
    assert KeyFile(str(path)).hash() == hash_api_key("schlüssel, länger als nötig".encode())


def test_a_changed_file_is_read_again_however_it_was_changed(path: Path) -> None:
    path.write_text(GOOD)
    replicas = [KeyFile(str(path)), KeyFile(str(path))]
    for replace in (write, rename, link):
        for key in (BETTER, GOOD):
            replace(path, key)
            assert [replica.hash() for replica in replicas] == [hash_api_key(key.encode())] * 2


def test_changes_faster_than_the_clock_of_the_file_system_are_seen(path: Path) -> None:
    path.write_text(GOOD)
    key_file = KeyFile(str(path))
    for _ in range(200):
        key = secrets.token_hex(16)
        path.write_text(key)  # in place: same file, same size, often the same time
        assert key_file.hash() == hash_api_key(key.encode())


@pytest.mark.parametrize("content", [*UNFIT.values(), None], ids=[*UNFIT, "missing"])
def test_without_a_usable_key_the_api_is_off_and_that_is_logged_once(
    path: Path, content: bytes | None, logged: list[dict[str, object]]
) -> None:
    path.write_text(GOOD)
    key_file = KeyFile(str(path))
    assert key_file.hash() is not None
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert [key_file.hash() for _ in range(3)] == [None] * 3
    errors = [line for line in logged if line["log_level"] == "error"]
    assert [line["event"] for line in errors] == ["api_key_unusable"]
    assert str(errors[0]["problem"]).startswith("The restricted API is off until ETRACKER_AUTHORIZATION_FILE contains")
    path.write_text(GOOD)
    assert key_file.hash() == hash_api_key(GOOD.encode())
    assert GOOD not in str(logged)


def write(path: Path, key: str) -> None:
    path.write_text(f"{key}\n")


def rename(path: Path, key: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(key)
    fresh.replace(path)


def link(path: Path, key: str) -> None:
    """Change as a mounted secret does: the path is a link to another file each time."""
    target = path.with_name(secrets.token_hex(4))
    target.write_text(key)
    fresh = path.with_suffix(".link")
    fresh.symlink_to(target)
    fresh.replace(path)
