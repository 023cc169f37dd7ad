"""Tools that invent statistics, by what trackers see of them: real announces over HTTP, nothing transferred.

Each tool is a function from the number of an announce and the torrent's size to the counters and event of that
announce. :class:`FakeClient` sends them. The artefacts are those of the tools' sources: JOAL's uploads are multiples of
five, ratio-spoof sends ``started`` every time, RatioUp's uploads aren't cumulative.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import httpx
from fastbencode import bdecode

from tests.support.announce import query

KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Claim:
    """What an announce claims. ``event``: empty for none."""

    uploaded: int
    downloaded: int
    left: int
    event: str = ""


@dataclass(frozen=True, slots=True)
class Faker:
    """``claim(number, seconds, size, luck)``: the announce of this number, ``seconds`` after the first."""

    peer_id_start: str
    user_agent: str
    port: int
    claim: Callable[[int, float, int, random.Random], Claim]

    def peer_id(self, luck: random.Random) -> bytes:
        """Return a new peer_id."""
        return (self.peer_id_start + "".join(luck.choices("abcdefghijkmnpqrstuvwxyz23456789", k=12))).encode()[:20]


def _joal(number: int, seconds: float, size: int, luck: random.Random) -> Claim:
    speeds = [luck.randrange(30_000, 170_000) for _ in range(int(seconds // 1200) + 1)]
    uploaded = 5 * sum(int(speed * min(1200.0, seconds - 1200 * index)) // 5 for index, speed in enumerate(speeds))
    return Claim(uploaded, 0, 0, _started(number))


def _ratio_spoof(number: int, seconds: float, size: int, luck: random.Random) -> Claim:
    uploaded = int(100 * KIBIBYTE * seconds) // (16 * KIBIBYTE) * 16 * KIBIBYTE
    return Claim(uploaded, 0, 0, "started")


def _ratio_up(number: int, seconds: float, size: int, luck: random.Random) -> Claim:
    rates = [luck.randrange(40_000, 400_000) for _ in range(number + 1)]
    return Claim(rates[number] * 1800 if number else 0, 0, 0, _started(number))


def _seedmage(number: int, seconds: float, size: int, luck: random.Random) -> Claim:
    return Claim(int(800_000 * seconds), 0, size, _started(number))


def _rustatio(number: int, seconds: float, size: int, luck: random.Random) -> Claim:
    steps = [luck.uniform(0.8, 1.2) * 1_000_000 * 60 for _ in range(int(seconds // 60))]
    return Claim(int(sum(steps)), 0, 0, _started(number))


def _ratio_master(number: int, seconds: float, size: int, luck: random.Random) -> Claim:
    uploaded = int(seconds * (500 * KIBIBYTE + luck.randrange(1, 10) * KIBIBYTE)) // 16_384 * 16_384
    return Claim(uploaded, 0, 0, _started(number))


def _started(number: int) -> str:
    return "" if number else "started"


FAKERS: Mapping[str, Faker] = {
    "joal": Faker("-qB4450-", "qBittorrent/4.4.5", 49152, _joal),
    "ratio-spoof": Faker("-qB4030-", "qBittorrent/4.0.3", 8999, _ratio_spoof),
    "ratioup": Faker("-qB4450-", "qBittorrent/4.4.5", 55000, _ratio_up),
    "seedmage": Faker("-DE13F0-", "Deluge 1.3.15", 6881, _seedmage),
    "rustatio": Faker("-qB5210-", "qBittorrent/5.2.1", 6881, _rustatio),
    "ratiomaster": Faker("-UT3320-", "uTorrent/3320(31040)", 23456, _ratio_master),
}


class FakeClient:
    """A tool that announces one torrent from its own address. Its clock is the caller's."""

    def __init__(self, name: str, announce_url: str, address: IPv4Address | IPv6Address, info_hash: bytes) -> None:
        self._faker = FAKERS[name]
        self._seed = name
        self._url = announce_url
        self._info_hash = info_hash
        self._peer_id = self._faker.peer_id(random.Random(f"{name} {address}"))
        self._number = 0
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(local_address=str(address)),
            headers={"User-Agent": self._faker.user_agent},
            trust_env=False,
        )

    def announce(self, seconds: float, size: int) -> dict[bytes, Any]:
        """Send the announce that the tool sends ``seconds`` after its first one."""
        claim = self._faker.claim(self._number, seconds, size, random.Random(f"{self._seed} {self._info_hash.hex()}"))
        self._number += 1
        event = {"event": claim.event} if claim.event else {}
        sent = query(
            self._info_hash,
            self._peer_id,
            port=self._faker.port,
            uploaded=claim.uploaded,
            downloaded=claim.downloaded,
            left=claim.left,
            numwant=50,
            **event,
        )
        return dict(bdecode(self._http.get(f"{self._url}?{sent}").raise_for_status().content))

    def close(self) -> None:
        """Close its connections."""
        self._http.close()
