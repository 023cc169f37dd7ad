"""The first operator's API key, from the environment or from a file that may change."""

from pathlib import Path


class ApiKey:
    """Reads the file for each use; without a file, or while it can't be read, the key is the given one."""

    def __init__(self, given: str, path: Path | None) -> None:
        self._given = given
        self._path = path

    def __call__(self) -> str:
        """Return the key as it is now."""
        if self._path is None:
            return self._given
        try:
            return self._path.read_text().strip()
        except OSError:
            return self._given
