"""Each Lua script, run as a Redis user who may touch only the keys that the command declares.

The kind: a key that a script makes up. One Redis server allows it, so nothing else finds it; a cluster refuses it or
looks for it on the wrong node.
"""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from etracker_announce.adapters.swarms.commands import Commands, SwarmLimits
from etracker_announce.domain.swarm import Role
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.block_lists import HANDED_SECONDS, MOST_HANDED
from etracker_shared.language.identity import InfoHash
from etracker_shared.plumbing.redis_scripts import Script
from tests.contract.swarms.peers import (
    LIFETIME,
    NOW,
    PEERS_PER_ADDRESS,
    PEERS_PER_KEY,
    SWEEP,
    ipv4,
    ipv6,
    peer_id_of,
    step,
)
from tests.contract.swarms.tables import Client
from tests.support.redis import RedisServer, running_redis

HASH = InfoHash(b"twenty-letters-of-it")  # an ACL's key pattern takes no space and no wildcard
ROOT = Path(__file__).parents[3]
DOWNLOADS = redis_keys.DOWNLOADS_PREFIX.encode() + b"key:1"
DAY = 86_400
COMMANDS = Commands(SwarmLimits(PEERS_PER_KEY, PEERS_PER_ADDRESS, LIFETIME, SWEEP))


class Declared:
    """Runs commands, each with access to its own keys and to nothing else."""

    def __init__(self, server: RedisServer) -> None:
        self.operator: Client = redis.Redis(port=server.port)
        self._user: Client = redis.Redis(port=server.port, username="declared", password="any")
        for script in COMMANDS.scripts:
            self.operator.script_load(script.source)

    def run(self, *command: Any) -> Any:
        """Run EVAL or EVALSHA."""
        keys = command[3 : 3 + command[2]]
        self.operator.execute_command(
            "ACL SETUSER", "declared", "on", "nopass", "+@all", "resetkeys", *[b"~" + key for key in keys]
        )
        return self._user.execute_command(*command)

    def run_file(self, package: str, file: str, key: bytes, *arguments: Any) -> Any:
        return self.run("EVAL", Script(package, file).source, 1, key, *arguments)

    def close(self) -> None:
        self.operator.close()
        self._user.close()


@pytest.fixture
def declared() -> Iterator[Declared]:
    with running_redis() as server:
        declared = Declared(server)
        yield declared
        declared.close()


def announce(declared: Declared) -> None:
    """Joins, updates, moves between tables, leaves, evictions, expiry, and keys that come back."""
    draw = random.Random(7)
    at = 0
    for _ in range(800):
        at += draw.choice((1, 60, 900, LIFETIME))
        key, instance = draw.randrange(8), draw.randrange(PEERS_PER_KEY + 1)
        endpoint = draw.choice((ipv4, ipv6))(instance)
        changes: dict[str, Any] = {
            "peer_id": peer_id_of(key * 10 + instance),
            "endpoint": endpoint,
            "role": draw.choice(list(Role)),
        }
        stopped = draw.random() < 0.3
        declared.run(*COMMANDS.announce(step(key, at=at, info_hash=HASH, stopped=stopped, window=4, **changes)))
    assert declared.operator.exists(redis_keys.first_seen(HASH), redis_keys.seeders(HASH)) == 2


def sweep(declared: Declared) -> None:
    """Unexpired and expired peers, a key that left more than a day ago, the end of the swarm."""
    for key in range(20):
        declared.run(*COMMANDS.announce(step(key, at=key * 600, info_hash=HASH, role=Role(key % 3))))
    declared.run(*COMMANDS.announce(step(0, info_hash=HASH, stopped=True)))
    for at in (LIFETIME + 6_000, 3 * DAY, 3 * DAY):
        declared.run(*COMMANDS.sweep(HASH, NOW + at, 200))
    assert not declared.operator.exists(redis_keys.members(HASH))
    assert declared.operator.zscore(redis_keys.first_seen(HASH), step(0).key_hash[:8]) is None


def turn(declared: Declared) -> None:
    assert [declared.run(*COMMANDS.take_turn_of_full(b"me", 60_000)) for _ in range(2)] == [1, None]


def fact(declared: Declared) -> None:
    declared.run(*COMMANDS.add_to_full(3, b"facts"))
    ((_, entry),) = declared.operator.xrange(redis_keys.facts(3))
    assert entry == {redis_keys.ENTRY_FIELD: b"facts"}


