"""Free ports on this machine."""

import socket
from contextlib import ExitStack


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return ports of ``host`` that nobody listens on now, each once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(family, socket.SOCK_STREAM)) for _ in range(count)]
        for taken in sockets:
            taken.bind((host, 0))
        return [int(taken.getsockname()[1]) for taken in sockets]


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port of ``host`` that nobody listens on now."""
    return free_ports(1, host)[0]


def is_taken(host: str, port: int) -> bool:
    """Tell whether listening on ``host`` and ``port`` would be refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False
