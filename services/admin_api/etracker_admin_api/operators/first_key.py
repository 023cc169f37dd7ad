"""The first operator's API key: from the environment, or from a file that may change."""

import time
from pathlib import Path
from typing import Protocol

from structlog import get_logger

from etracker_admin_api.api_keys import GOOD_CHARACTERS, HOW_TO_MAKE_ONE, hash_api_key, is_short
from etracker_admin_api.settings import AdminSettings, read_api_key

_RACY_NANOSECONDS = 1_000_000_000
"""Two changes within one tick of the file system's clock may look like one."""

log = get_logger("admin_api")

_Stamp = tuple[int, ...]


class FirstKey(Protocol):
    """The API key of the first operator, who isn't in the table of operators."""

    def hash(self) -> bytes | None:
        """Return the SHA-256 of the current key; None if there is no key, which turns the restricted API off."""
        ...


class FixedKey:
    """ETRACKER_AUTHORIZATION; an empty key counts as none."""

    def __init__(self, api_key: str) -> None:
        self._hash = _take(api_key) if api_key else None

    def hash(self) -> bytes | None:
        """Return the hash of the current key."""
        return self._hash


class KeyFile:
    """ETRACKER_AUTHORIZATION_FILE, read again whenever it changes.

    If the file contains no usable key, there is none: somebody may have removed it because it leaked.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: _Stamp | None = None
        self._read_again = True
        self._problem = ""
        self._hash: bytes | None = None

    def hash(self) -> bytes | None:
        """Return the hash of the current key."""
        stamp = _stamp(self._path)
        if stamp != self._stamp or self._read_again:
            self._read_again = stamp is not None and time.time_ns() - stamp[0] < _RACY_NANOSECONDS
            self._stamp = stamp
            self._read()
        return self._hash

    def _read(self) -> None:
        try:
            api_key = read_api_key(self._path)
        except ValueError as error:
            self._hash = None
            self._report(str(error))
            return
        if hash_api_key(api_key.encode()) != self._hash:
            self._hash = _take(api_key)
            log.info("api_key_read", setting="ETRACKER_AUTHORIZATION_FILE")
        self._problem = ""

    def _report(self, problem: str) -> None:
        if problem != self._problem:
            sentence = f"The restricted API is off until ETRACKER_AUTHORIZATION_FILE contains an API key: {problem}."
            log.error("api_key_unusable", problem=sentence)
        self._problem = problem


def first_key(settings: AdminSettings) -> FirstKey:
    """Return the source of the first operator's key that the settings name."""
    if settings.authorization_file:
        return KeyFile(settings.authorization_file)
    return FixedKey(settings.authorization.get_secret_value())


def _take(api_key: str) -> bytes:
    if is_short(api_key):
        problem = f"The API key has fewer than {GOOD_CHARACTERS} characters: replace it with a longer one."
        log.warning("api_key_short", problem=problem, advice=f"{HOW_TO_MAKE_ONE}.")
    return hash_api_key(api_key.encode())


def _stamp(path: str) -> _Stamp | None:
    """Return a value that changes whenever the file does; its first element is the time of the change."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return (found.st_ctime_ns, found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)
