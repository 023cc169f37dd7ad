"""A key that was confirmed as a waster and a guest that is suspected, as the worker and announce would leave them."""

import asyncio
import secrets
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import NamedTuple, TypeVar

import asyncpg

from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, TRAFFIC_SLOTS, Kind, Verdict
from etracker_shared.agreements.block_lists import make_token, pack_handed
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.redis_connections import connect_redis
from tests.support.anomalies import NOW_BLOCK, add_anomaly, add_evidence, add_key, add_torrent, confirm
from tests.support.postgres import connect
from tests.support.stack import StackRun

TORRENT = "Field recordings of a marsh, \u202eand a name that goes on"
ADDRESS = "198.51.100.7:51413"
FIRST, ONSET, LAST = NOW_BLOCK - 40, NOW_BLOCK - 12, NOW_BLOCK - 2
_GIB = 2**30

Result = TypeVar("Result")


class Suspects(NamedTuple):
    """What was stored: the anomalies, the key that was confirmed, the torrent, and a recipient's token."""

    confirmed: int
    suspected: int
    announce_key: str
    info_hash: str
    token: str


def store_suspects(stack: StackRun) -> Suspects:
    return _run(_store(stack))


def forget_suspects(stack: StackRun, suspects: Suspects) -> None:
    _run(_forget(stack, suspects))


def _run(work: Coroutine[None, None, Result]) -> Result:
    """Run a coroutine in a thread of its own: a browser's thread has a running event loop already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _store(stack: StackRun) -> Suspects:
    database = await connect(stack.postgres_settings())
    announce_key, info_hash = secrets.token_hex(15), secrets.token_hex(20)
    try:
        key = await add_key(database, announce_key)
        torrent = await add_torrent(database, info_hash, TORRENT)
        confirmed = await add_anomaly(database, key)
        await confirm(database, confirmed, Verdict.WASTE)
        blocks = (ONSET, LAST)
        await add_evidence(database, confirmed, torrent, Kind.SWARM_UPLOAD, points=40.0, blocks=blocks, days_ago=0.5)
        await add_evidence(database, confirmed, torrent, Kind.REDOWNLOAD, points=62.5, blocks=blocks)
        suspected = await add_anomaly(database, guest=secrets.token_bytes(16), peer_id=b"-TR4060-abcdefghijkl")
        await add_evidence(database, suspected, torrent, Kind.FLOOD, peer_id=b"-TR4060-abcdefghijkl")
        await _add_balance(database, torrent, key)
        secret = bytes(await database.fetchval("SELECT value FROM secrets WHERE name = 'pair'"))
    finally:
        await database.close()
    recipient = secrets.token_bytes(8)
    await _hand(stack, recipient, hash_announce_key(announce_key)[:8])
    return Suspects(confirmed, suspected, announce_key, info_hash, make_token(secret, recipient))


async def _add_balance(database: asyncpg.Connection, torrent: int, key: int) -> None:
    insert_block = "INSERT INTO swarm_blocks VALUES ($1, $2, $3, $4, 5e7, $5, $6, 1)"
    insert_traffic = "INSERT INTO traffic_blocks VALUES ($1, $2, $3, $4, $5, 0, 0)"
    for block in range(FIRST, LAST + 1):
        received = _GIB * (2 + block % 3) // 2
        false = _GIB if block > ONSET else 0
        onset = ONSET if false else None
        cusum = float(false * (block - ONSET))
        await database.execute(insert_block, torrent, block, received + false, received, cusum, onset)
        slot = block * BLOCK_SECONDS // 86_400 % TRAFFIC_SLOTS
        await database.execute(insert_traffic, slot, block, torrent, key.to_bytes(8, "big"), false + _GIB // 8)


async def _hand(stack: StackRun, recipient: bytes, suspect: bytes) -> None:
    address, port = ADDRESS.split(":")
    endpoint = ip_address(address).packed + int(port).to_bytes(2, "big")
    redis = connect_redis(stack.redis_settings())
    try:
        field, value = secrets.token_bytes(8) + suspect, pack_handed([endpoint], int(time.time()) - 90)
        await redis.hset(redis_keys.handed(recipient), field, value)
    finally:
        await redis.aclose()


async def _forget(stack: StackRun, suspects: Suspects) -> None:
    database = await connect(stack.postgres_settings())
    try:
        await database.execute("DELETE FROM anomalies WHERE id = ANY($1)", [suspects.confirmed, suspects.suspected])
        await database.execute("DELETE FROM peers WHERE key_hash = $1", hash_announce_key(suspects.announce_key))
        await database.execute("DELETE FROM infohashes WHERE info_hash = $1", bytes.fromhex(suspects.info_hash))
    finally:
        await database.close()
