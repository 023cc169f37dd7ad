"""Run Alembic without a configuration file: the database comes from the environment."""

import asyncio
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import OperationalError
from structlog import get_logger

from etracker_migrations.roles import make_roles
from etracker_shared.plumbing.logs import configure_logging
from etracker_shared.plumbing.settings import LoggingSettings, PostgresSettings, load_settings


class MigrationSettings(PostgresSettings, LoggingSettings):
    """Where the database is, and how much to log."""


def alembic_config(database_url: str) -> Config:
    """Return Alembic's configuration for a database URL (for asyncpg)."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["database_url"] = database_url
    return config


def upgrade(settings: PostgresSettings) -> None:
    """Upgrade to the newest version; concurrent callers wait for each other."""
    asyncio.run(make_roles(settings))
    command.upgrade(alembic_config(settings.sqlalchemy_url()), "head")


def main() -> int:
    """Upgrade; return the exit status."""
    settings = load_settings(MigrationSettings)
    configure_logging(settings.log_level)
    log = get_logger("migrate")
    log.info("migrating", host=settings.pghost, database=settings.pgdatabase)
    try:
        upgrade(settings)
    except (OSError, OperationalError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.error("postgres_unreachable", host=settings.pghost, port=settings.pgport, error=type(error).__name__)
        return 1
    log.info("migrated")
    return 0
