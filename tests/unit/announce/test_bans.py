"""What is banned, and how the tracker turns it away."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.domain.answers import AnnounceAnswer, Refusal, ScrapeAnswer
from etracker_announce.domain.bans import Ban, BanKind, Bans
from etracker_announce.domain.errors import Reason
from etracker_shared.agreements.facts import Event
from etracker_shared.language.identity import InfoHash, hash_announce_key
from tests.support.announce_ports import HASH, KEY, PEER, Scripted

Network = IPv4Network | IPv6Network
OTHER = InfoHash(b"o" * 20)
NOW = 100.0


def network_ban(network: Network, expires: float = float("inf")) -> Ban:
    return Ban(BanKind.NETWORK, network.network_address.packed, network.prefixlen, expires)


def bans_on(*bans: Ban) -> Bans:
    collected = Bans()
    for ban in bans:
        collected.add(ban)
    return collected


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Draw networks of a small part of the address space, so that many contain each other."""
    if draw(st.booleans()):
        return ip_network((draw(st.integers(0x0A000000, 0x0A00FFFF)), draw(st.integers(8, 32))), strict=False)
    start = 0x20010DB8 << 96
    return ip_network((start + draw(st.integers(0, 0xFFFF)), draw(st.integers(16, 128))), strict=False)


@given(st.sets(networks(), max_size=12), st.data())
def test_an_address_is_banned_if_a_network_contains_it(banned: set[Network], data: st.DataObject) -> None:
    removed = data.draw(st.sets(st.sampled_from(sorted(banned, key=str)))) if banned else set()
    bans = bans_on(*map(network_ban, banned))
    for network in removed:
        bans.remove(network_ban(network))
    left = banned - removed
    address = data.draw(networks()).network_address
    assert bans.finds_network(address.packed, NOW) == any(address in network for network in left)
    assert bans.counts[BanKind.NETWORK] == len(left)
    assert bool(bans) == bool(left)


@given(st.sets(st.binary(min_size=2, max_size=20), max_size=8), st.binary(min_size=20, max_size=20))
def test_a_client_is_banned_if_its_peer_id_starts_with_a_prefix(prefixes: set[bytes], peer_id: bytes) -> None:
    prefixes.add(peer_id[:4] if len(prefixes) % 2 else b"\0\0")
    bans = bans_on(*(Ban(BanKind.CLIENT, prefix, 8 * len(prefix)) for prefix in prefixes))
    found = bans.find(bytes(4), peer_id, (HASH, None), NOW) is BanKind.CLIENT
    assert found == any(peer_id.startswith(prefix) for prefix in prefixes)


def test_a_ban_ends_at_its_moment_by_itself() -> None:
    network = ip_network("192.0.2.0/24")
    bans = bans_on(
        network_ban(network, NOW), Ban(BanKind.CLIENT, b"-XX", 24, NOW), Ban(BanKind.TORRENT, HASH, 160, NOW)
    )
    address = network[1].packed
    assert bans.find(address, PEER, (OTHER, None), NOW - 0.01) is BanKind.NETWORK
    assert bans.find(bytes(4), b"-XX" + PEER[3:], (OTHER, None), NOW - 0.01) is BanKind.CLIENT
    assert bans.find(bytes(4), PEER, (OTHER, HASH), NOW - 0.01) is BanKind.TORRENT
    assert bans.find(address, b"-XX" + PEER[3:], (HASH, None), NOW) is None


def test_a_ban_that_replaces_another_says_so() -> None:
    bans = bans_on(Ban(BanKind.TORRENT, HASH, 160, 5.0))
    assert not bans.add(Ban(BanKind.TORRENT, HASH, 160))
    assert bans.finds_torrent(HASH, 6.0)
    assert bans.counts[BanKind.TORRENT] == 1


CASES = [
    (network_ban(ip_network("192.0.2.0/24")), Reason.BANNED_NETWORK),
    (Ban(BanKind.CLIENT, PEER[:3], 24), Reason.BANNED_CLIENT),
    (Ban(BanKind.TORRENT, HASH, 160), Reason.BANNED_TORRENT),
]


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize(("ban", "reason"), CASES)
async def test_whoever_is_banned_is_refused_for_good_and_leaves_the_swarm(
    ban: Ban, reason: Reason, key: bytes | None
) -> None:
    scripted = Scripted(bans=bans_on(ban))
    for event in (Event.STARTED, Event.REGULAR, Event.COMPLETED, Event.PAUSED):
        answer = await scripted.announce(key, event=event)
        assert isinstance(answer, Refusal)
        assert answer.reason is reason
        assert answer.interval_seconds >= 1620
    assert all(step.stopped and step.info_hash == HASH and fact is None for step, fact in scripted.swarms.steps)
    assert len(scripted.swarms.steps) == 4


@pytest.mark.parametrize(("ban", "reason"), CASES)
async def test_stopped_succeeds_and_removes_but_reports_nothing(ban: Ban, reason: Reason) -> None:
    scripted = Scripted(bans=bans_on(ban))
    answer = await scripted.announce(event=Event.STOPPED, uploaded=2**40)
    assert isinstance(answer, AnnounceAnswer), reason
    assert not len(answer.peers.over4)
    ((step, fact),) = scripted.swarms.steps
    assert (step.stopped, step.key_hash, step.peer_id, fact) == (True, hash_announce_key(KEY.decode()), PEER, None)


async def test_bans_are_on_either_reading_of_an_infohash() -> None:
    scripted = Scripted(bans=bans_on(Ban(BanKind.TORRENT, OTHER, 160)))
    assert isinstance(await scripted.announce(other_info_hash=OTHER), Refusal)
    assert [step.info_hash for step, _ in scripted.swarms.steps] == [HASH, OTHER]


async def test_a_scrape_leaves_banned_torrents_out_and_is_refused_to_banned_addresses() -> None:
    scripted = Scripted(bans=bans_on(Ban(BanKind.TORRENT, HASH, 160)))
    answer = await scripted.scrape(KEY, HASH, OTHER)
    assert isinstance(answer, ScrapeAnswer)
    assert set(answer.torrents) == {OTHER}
    scripted = Scripted(bans=bans_on(network_ban(ip_network("192.0.2.1/32"))))
    refusal = await scripted.scrape()
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.BANNED_NETWORK


async def test_nobody_else_notices() -> None:
    scripted = Scripted(bans=bans_on(network_ban(ip_network("192.0.2.2/32")), Ban(BanKind.CLIENT, b"-QQ", 24)))
    await scripted.answer()
    ((step, fact),) = scripted.swarms.steps
    assert not step.stopped
    assert fact is not None


async def test_before_the_bans_are_known_the_tracker_is_still_starting() -> None:
    scripted = Scripted(bans=None)
    for answer in (await scripted.announce(), await scripted.scrape()):
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.STARTING


def test_addresses_of_both_families_are_kept_apart() -> None:
    bans = bans_on(network_ban(ip_network("0.0.0.0/8")))
    assert not bans.finds_network(ip_address("::1").packed, NOW)
    assert bans.finds_network(ip_address("0.0.0.1").packed, NOW)
