"""A network namespace in which every client has an address and an uplink of its own.

All addresses of 10.77/16 are local to it. What a client sends passes a class of its own of the loopback's queue, which
lets through what its line can; the tracker's address has no class. Nothing leaves: there is no other interface.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

NETWORK = IPv4Network("10.77.0.0/16")
TRACKER = NETWORK[1]
INSIDE = "ETRACKER_LAB_NAMESPACE"
"""Set in the environment of a process in such a namespace."""

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
    """Return the address of a client, counted from 0: each has a /24 of its own, as people at home have."""
    return NETWORK[256 * (client + 1) + 1]


def enter(command: list[str]) -> None:
    """Replace this process by a command in a new namespace; root isn't needed where users may have namespaces."""
    as_user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    unshare = ["unshare", *as_user, "--net", "sh", "-c", _SETUP, "sh", *command]
    os.execvpe(unshare[0], unshare, {**os.environ, INSIDE: "1"})


def shape(uplinks: Iterable[tuple[int, int]]) -> None:
    """Give clients their lines: pairs of a client and its bits a second.

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
