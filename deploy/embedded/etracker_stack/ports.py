"""Free ports on this machine."""

import random
import socket
from itertools import islice

FIRST_PORT, LAST_PORT = 15_000, 32_767
"""Below the ports that Linux assigns to outgoing connections, which could take a port before its server listens."""


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return different ports of ``host`` that nobody listens on now."""
    ports = range(FIRST_PORT, LAST_PORT + 1)
    shuffled = random.sample(ports, len(ports))
    return list(islice((port for port in shuffled if not is_taken(host, port)), count))


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port of ``host`` that nobody listens on now."""
    return free_ports(1, host)[0]


def is_taken(host: str, port: int) -> bool:
    """Return whether listening on ``host`` and ``port`` would be refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False
