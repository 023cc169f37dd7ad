"""A network namespace in which every client has its own address and uplink.

All addresses of 198.18/16 are local to it. The traffic from a client passes through its own class of the loopback's
queue, which is limited to the speed of its line; the tracker's address has no class. There is no other interface.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

NETWORK = IPv4Network("198.18.0.0/16")
"""Reserved for benchmarks. libtorrent gives peers in private networks (such as 10/8) unlimited upload slots."""

TRACKER = NETWORK[1]
INSIDE = "ETRACKER_LAB_NAMESPACE"
"""Environment variable that is set for processes in such a namespace."""

MTU = 1500
WAITING_PACKETS = 30
BURST_BYTES = 8 * MTU

_SETUP = f"""
set -e
ip link set lo up mtu {MTU}
ip address add {TRACKER}/32 dev lo
ip route add local {NETWORK} dev lo
exec "$@"
"""


def address_of(client: int) -> IPv4Address:
    """Return the address of a client, counted from 0: each has its own /24, like people at home."""
    return NETWORK[256 * (client + 1) + 1]


def enter(command: list[str]) -> None:
    """Replace this process with a command in a new namespace; this needs no root where users may create namespaces."""
    as_user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    unshare = ["unshare", *as_user, "--net", "sh", "-c", _SETUP, "sh", *command]
    os.execvpe(unshare[0], unshare, {**os.environ, INSIDE: "1"})


def shape(uplinks: Iterable[tuple[int, int]]) -> None:
    """Limit the lines of clients, given as pairs of a client and its bits per second.

    Raises:
        subprocess.CalledProcessError: tc refuses.
    """
    _tc("qdisc", "add", "dev", "lo", "root", "handle", "1:", "htb")
    for client, bits in uplinks:
        line = f"1:{client + 16:x}"
        rate = ("rate", str(bits), "ceil", str(bits), "burst", str(BURST_BYTES), "cburst", str(BURST_BYTES))
        _tc("class", "add", "dev", "lo", "parent", "1:", "classid", line, "htb", *rate)
        _tc("qdisc", "add", "dev", "lo", "parent", line, "pfifo", "limit", str(WAITING_PACKETS))
        source = ("match", "ip", "src", f"{address_of(client)}/32")
        _tc("filter", "add", "dev", "lo", "parent", "1:", "protocol", "ip", "u32", *source, "flowid", line)


def _tc(*arguments: str) -> None:
    subprocess.run([shutil.which("tc") or "tc", *arguments], check=True)
