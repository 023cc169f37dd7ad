"""One address can't push others out of a torrent's lists, with keys or as guests, however many peers it claims."""

import asyncio
import re
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import httpx
import pytest
from fastbencode import bdecode
from redis.asyncio import Redis

from tests.support.announce import query
from tests.support.load import Connection, Tally
from tests.support.netns import NETWORK_IPV4, TRACKER_IPV4
from tests.support.postgres import connect
from tests.support.recorder import split
from tests.support.settlers import all_settled
from tests.support.stack import StackRun
from tests.support.waiting import eventually

SEEDERS, LISTED = 20, 18
PER_ADDRESS = 16
GUESTS_PER_MINUTE = 30
CONNECTIONS = 16
SECONDS = 20.0
ATTACKER, LEECHER = NETWORK_IPV4[200 * 256 + 1], NETWORK_IPV4[201 * 256 + 1]
HONEST = [NETWORK_IPV4[(100 + number) * 256 + 1] for number in range(SEEDERS)]

_KEYS = "INSERT INTO peers (announce_key) SELECT unnest($1::text[])"
_TORRENT = "INSERT INTO infohashes (info_hash) VALUES ($1)"
_ROWS = """
SELECT count(*) FILTER (WHERE key_id IS NULL) AS guests
FROM announces JOIN infohashes AS torrent ON torrent.id = info_hash_id WHERE torrent.info_hash = $1
"""


@dataclass(frozen=True)
class Peer:
    """A peer that announces. ``key``: None for a guest."""

    address: IPv4Address
    port: int
    key: str | None

    def target(self, info_hash: bytes, **more: object) -> bytes:
        path = f"/{self.key}/announce" if self.key else "/announce"
        peer_id = f"-ET0001-{int(self.address) % 65536:06d}{self.port:06d}".encode()
        return f"{path}?{query(info_hash, peer_id, port=self.port, **more)}".encode()


@pytest.mark.timeout(120)
@pytest.mark.promise(18, 23)
@pytest.mark.parametrize("attackers", [100, 2000])
async def test_attackers_at_one_address_hide_no_honest_seeders_and_few_of_them_are_stored(
    stack: StackRun, attackers: int
) -> None:
    info_hash = secrets.token_bytes(20)
    keys = [secrets.token_hex(15) for _ in range(SEEDERS + attackers)]
    honest = [Peer(address, 6881, keys.pop() if number % 2 else None) for number, address in enumerate(HONEST)]
    hostile = [Peer(ATTACKER, 10_000 + number, keys.pop() if number % 2 else None) for number in range(attackers)]
    leecher = Peer(LEECHER, 6881, keys.pop())  # no seeder here has a higher tier, so that no policy restricts its list
    await _sql(stack, _KEYS, [peer.key for peer in (*honest, *hostile, leecher) if peer.key])
    await _sql(stack, _TORRENT, info_hash)
    before = await _guests_not_stored(stack)
    began = time.time()
    for peer in honest:
        await _announce_all(stack, info_hash, [peer], left=0)
    await _announce_all(stack, info_hash, hostile, left=0)
    minutes = int(time.time() / 60) - int(began / 60) + 1

    (answer,) = await _announce_all(stack, info_hash, [leecher], numwant=50)
    listed = split(answer[b"peers"], 4)
    seen = {IPv4Address(address) for address, _ in listed}
    sys.stdout.write(f"{attackers} attackers: {len(listed)} listed, {len(seen & set(HONEST))} honest\n")
    assert len(seen & set(HONEST)) >= LISTED
    assert (answer[b"complete"], answer[b"incomplete"]) == (SEEDERS + PER_ADDRESS, 1)
    await _until_settled(stack)
    (rows,) = await _sql(stack, _ROWS, info_hash)
    assert rows["guests"] <= SEEDERS + 1 + GUESTS_PER_MINUTE * minutes
    assert await _guests_not_stored(stack) - before >= attackers // 2 - GUESTS_PER_MINUTE * minutes


async def _announce_all(
    stack: StackRun, info_hash: bytes, peers: Sequence[Peer], **more: object
) -> list[dict[bytes, Any]]:
    """Announce peers of one address through the gateway, each once; return the answers."""
    port, answers, tally = int(stack.base_url.rpartition(":")[2]), [], Tally()

    async def work(some: Sequence[Peer]) -> None:
        connection = Connection(str(TRACKER_IPV4), port, tally, timeout_seconds=SECONDS, source=str(some[0].address))
        for peer in some:
            answer = bdecode(await connection.get(peer.target(info_hash, **more)))
            assert b"failure reason" not in answer
            answers.append(answer)
        connection.close()

    await asyncio.gather(*(work(peers[number::CONNECTIONS]) for number in range(min(CONNECTIONS, len(peers)))))
    return answers


async def _sql(stack: StackRun, statement: str, argument: object) -> list[Any]:
    connection = await connect(stack.postgres_settings())
    try:
        return list(await connection.fetch(statement, argument))
    finally:
        await connection.close()


async def _guests_not_stored(stack: StackRun) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"{stack.observation_url_of('announce-1')}/metrics")).text
    found = re.search(r"^etracker_announce_guests_not_stored_total ([\d.e+]+)$", metrics, re.MULTILINE)
    assert found, "there is no such metric"
    return int(float(found[1]))


async def _until_settled(stack: StackRun) -> None:
    settings = stack.redis_settings()
    async with Redis.from_url(settings.redis_url, password=settings.redis.get_secret_value()) as client:
        await eventually(lambda: all_settled(client), "all facts are settled")
