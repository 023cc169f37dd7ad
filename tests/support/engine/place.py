"""Where an engine is, and from where tests reach what it runs."""

import json
import os
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Self

VARIABLE = "ETRACKER_TEST_ENGINE"


@dataclass(frozen=True, slots=True)
class Place:
    """A running engine.

    ``docker``: the program to run. ``directory``: for checkouts; the engine sees it under the same path.
    ``tracker`` and ``tracker_ipv6``: the addresses of published ports. ``clients``: addresses that clients may use,
    first of IPv4, then of IPv6. ``port``, ``announce_port``: free ones to publish. ``private``: nothing else uses
    this engine, and its images are stand-ins.
    """

    docker: str
    directory: str
    tracker: str
    tracker_ipv6: str
    clients: tuple[str, ...]
    port: int
    announce_port: int
    private: bool

    def settings(self) -> dict[str, str]:
        """Return what an installation needs in .env so that it disturbs no other one on this engine."""
        ports = {"ETRACKER_BACKEND_PORT": str(self.port), "ETRACKER_ANNOUNCE_PORT": str(self.announce_port)}
        if self.private:
            return ports
        return ports | {
            "COMPOSE_PROJECT_NAME": f"etracker-test-{self.port}",
            "ETRACKER_VERSION": f"test-{self.port}",
            "ETRACKER_SUBNET": "172.30.79.0/24",
            "ETRACKER_SUBNET_IPV6": "fd65:7472:6165::/64",
            "ETRACKER_STORES_SUBNET": "172.30.80.0/24",
            "ETRACKER_STORES_SUBNET_IPV6": "fd65:7472:6166::/64",
            "ETRACKER_GATEWAY_IPV4": "172.30.79.254",
            "ETRACKER_GATEWAY_IPV6": "fd65:7472:6165::fffe",
        }

    def variables(self) -> dict[str, str]:
        """Return what the environment of tests needs."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def of_environment(cls) -> Self | None:
        """Return the engine that these tests were started for, if any."""
        told = os.environ.get(VARIABLE)
        if told is None:
            return None
        place = json.loads(told)
        return cls(**{**place, "clients": tuple(place["clients"])})

    @property
    def path(self) -> Path:
        """The directory for checkouts."""
        return Path(self.directory)

    def clients_ipv4(self) -> list[IPv4Address]:
        """Return the addresses of the first family."""
        return [IPv4Address(address) for address in self.clients if ":" not in address]

    def clients_ipv6(self) -> list[IPv6Address]:
        """Return the addresses of the second family."""
        return [IPv6Address(address) for address in self.clients if ":" in address]
