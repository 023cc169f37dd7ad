"""Send requests to the admin API through the gateway while something else happens."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.support.postgres import connect
from tests.support.stack import StackRun

ASKERS = 4


@dataclass(frozen=True)
class AdminRequest:
    """A request to the admin API and its status, or the error that came instead; ``info_hash`` if it listed one."""

    what: str
    outcome: str
    info_hash: bytes | None = None


@asynccontextmanager
async def asked_meanwhile(stack: StackRun) -> AsyncIterator[list[AdminRequest]]:
    """Request statistics from the admin API through the gateway, and add torrents to its allowlist, without a pause.

    No request is repeated: neither this code nor httpx retries.
    """
    requests: list[AdminRequest] = []
    ended = asyncio.Event()

    async def ask(client: httpx.AsyncClient) -> None:
        while not ended.is_set():
            info_hash = secrets.token_bytes(20)
            body = {"info_hash": base64.b64encode(info_hash).decode(), "name": "listed in the meantime"}
            for what, call, listed in (
                ("stats", client.get("/api/stats"), None),
                ("infohash", client.post("/api/infohash", json=body), info_hash),
            ):
                requests.append(AdminRequest(what, await outcome_of(call), listed))

    headers = {"Authorization": stack.api_key}
    client = httpx.AsyncClient(base_url=stack.base_url, headers=headers, timeout=20.0)
    async with client, asyncio.TaskGroup() as group:
        for _ in range(ASKERS):
            group.create_task(ask(client))
        try:
            yield requests
        finally:
            ended.set()


async def outcome_of(call: Awaitable[httpx.Response]) -> str:
    try:
        return str((await call).status_code)
    except httpx.HTTPError as error:
        return repr(error)


async def assert_listed(stack: StackRun, info_hashes: Sequence[bytes]) -> None:
    connection = await connect(stack.postgres_settings())
    try:
        listed = "SELECT count(*) FROM infohashes WHERE info_hash = ANY($1)"
        assert await connection.fetchval(listed, info_hashes) == len(info_hashes)
    finally:
        await connection.close()
