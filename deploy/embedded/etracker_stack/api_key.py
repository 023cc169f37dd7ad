"""The file with the first operator's API key: ``python -m etracker_stack.api_key`` replaces the key.

The admin API reads the file again whenever it changes.
"""

import json
import os
import secrets
import sys
import time
from pathlib import Path

from etracker_shared.plumbing.settings import load_settings
from etracker_stack.data_directory import write_private
from etracker_stack.errors import DataDirectoryError
from etracker_stack.settings import LEAST_API_KEY_CHARACTERS, StackSettings

FILE_NAME = "api_key"
_TELLING_SECONDS = 3.0


def read_api_key(data: Path) -> str:
    """Return the key of a data directory.

    Raises:
        DataDirectoryError: the key is too short.
    """
    path = data / FILE_NAME
    key = path.read_text().strip()
    if len(key) < LEAST_API_KEY_CHARACTERS:
        raise DataDirectoryError(
            f"The API key in {path} has fewer than {LEAST_API_KEY_CHARACTERS} characters: delete it for a new one."
        )
    return key


def ensure_api_key(data: Path, given: str | None) -> None:
    """Write the given key to the file; without one, write a new key if the file is missing."""
    if given:
        _write(data, given)
    elif not (data / FILE_NAME).exists():
        replace_api_key(data)


def replace_api_key(data: Path) -> str:
    """Write a new key to the file and return it."""
    key = secrets.token_hex(20)
    _write(data, key)
    return key


def _write(data: Path, key: str) -> None:
    write_private(data / FILE_NAME, key + "\n")


def _state(data: Path) -> dict[str, object]:
    try:
        return dict(json.loads((data / "state.json").read_text()))
    except FileNotFoundError:
        return {}


def _wait_until_told(data: Path, key: str) -> None:
    """Return once the running tracker shows the new key too; it looks at the file once a second."""
    deadline = time.monotonic() + _TELLING_SECONDS
    while _state(data).get("api_key", key) != key and time.monotonic() < deadline:
        time.sleep(0.05)


def main() -> None:
    """Replace the key and print the new one."""
    data = load_settings(StackSettings).data_dir
    if os.environ.get("ETRACKER_AUTHORIZATION") or _state(data).get("api_key_is_given"):
        sys.exit("etracker: ETRACKER_AUTHORIZATION sets the API key, also at the next start: change it there.")
    if not data.is_dir():
        sys.exit(f"etracker: There is no tracker data in {data}: set ETRACKER_DATA_DIR.")
    try:
        key = replace_api_key(data)
    except OSError as error:
        sys.exit(f"etracker: The API key in {data} can't be replaced: {error.strerror}.")
    _wait_until_told(data, key)
    sys.stdout.write(f"{key}\n")


if __name__ == "__main__":
    main()
