"""The embedded Redis: an append-only file in the data directory, a password, and no eviction."""

import signal
from functools import partial
from pathlib import Path

import redis.asyncio
from redis.exceptions import RedisError

from etracker_stack.child import Child
from etracker_stack.data_directory import write_private
from etracker_stack.redis_files import advice

CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir {directory}
requirepass {password}
save ""
appendonly yes
appendfsync everysec
rdbcompression no
aof-use-rdb-preamble yes
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 64mb
maxmemory {max_memory}
maxmemory-policy noeviction
client-query-buffer-limit 64mb
client-output-buffer-limit normal 256mb 128mb 60
tcp-keepalive 60
"""


def _quoted(password: str) -> str:
    """Return a password as a value in redis.conf, which gives spaces, quotes, ``#`` and backslashes a meaning."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in password.encode()) + '"'


def redis_child(program: Path, directory: Path, port: int, password: str, max_memory: int) -> Child:
    """Write Redis' configuration file (the password mustn't appear in a process list) and return how to start it."""
    configuration = directory / "redis.conf"
    quoted = '"' + str(directory).replace("\\", "\\\\").replace('"', '\\"') + '"'
    write_private(
        configuration,
        CONFIGURATION.format(port=port, directory=quoted, password=_quoted(password), max_memory=max_memory),
    )

    async def is_ready(_pid: int) -> bool:
        client = redis.asyncio.Redis(host="127.0.0.1", port=port, password=password)
        try:
            return bool(await client.ping())
        except RedisError:  # not listening yet, or still loading its data
            return False
        finally:
            await client.aclose()

    return Child(
        name="redis",
        command=(program, configuration),
        is_ready=is_ready,
        death_signal=signal.SIGTERM,
        address=f"127.0.0.1:{port}",
        advice=partial(advice, directory),
    )
