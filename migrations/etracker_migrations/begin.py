"""Create a migration: ``python -m etracker_migrations.begin what_it_does`` (``make migration name=...``)."""

import sys

from alembic import command
from alembic.script import ScriptDirectory

from etracker_migrations.upgrade import alembic_config


def main() -> None:
    """Write an empty migration that follows the newest one, and print its path."""
    config = alembic_config("")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("truncate_slug_length", "60")
    newest = ScriptDirectory.from_config(config).get_current_head() or "0"
    command.revision(config, message=sys.argv[1].replace("_", " "), rev_id=f"{int(newest) + 1:04d}")


if __name__ == "__main__":
    main()
