"""Run Postgres' own programs on the running tracker: ``python -m etracker_stack.postgres_tools psql``."""

import json
import os
import sys
from pathlib import Path

from etracker_shared.plumbing.settings import load_settings
from etracker_stack.errors import DataDirectoryError, StackError
from etracker_stack.postgres_programs import packaged_programs
from etracker_stack.settings import StackSettings


def server_environment(data: Path) -> dict[str, str]:
    """Return the environment variables for connecting to the running tracker's Postgres.

    Raises:
        DataDirectoryError: no tracker is running on this data.
    """
    try:
        state = json.loads((data / "state.json").read_text())
    except FileNotFoundError:
        raise DataDirectoryError(f"No tracker runs on {data}: start it, or set ETRACKER_DATA_DIR.") from None
    return {name: value for name, value in state["servers"].items() if name.startswith("PG")}


def main() -> None:
    """Execute the program that the first argument names, in place of this one."""
    try:
        known = server_environment(load_settings(StackSettings).data_dir)
        program = packaged_programs().directory / sys.argv[1]
    except StackError as error:
        raise SystemExit(f"etracker: {error}") from None
    os.execve(program, [program.name, *sys.argv[2:]], {**os.environ, **known})


if __name__ == "__main__":
    main()
