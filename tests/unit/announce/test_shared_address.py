"""A proxy that hides its clients is noticed; a household, a seedbox and a tracker for a LAN are not taken for one."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from etracker_announce.frontends.shared_address import FEWEST_PEERS, WINDOW_SECONDS, SharedAddress, bridge_address
from tests.support.announce import query
from tests.support.announce_ports import HASH, Scripted, ask

PROXY = bytes([172, 30, 77, 1])


class Tracker:
    """What a front end counts, and an hour that a test can move on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.shared = SharedAddress(lambda: self.now)

    def announce(self, addresses: Iterable[bytes], peers: int = 1000) -> None:
        for number, address in enumerate(addresses):
            self.shared.count(address, b"%d" % (number % peers))


@given(st.lists(st.integers(0, 49), max_size=3), st.permutations(range(100)))
def test_a_proxy_is_noticed_whatever_comes_in_between(others: list[int], order: list[int]) -> None:
    tracker = Tracker()
    for place in order:
        if place in others:
            tracker.shared.elsewhere += 1
        else:
            tracker.shared.count(PROXY, b"%d" % place)
    assert tracker.shared.check()


@given(st.permutations([PROXY] * 90 + [bytes([10, 0, 0, number]) for number in range(10)]))
def test_peers_of_many_addresses_share_none(addresses: list[bytes]) -> None:
    tracker = Tracker()
    tracker.announce(addresses)
    assert not tracker.shared.check()


def test_ten_peers_with_the_address_of_the_containers_network_are_noticed_among_many_others() -> None:
    """Only IPv6 clients have it, so that they may be few."""
    shared = SharedAddress(lambda: 0.0, bridge=PROXY)
    shared.elsewhere += 1000
    with capture_logs() as logs:
        for number in range(FEWEST_PEERS):
            assert not shared.check()
            shared.count(PROXY, b"%d" % number)
        assert shared.check()
    assert [entry["event"] for entry in logs] == ["peers_have_the_address_of_the_containers_network"]
    assert "172" not in str(logs)


def test_the_address_of_the_containers_network_is_the_default_gateway(tmp_path: Path) -> None:
    routes, mark = tmp_path / "route", tmp_path / ".dockerenv"
    routes.write_text(
        "Iface\tDestination\tGateway \tFlags\neth0\t004D1EAC\t00000000\t0001\neth0\t00000000\t014D1EAC\t0003\n"
    )
    assert bridge_address(routes, mark) == b""
    mark.touch()
    assert bridge_address(routes, mark) == PROXY


def test_few_peers_on_one_address_are_a_household() -> None:
    tracker = Tracker()
    tracker.announce([PROXY] * 5000, peers=FEWEST_PEERS - 1)
    assert not tracker.shared.check()


def test_it_is_logged_once_without_the_address_and_ends_with_the_hour() -> None:
    tracker = Tracker()
    with capture_logs() as logs:
        for _ in range(3):
            tracker.announce([PROXY] * 100)
            assert tracker.shared.check()
            tracker.now += WINDOW_SECONDS
            assert tracker.shared.check()
        tracker.now += WINDOW_SECONDS
        assert not tracker.shared.check()
    assert [entry["event"] for entry in logs] == ["peers_share_one_address"]
    assert "172" not in str(logs)


def test_it_ends_once_the_proxy_is_named() -> None:
    tracker = Tracker()
    tracker.announce([PROXY] * 100)
    assert tracker.shared.check()
    tracker.now += WINDOW_SECONDS
    assert tracker.shared.check()
    tracker.shared.elsewhere += FEWEST_PEERS
    assert not tracker.shared.check()


@pytest.mark.parametrize(("address", "told"), [("10.1.2.3", 1.0), ("203.0.113.9", 0.0)])
async def test_announces_of_a_private_address_are_counted(address: str, told: float) -> None:
    scripted = Scripted()
    for number in range(FEWEST_PEERS):
        await ask(scripted, f"/announce?{query(HASH, b'-TR3000-%012d' % number)}", address)
    assert scripted.count("peers_share_one_address") == told
