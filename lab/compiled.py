"""Machine code for the inner loops of the simulation."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_HERE = Path(__file__).parent


def _use_cache_of_these_sources() -> None:
    # numba notices changes in a function's own file only, not in functions it calls: one cache per state of the files.
    digest = hashlib.sha256()
    for source in sorted(_HERE.glob("*.py")):
        digest.update(source.read_bytes())
    os.environ.setdefault("NUMBA_CACHE_DIR", str(_HERE.parent / "build" / "numba" / digest.hexdigest()[:16]))


_use_cache_of_these_sources()

import numba  # noqa: E402  (reads its cache directory when imported)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function on its first call, or take it from the cache under ``build/``."""
    return numba.njit(cache=True, error_model="numpy")(function)
