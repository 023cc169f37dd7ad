"""The scoring worker as a separate program."""

import os
import sys
from pathlib import Path

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from etracker_stack.services import server_variables
from tests.support.processes import Program, free_port


def worker_program(postgres: PostgresSettings, redis: RedisSettings, log: Path) -> Program:
    variables = {
        **server_variables(postgres, redis),
        "ETRACKER_LISTEN_HOST": "127.0.0.1",
        "ETRACKER_LISTEN_PORT": str(free_port()),
        "ETRACKER_WORKER_POLL_SECONDS": "0.01",
        "ETRACKER_WORKER_BATCH_FACTS": "40",
    }
    command = [sys.executable, "-m", "etracker_scoring.worker"]
    return Program(command, log=log, environment={**os.environ, **variables})
