"""Run a command in a separate network namespace, where every address of two networks is local.

    python -m tests.support.netns COMMAND [ARGUMENT ...]

Real clients want addresses of their own: Transmission drops peers on 127/8, libtorrent refuses trackers
there. An AnyIP route makes all of :data:`NETWORK_IPV4` addresses of ``lo``; IPv6 refuses to bind an address
that only a route makes local, so clients' addresses are put on ``lo`` one by one. A mount namespace gives
the tracker a name. Nothing leaves: there is no other interface. Root just unshares; a normal user gets a user
namespace in which they keep their own name (Postgres refuses to run as root).
"""

import os
import subprocess
import sys
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

NETWORK_IPV4 = IPv4Network("10.77.0.0/16")
NETWORK_IPV6 = IPv6Network("fd77::/64")
TRACKER_IPV4 = NETWORK_IPV4[1]
TRACKER_IPV6 = NETWORK_IPV6[1]
TRACKER_NAME = "tracker.test"
"""A name that has both addresses of the tracker."""
CLIENTS = 32
USAGE = "python -m tests.support.netns"

_CLIENTS_IPV6 = "fd77::3:"

_SETUP = f"""
set -e
ip link set lo up
ip address add {TRACKER_IPV4}/32 dev lo
ip address add {TRACKER_IPV6}/128 dev lo nodad
ip route add local {NETWORK_IPV4} dev lo
for number in $(seq {CLIENTS})
do
    ip address add "{_CLIENTS_IPV6}$(printf %x "$number")/128" dev lo nodad
done
hosts=$(mktemp)
cat >"$hosts" <<END
127.0.0.1 localhost
::1 localhost
{TRACKER_IPV4} {TRACKER_NAME}
{TRACKER_IPV6} {TRACKER_NAME}
END
mount --bind "$hosts" /etc/hosts
rm "$hosts"
exec "$@"
"""


def client_address(number: int, version: int) -> IPv4Address | IPv6Address:
    """Return the address of client ``number`` (1 to :data:`CLIENTS`): 10.77.3.<number>, or fd77::3:<in hex>."""
    return NETWORK_IPV4[3 * 256 + number] if version == 4 else IPv6Address(f"{_CLIENTS_IPV6}{number:x}")


def inside() -> bool:
    """Return whether this process is in such a namespace."""
    routes = subprocess.run(
        ["ip", "route", "show", "table", "local", str(NETWORK_IPV4)], capture_output=True, text=True, check=False
    )
    return routes.returncode == 0 and str(NETWORK_IPV4) in routes.stdout


def namespace_command(command: list[str]) -> list[str]:
    """Return the command that runs ``command`` in a new namespace."""
    as_user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    return ["unshare", *as_user, "--net", "--mount", "sh", "-c", _SETUP, "sh", *command]


def main() -> None:
    """Replace this process by the command, in a new namespace."""
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: {USAGE} COMMAND [ARGUMENT ...]")
    command = namespace_command(sys.argv[1:])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
