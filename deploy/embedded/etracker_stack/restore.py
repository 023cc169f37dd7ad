"""Replace the running tracker's database with a backup from standard input: ``python -m etracker_stack.restore``."""

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from etracker_migrations.grants import statements
from etracker_shared.plumbing.settings import load_settings
from etracker_stack.errors import StackError
from etracker_stack.postgres_programs import packaged_programs
from etracker_stack.postgres_tools import server_environment
from etracker_stack.settings import StackSettings

# pg_restore --clean drops only what the backup contains. What newer releases have added would stay, would keep the
# tables that it refers to from being dropped, and would be in the way of the migrations.
_EMPTY = b"""
BEGIN;
SET client_min_messages = warning;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
# Roles belong to the server: those that the backup names may be missing here. So the backup's grants are left out, and
# this release's made in the same transaction: services that wait for it go on working.
_RESTORE = ("pg_restore", "--no-privileges", "--file=-")
_PSQL = ("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-")


def restore(programs: Path, environment: Mapping[str, str]) -> bool:
    """Restore in one transaction; return whether it was committed. The programs themselves report errors."""
    psql = subprocess.Popen([programs / _PSQL[0], *_PSQL[1:]], stdin=subprocess.PIPE, env=environment)
    with suppress(BrokenPipeError), cast("IO[bytes]", psql.stdin) as script:
        script.write(_EMPTY)
        script.flush()
        backup = subprocess.run([programs / _RESTORE[0], *_RESTORE[1:]], stdout=script, check=False)
        script.write(_grant(environment["PGUSER"]) if backup.returncode == 0 else b"ROLLBACK;\n")
    return psql.wait() == 0 and backup.returncode == 0


def _grant(owner: str) -> bytes:
    """Return the end of the script. The backup's part of it has left an empty search path."""
    return ";\n".join(["RESET search_path", *statements(owner), "COMMIT;\n"]).encode()


def main() -> None:
    """Restore the database that the settings name."""
    try:
        known = server_environment(load_settings(StackSettings).data_dir)
        programs = packaged_programs().directory
    except StackError as error:
        raise SystemExit(f"etracker: {error}") from None
    if not restore(programs, {**os.environ, **known}):
        raise SystemExit("etracker: The backup wasn't restored. The database is as it was before.")


if __name__ == "__main__":
    main()