def handed(declared: Declared) -> None:
    """Twice as many fields as there may be, so that the oldest are forgotten; a mark that is there stays."""
    recipient = b"somebody"
    fields = {at.to_bytes(16): b"6bytes" + at.to_bytes(4, "little") for at in range(1, 2 * MOST_HANDED + 1)}
    for field, value in fields.items():
        assert declared.run(*COMMANDS.note_handed(recipient, {field: value})) == 1
    kept = declared.operator.hgetall(redis_keys.handed(recipient))
    assert kept == dict(list(fields.items())[MOST_HANDED:])
    mark = {bytes(16) + b"f": (1).to_bytes(4, "little")}
    assert [declared.run(*COMMANDS.note_handed(recipient, mark)) for _ in range(2)] == [1, 0]
    assert 0 < declared.operator.ttl(redis_keys.handed(recipient)) <= HANDED_SECONDS


def told(declared: Declared) -> None:
    times = (0, 3599, 3600, 7200, 10_800, 100_000)
    assert [declared.run(*COMMANDS.tell(b"offender", NOW, NOW + at)) for at in times] == [1, 0, 1, 1, 0, 0]
    assert declared.run(*COMMANDS.tell(b"offender", NOW + 8000, NOW + 11_000)) == 1, "of the next verdict"
    assert 0 < declared.operator.ttl(redis_keys.handed(b"offender")) <= HANDED_SECONDS


def mark(declared: Declared) -> None:
    key = redis_keys.ALL_SYNCED[3]
    assert [declared.run_file("etracker_scoring.worker", "mark.lua", key, at) for at in (1, 2)] == [None, b"1"]


def count_twice(declared: Declared) -> None:
    count = ("etracker_scoring.worker", "count_twice.lua", redis_keys.TWICE)
    for info_hash, seeders, leechers in ((HASH, 3, 1), (b"o" * 20, 1, 0), (HASH, 2, 2)):
        declared.run_file(*count, info_hash, seeders, leechers)
    sums = declared.operator.hmget(redis_keys.TWICE, redis_keys.SEEDERS_FIELD, redis_keys.LEECHERS_FIELD)
    assert sums == [b"3", b"2"]


def count_takings(declared: Declared) -> None:
    hour, first, second, third = int(time.time()) // 3600, b"first---", b"second--", b"third---"
    keys = [redis_keys.prefixes_ranked(hour), redis_keys.lists_taken(hour)]
    keys += [redis_keys.torrents_taken(hour, name) for name in (first, second, third)]
    limits = (2, redis_keys.takings_expire_at(hour), 0.5)
    taken = (first, 3, 2, HASH, b"o" * 20, second, 1, 2, HASH, b"n" * 20, third, 1, 1, HASH)
    script = Script("etracker_scoring.worker", "count_takings.lua").source
    assert declared.run("EVAL", script, len(keys), *keys, *limits, *taken) == [third]
    assert declared.operator.hgetall(keys[1]) == {first: b"3", second: b"1"}


def publish_snatches(declared: Declared) -> None:
    members = redis_keys.members(HASH)
    publish = ("etracker_scoring.worker", "publish_snatches.lua", members)
    assert declared.run_file(*publish, 5) == 0
    declared.run(*COMMANDS.announce(step(1, info_hash=HASH)))
    assert [declared.run_file(*publish, number) for number in (7, 5)] == [1, 1]
    assert declared.operator.hget(members, redis_keys.SNATCHES_FIELD) == b"7"


def at_once(declared: Declared) -> None:
    assert [
        declared.run_file("etracker_admin_api.torrents.files", "at_once.lua", DOWNLOADS, token, 1, 60)
        for token in (1, 2)
    ] == [1, 0]


def extend_download(declared: Declared) -> None:
    at_once(declared)
    assert declared.run_file("etracker_admin_api.torrents.files", "extend_download.lua", DOWNLOADS, 1, 60) == 1


SCENARIOS = {
    "announce.lua": announce,  # with tables.lua, addresses.lua and change.lua in it
    "at_once.lua": at_once,
    "extend_download.lua": extend_download,
    "fact.lua": fact,
    "count_takings.lua": count_takings,
    "count_twice.lua": count_twice,
    "handed.lua": handed,
    "mark.lua": mark,
    "publish_snatches.lua": publish_snatches,
    "sweep.lua": sweep,
    "told.lua": told,
    "turn.lua": turn,
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_script_touches_no_key_that_its_command_does_not_declare(
    declared: Declared, scenario: Callable[[Declared], None]
) -> None:
    scenario(declared)


def test_every_script_is_run_here() -> None:
    services = (ROOT / "services").rglob("etracker_*/**/*.lua")
    scripts = {path.name for path in services if "build" not in path.relative_to(ROOT).parts}
    assert scripts - {"tables.lua", "change.lua", "addresses.lua"} == set(SCENARIOS)


def test_a_script_that_makes_up_a_key_is_refused(declared: Declared) -> None:
    script = "return redis.call('SET', KEYS[1] .. 'more', 1)"
    with pytest.raises(redis.ResponseError, match=r"can't access|NOPERM|No permissions"):
        declared.run("EVAL", script, 1, redis_keys.members(HASH))
