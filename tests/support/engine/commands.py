"""Run programs, and show how far a long preparation has come."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_START = time.monotonic()


class EngineError(Exception):
    """An engine that can't be brought up; the message says why."""


def say(text: str) -> None:
    """Show a step on standard error, with the seconds since the start."""
    sys.stderr.write(f"[{time.monotonic() - _START:4.0f} s] {text}\n")
    sys.stderr.flush()


def run(*command: str | Path, log: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it wrote, or write that to ``log``.

    Raises:
        EngineError: it failed.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=environment
    )
    if log is not None:
        log.write_text(done.stdout)
    if done.returncode != 0:
        raise EngineError(f"{' '.join(words)} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def attempt(command: Sequence[str]) -> bool:
    """Run a program whose failure is no fault, and return whether it succeeded."""
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
