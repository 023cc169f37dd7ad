"""Detects that nearly all peers have the same private address: a proxy in front of the tracker hides their own.

In a container it also detects peers with the address of the container's own network, however few they are among all:
Docker before version 27 passes every IPv6 connection on itself.

This takes constant space, and one addition per announce. Only these are kept for an hour: the most frequent address,
the numbers of announces from it and from elsewhere, and ten of the peers behind it.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from structlog import get_logger

WINDOW_SECONDS = 3600.0
CHECK_SECONDS = 60.0
FEWEST_PEERS = 10
"""Fewer peers at one address are a household, or somebody's seedbox next to the tracker."""
NEARLY_ALL = 0.95

log = get_logger("announce")


class SharedAddress:
    """Counts the announces from the most frequent private address, and all others.

    ``elsewhere``: the number of others; a front end adds those from public addresses itself. ``bridge``: the address of
    the container's network, packed; empty outside containers.
    """

    def __init__(self, clock: Callable[[], float], bridge: bytes = b"") -> None:
        self._clock = clock
        self._bridge = bridge
        self._bridged: set[int] = set()
        self._shared = False
        self._end = clock() + WINDOW_SECONDS
        self._address = b""
        self._hits = self.elsewhere = 0
        self._peers: set[int] = set()

    def count(self, packed: bytes, peer: bytes) -> None:
        """Count an announce from a private address. ``peer`` distinguishes its sender from others at this address."""
        if packed == self._bridge and len(self._bridged) < FEWEST_PEERS:
            self._bridged.add(hash(peer))
        if packed == self._address:
            self._hits += 1
            if len(self._peers) < FEWEST_PEERS:
                self._peers.add(hash(peer))
            return
        self.elsewhere += 1
        if self.elsewhere > self._hits:
            self.elsewhere += self._hits - 1
            self._address, self._hits, self._peers = packed, 1, {hash(peer)}

    def check(self) -> bool:
        """Return whether nearly all peers of the last hour share an address; log when this begins."""
        was_shared, many = self._shared, len(self._peers) == FEWEST_PEERS
        announces = self._hits + self.elsewhere
        nearly_all = self._hits >= NEARLY_ALL * announces
        bridged = len(self._bridged) == FEWEST_PEERS
        is_over = self._clock() >= self._end
        if (many and nearly_all) or bridged:
            self._shared = True
        elif is_over or (announces >= FEWEST_PEERS and not nearly_all):
            self._shared = False
        if is_over:
            self._begin_again()
        if self._shared and not was_shared:
            if bridged:
                log.warning("peers_have_the_address_of_the_containers_network", needs="Docker Engine 27 for IPv6")
            else:
                log.warning("peers_share_one_address", setting="ETRACKER_GATEWAY_TRUSTED_PROXIES")
        return self._shared

    async def watch(self) -> None:
        """Check now and then, whether or not anybody reads the metrics."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.check()

    def _begin_again(self) -> None:
        self._end = self._clock() + WINDOW_SECONDS
        self._address = b""
        self._hits = self.elsewhere = 0
        self._peers = set()
        self._bridged = set()


def bridge_address(routes: Path = Path("/proc/net/route"), mark: Path = Path("/.dockerenv")) -> bytes:
    """Return the packed IPv4 address of the container's network, its default gateway; empty outside Docker."""
    if not mark.exists():
        return b""
    for line in routes.read_text().splitlines()[1:]:
        _, destination, gateway, *_ = line.split()
        if destination == "00000000":
            return int(gateway, 16).to_bytes(4, sys.byteorder)
    return b""
