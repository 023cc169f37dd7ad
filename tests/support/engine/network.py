"""Two network namespaces: the engine's, which reaches the outside through this machine, and the clients'."""

import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.engine.commands import EngineError, attempt, run

CLIENTS = 16
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


@dataclass
class Network:
    """The namespaces of one run. ``number`` distinguishes them and their subnets from those of other runs."""

    number: int
    undoing: list[list[str]] = field(default_factory=list)

    @property
    def engine(self) -> str:
        """The engine's namespace."""
        return f"etr-engine-{self.number}"

    @property
    def clients(self) -> str:
        """The clients' namespace."""
        return f"etr-clients-{self.number}"

    @property
    def tracker(self) -> str:
        """The address at which clients find published ports."""
        return f"10.99.{self.number}.1"

    @property
    def tracker_ipv6(self) -> str:
        """The same of IPv6."""
        return f"fd99:{self.number:x}::1"

    def client_addresses(self) -> tuple[str, ...]:
        """Return the addresses in the clients' namespace."""
        numbers = range(10, 10 + CLIENTS)
        return tuple(f"10.99.{self.number}.{n}" for n in numbers) + tuple(f"fd99:{self.number:x}::{n}" for n in numbers)

    def open(self, record: Path) -> None:
        """Make both; ``record`` remembers what has to be undone, even if this process is killed."""
        self._to_the_outside(record)
        self._to_the_clients(record)

    def close(self) -> None:
        """Undo everything, the last step first."""
        undo(self.undoing)

    def _to_the_outside(self, record: Path) -> None:
        out = _default_interface()
        outer, inner, subnet = f"etrh{self.number}", f"etrn{self.number}", f"10.98.{self.number}"
        self._step(record, ["ip", "netns", "add", self.engine], ["ip", "netns", "del", self.engine])
        link = ["ip", "link", "add", outer, "type", "veth", "peer", "name", inner]
        self._step(record, link, ["ip", "link", "del", outer])
        run("ip", "link", "set", inner, "netns", self.engine)
        run("ip", "address", "add", f"{subnet}.1/24", "dev", outer)
        run("ip", "link", "set", outer, "up")
        run("ip", "-n", self.engine, "link", "set", "lo", "up")
        run("ip", "-n", self.engine, "address", "add", f"{subnet}.2/24", "dev", inner)
        run("ip", "-n", self.engine, "link", "set", inner, "up", "mtu", "1400")
        run("ip", "-n", self.engine, "route", "add", "default", "via", f"{subnet}.1")
        masquerade = ["POSTROUTING", "-s", f"{subnet}.0/24", "-o", out, "-j", "MASQUERADE"]
        self._step(record, _rule("nat", "-A", masquerade), _rule("nat", "-D", masquerade))
        for forward in (["FORWARD", "-i", outer, "-j", "ACCEPT"], ["FORWARD", "-o", outer, "-j", "ACCEPT"]):
            self._step(record, _rule("filter", "-I", forward), _rule("filter", "-D", forward))
        if _FORWARDING.read_text().strip() == "0":
            switch = ["sysctl", "-qw"]
            self._step(record, [*switch, "net.ipv4.ip_forward=1"], [*switch, "net.ipv4.ip_forward=0"])

    def _to_the_clients(self, record: Path) -> None:
        near, far = f"etrc{self.number}", f"etre{self.number}"
        self._step(record, ["ip", "netns", "add", self.clients], ["ip", "netns", "del", self.clients])
        run("ip", "-n", self.engine, "link", "add", far, "type", "veth", "peer", "name", near, "netns", self.clients)
        run("ip", "-n", self.engine, "address", "add", f"{self.tracker}/24", "dev", far)
        run("ip", "-n", self.engine, "-6", "address", "add", f"{self.tracker_ipv6}/64", "dev", far, "nodad")
        run("ip", "-n", self.engine, "link", "set", far, "up")
        run("ip", "-n", self.clients, "link", "set", "lo", "up")
        for address in self.client_addresses():
            family, length = (["-6"], "64") if ":" in address else ([], "24")
            options = ["nodad"] if family else []
            run("ip", "-n", self.clients, *family, "address", "add", f"{address}/{length}", "dev", near, *options)
        run("ip", "-n", self.clients, "link", "set", near, "up")

    def _step(self, record: Path, do: list[str], undo: list[str]) -> None:
        self.undoing.append(undo)
        record.write_text(json.dumps(self.undoing))
        run(*do)


def free_network() -> Network:
    """Return a network whose subnets this machine doesn't use."""
    routes = run("ip", "route", "show", "table", "all")
    taken = [ipaddress.ip_network(word) for word in routes.split() if word.startswith("10.") and "/" in word]
    for number in range(77, 250):
        ours = ipaddress.ip_network(f"10.98.{number}.0/24")
        if not any(ours.overlaps(network) for network in taken):
            return Network(number)
    raise EngineError("Every subnet of 10.98.0.0/16 is in use.")


def undo(steps: list[list[str]]) -> None:
    """Run the commands that undo a network, the last first. One that fails has nothing left to undo."""
    for command in reversed(steps):
        attempt(command)


def _rule(table: str, action: str, rule: list[str]) -> list[str]:
    return ["iptables", "-w", "-t", table, action, *rule]


def _default_interface() -> str:
    words = run("ip", "route", "show", "default").split()
    if "dev" not in words:
        raise EngineError("The machine has no default route, through which images get their packages.")
    return words[words.index("dev") + 1]
