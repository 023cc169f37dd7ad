"""The whole tracker as its users and its operator see it: through its public ports, and in Postgres."""

import asyncio
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import quote_from_bytes

import asyncpg
import httpx
from fastbencode import bdecode

from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.announce import query
from tests.support.netns import TRACKER_IPV4, TRACKER_IPV6
from tests.support.postgres import connect
from tests.support.processes import wait_until
from tests.support.stack import StackRun

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of one swarm in a scrape."""

    complete: int
    incomplete: int
    downloaded: int


class Tracker:
    """A running stack whose gateway and public port of announce listen on the namespace's tracker addresses."""

    def __init__(self, port: int, announce_port: int, api_key: str, postgres: PostgresSettings) -> None:
        self.port = port
        self._announce_port = announce_port
        self._api_key = api_key
        self._postgres = postgres

    @classmethod
    def of(cls, stack: StackRun) -> "Tracker":
        """Return a stack as its users see it."""
        gateway, announce = (int(address.rpartition(":")[2]) for address in (stack.base_url, stack.announce_address))
        return cls(gateway, announce, stack.api_key, stack.postgres_settings())

    def url(self, version: int) -> str:
        """Return the gateway's address of one family, without a path."""
        return f"http://{TRACKER_IPV4}:{self.port}" if version == 4 else f"http://[{TRACKER_IPV6}]:{self.port}"

    def upload(self, torrent: bytes) -> None:
        """Make the tracker track a torrent, as an operator would."""
        answer = httpx.post(
            f"{self.url(4)}/api/torrentfile",
            files={"file": ("a.torrent", torrent)},
            headers={"Authorization": self._api_key},
            trust_env=False,
        )
        assert answer.status_code == 201, answer.text

    def remove(self, info_hash: bytes) -> None:
        """Make the tracker stop tracking a torrent, as an operator would."""
        self._operate("DELETE", f"infohashes/{info_hash.hex()}")

    def rotate(self, announce_key: str) -> str:
        """Replace an announce key, as the operator does, and return the new one once the old one is refused."""
        (key,) = self.query("SELECT id FROM peers WHERE key_hash = hash_announce_key($1)", announce_key)
        new_key = str(self._operate("POST", f"keys/{key['id']}/rotate").json()["announce_key"])
        wait_until(lambda: self.refuses(announce_key), "the old key is refused")
        return new_key

    def _operate(self, method: str, path: str) -> httpx.Response:
        headers = {"Authorization": self._api_key}
        return httpx.request(
            method, f"{self.url(4)}/api/v1/{path}", headers=headers, trust_env=False
        ).raise_for_status()

    def user(self, address: Address) -> "User":
        """Make a user with a fresh announce key who reaches the tracker from ``address``."""
        return User(self.url(address.version), address, self._announce_port)

    def refuses(self, announce_key: str) -> bool:
        """Return whether a scrape with this key gets a failure."""
        answer = httpx.get(f"{self.url(4)}/{announce_key}/scrape?info_hash={'a' * 20}", trust_env=False)
        return b"failure reason" in bdecode(answer.content)

    def query(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Return the rows of one statement."""
        return asyncio.run(self._query(statement, *arguments))

    async def _query(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        settings = self._postgres
        connection = await connect(settings)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()


class User:
    """A user with their own announce key and address."""

    def __init__(self, base_url: str, address: Address, announce_port: int) -> None:
        self._announce_port = announce_port
        transport = httpx.HTTPTransport(local_address=str(address))
        self._http = httpx.Client(base_url=base_url, transport=transport, trust_env=False)
        self.key = str(self._http.get("/api/generate").raise_for_status().json()["announce_key"])

    @property
    def announce_url(self) -> str:
        """The announce URL of this user's clients, at announce's public port."""
        return str(self._http.base_url.join(f"/{self.key}/announce").copy_with(port=self._announce_port))

    def torrent(self, info_hash: bytes) -> bytes:
        """Download a torrent file with this user's announce URL. ``info_hash``: 20 bytes, or 32 of a v2 torrent."""
        query = {"announce_key": self.key, "info_hash": info_hash.hex()}
        return self._http.get("/api/torrentfile", params=query).raise_for_status().content

    def scrape(self, info_hash: bytes) -> Counts:
        """Ask for the counts of one swarm; ``info_hash`` is 20 bytes."""
        answer = self._http.get(f"/{self.key}/scrape?info_hash={quote_from_bytes(info_hash, safe='')}")
        counts = bdecode(answer.raise_for_status().content)[b"files"][info_hash]
        return Counts(counts[b"complete"], counts[b"incomplete"], counts[b"downloaded"])

    def announce(self, info_hash: bytes, peer_id: bytes, **more: object) -> dict[bytes, Any]:
        """Announce as a leecher, without a client; ``more``: see :func:`tests.support.announce.query`."""
        answer = self._http.get(f"/{self.key}/announce?{query(info_hash, peer_id, **more)}")
        return dict(bdecode(answer.raise_for_status().content))

    def wait_for_counts(self, info_hash: bytes, expected: Counts, seconds: float = 30.0) -> None:
        """Wait until a scrape returns the expected counts."""
        try:
            wait_until(lambda: self.scrape(info_hash) == expected, f"the swarm has {expected}", seconds, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; it has {self.scrape(info_hash)}") from None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
