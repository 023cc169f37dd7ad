"""UNIT3D-Announce with MariaDB: it checks keys and torrents in memory, and writes accounts every three seconds."""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.trackers.errors import UnsettledError, WrongStatisticsError
from bench.trackers.mariadb import DATABASE, MariaDb, mariadb
from bench.trackers.others import OtherTracker, long_key
from bench.trackers.processes import free_port, running
from bench.world import World, announce_key, info_hash

HERE = Path(__file__).parent
FLUSH_SECONDS = 3.0
SETTLE_SECONDS = 120.0
NO_LIMIT = "60=1000000000"
VARIABLES = """\
DATABASE_URL=mysql://tracker:{password}@127.0.0.1:{database_port}/{database}
RUST_LOG=warn
FLUSH_INTERVAL_MILLISECONDS=3000
MAX_BATCHES_PER_FLUSH=1
NUMWANT_DEFAULT=50
NUMWANT_MAX=50
ANNOUNCE_MIN=0
ANNOUNCE_MIN_ENFORCED=0
ANNOUNCE_MAX=1800
UPLOAD_FACTOR=100
DOWNLOAD_FACTOR=100
PEER_EXPIRY_INTERVAL=1800
ACTIVE_PEER_TTL=7200
INACTIVE_PEER_TTL=1814400
MAX_PEERS_PER_TORRENT_PER_USER=5
APIKEY={api_key}
LISTENING_IP_ADDRESS=127.0.0.1
LISTENING_PORT={port}
IS_CONNECTIVITY_CHECK_ENABLED=false
CONNECTIVITY_CHECK_INTERVAL=1800
REQUIRE_PEER_CONNECTIVITY=false
IS_ANNOUNCE_LOGGING_ENABLED=false
REVERSE_PROXY_CLIENT_IP_HEADER_NAME=X-Forwarded-For
USER_RECEIVE_SEED_LIST_RATE_LIMITS={no_limit}
USER_RECEIVE_LEECH_LIST_RATE_LIMITS={no_limit}
"""
"""Version 0.3. The benchmark's peers announce far too often for its limits, which would empty their lists."""


@contextmanager
def unit3d(work: Path, world: World, programs: Mapping[str, Path]) -> Iterator[OtherTracker]:
    """Run UNIT3D-Announce with the world's users and torrents, which it loads when it starts."""
    root, port = work / "unit3d", free_port()
    root.mkdir()
    with mariadb(root, programs) as database:
        database.query((HERE / "unit3d.sql").read_text())
        database.query(_catalogue(world))
        variables = root / ".env"
        variables.touch(0o600)
        variables.write_text(
            VARIABLES.format(
                password=database.password,
                database=DATABASE,
                database_port=database.port,
                api_key=secrets.token_hex(32),
                port=port,
                no_limit=NO_LIMIT,
            )
        )
        with running([programs["unit3d-announce"]], port, work / "unit3d.log", cwd=root) as process:
            yield OtherTracker(
                name="UNIT3D-Announce",
                port=port,
                roles={"tracker": process.pid, "mariadb": database.pid},
                announce_path=lambda key: f"/announce/{long_key(key)}",
                finish=lambda: _finish(database),
                compare=lambda world: _compare(database, world),
            )


def _catalogue(world: World) -> str:
    shape = world.shape
    users = (f"({n + 1}, '{long_key(announce_key(shape, n))}', 1)" for n in range(shape.keys))
    torrents = (f"({n + 1}, x'{info_hash(shape, n).hex()}', 1)" for n in range(shape.swarms))
    statements = (
        ("`groups` (id, slug)", ["(1, 'user')"]),
        ("users (id, passkey, group_id)", users),
        ("torrents (id, info_hash, status)", torrents),
    )
    return "".join(f"INSERT INTO {table} VALUES {','.join(rows)};" for table, rows in statements)  # noqa: S608 - our own values


def _finish(database: MariaDb) -> None:
    """Wait until it has written nothing for more than one interval: one interval's batch may not hold everything."""
    deadline = time.monotonic() + SETTLE_SECONDS
    before, now = "", _written(database)
    while now != before:
        if time.monotonic() > deadline:
            raise UnsettledError(f"UNIT3D-Announce is still writing after {SETTLE_SECONDS:.0f} s")
        time.sleep(FLUSH_SECONDS + 0.5)
        before, now = now, _written(database)


def _written(database: MariaDb) -> str:
    return database.query("SHOW GLOBAL STATUS LIKE 'Com_insert'")[0][1]


def _compare(database: MariaDb, world: World) -> None:
    rows = database.query(
        "SELECT passkey, users.uploaded, users.downloaded, count(completed_at) FROM users"
        " LEFT JOIN history ON user_id = users.id GROUP BY users.id"
    )
    stored = {passkey: (int(up), int(down), int(snatched)) for passkey, up, down, snatched in rows}
    expected = {long_key(key): sums for key, sums in world.expected_by_key().items()}
    wrong = [key for key, sums in expected.items() if stored[key] != sums]
    if wrong:
        raise WrongStatisticsError(
            f"UNIT3D-Announce: {len(wrong)} of {len(expected)} users have wrong (uploaded, downloaded, snatched), "
            f"the first {stored[wrong[0]]} instead of {expected[wrong[0]]}"
        )
