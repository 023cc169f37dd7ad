"""Who uses the tracker: keys with their addresses, lines and clients."""

import random
from dataclasses import dataclass

from .families import Family, draw_family

_KEY_BYTES = 15


@dataclass(slots=True)
class Person:
    """A key and what stands behind it. Rates are bytes per second. ``ipv6``: its client may announce over both."""

    key: str
    ip: str
    ipv6: str | None
    port: int
    family: Family
    upload: float
    download: float
    always_on: bool


def draw_person(draw: random.Random, neighbours: list[str], family: Family | None = None) -> Person:
    """Return a new person. One in twelve shares the address of somebody before (NAT)."""
    shared = bool(neighbours) and draw.random() < 1 / 12
    ip = draw.choice(neighbours) if shared else draw_address(draw)
    neighbours.append(ip)
    upload = 10 ** draw.uniform(5.0, 7.0)
    seedbox = draw.random() < 0.12
    if seedbox:
        upload = 10 ** draw.uniform(7.0, 7.9)
    return Person(
        key=draw.randbytes(_KEY_BYTES).hex(),
        ip=ip,
        ipv6=f"2001:db8:{draw.randrange(1, 2**16):x}:{draw.randrange(2**16):x}::{draw.randrange(1, 2**16):x}"
        if draw.random() < 0.3
        else None,
        port=draw.randrange(1025, 65535),
        family=family or draw_family(draw),
        upload=upload,
        download=upload * draw.uniform(1, 8),
        always_on=seedbox or draw.random() < 0.45,
    )


def draw_address(draw: random.Random) -> str:
    """Return an IPv4 address of a network for benchmarks and documentation: nobody's."""
    return f"198.{draw.choice((18, 19))}.{draw.randrange(256)}.{draw.randrange(1, 255)}"
