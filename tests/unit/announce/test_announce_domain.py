"""Addresses, intervals and the secret of a pair."""

import tracemalloc
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.domain.addresses import describe_source, is_private
from etracker_announce.domain.interval import spread
from etracker_announce.domain.pairs import hash_pair
from etracker_announce.frontends.http.sources import source_finder
from etracker_announce.settings import AnnounceSettings
from etracker_shared.language.addresses import client_address, parse_networks


@pytest.mark.promise(24)
@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "127.0.0.1", "172.16.0.1", "172.31.9.9", "192.168.0.1", "169.254.1.1", "100.64.0.1", "224.0.0.1",
     "255.255.255.255", "0.0.0.0", "::1", "::", "fc00::1", "fd12::1", "fe80::1", "ff02::1"],
)  # fmt: skip
def test_private_loopback_and_multicast_addresses_are_known(address: str) -> None:
    assert is_private(ip_address(address).packed)


@pytest.mark.promise(24)
@pytest.mark.parametrize(
    "address",
    ["9.255.255.255", "11.0.0.0", "172.15.0.1", "172.32.0.1", "192.167.0.1", "192.169.0.1", "100.63.0.1", "100.128.0.1",
     "203.0.113.9", "223.255.0.1", "2001:db8::1", "2a00::1", "64:ff9b::1"],
)  # fmt: skip
def test_other_addresses_are_public(address: str) -> None:
    assert not is_private(ip_address(address).packed)


@pytest.mark.promise(21)
@pytest.mark.parametrize(
    ("socket_address", "forwarded_for", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, 192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("::ffff:127.0.0.1", "::ffff:192.0.2.8", "192.0.2.8"),
        ("127.0.0.1", "2001:db8::5", "2001:db8::5"),
        ("127.0.0.1", "rubbish", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.9", "10.0.0.9"),
        ("127.0.0.1", " 192.0.2.9:6881", "192.0.2.9"),
        ("127.0.0.1", "192.0.2.09", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.9\x00", "127.0.0.1"),
        ("2001:db8::1", "192.0.2.1", "2001:db8::1"),
    ],
)
def test_the_client_is_the_right_most_hop_nobody_vouches_for(
    socket_address: str, forwarded_for: str, client: str
) -> None:
    find_source = source_finder(parse_networks("127.0.0.0/8, 10.0.0.0/8"))
    assert find_source(socket_address, forwarded_for).packed == ip_address(client).packed


@pytest.mark.promise(21)
@given(st.ip_addresses().map(str), st.lists(st.ip_addresses().map(str) | st.text(max_size=5), max_size=2).map(",".join))
def test_the_short_way_to_a_client_finds_whom_the_long_one_does(socket_address: str, forwarded_for: str) -> None:
    trusted = parse_networks("0.0.0.0/1, 2000::/3")
    found = source_finder(trusted)(socket_address, forwarded_for)
    assert found == describe_source(client_address(socket_address, forwarded_for, trusted).packed)


@pytest.mark.parametrize("socket_address", ["127.0.0.1", "198.51.100.1", "2001:db8::1"])
@pytest.mark.parametrize("header", ["{}, 192.0.2.9", "{}", "192.0.2.9, {}", "127.0.0.1,{},127.0.0.1"])
def test_nothing_is_remembered_whose_size_a_client_chooses(socket_address: str, header: str) -> None:
    find_source = source_finder(parse_networks("127.0.0.0/8"))
    find_source(socket_address, "192.0.2.9, 192.0.2.9")
    tracemalloc.start()
    try:
        for number in range(500):
            find_source(socket_address, header.format(f"{number:03d}" * 10_000))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000


@pytest.mark.promise(15)
@given(st.integers(60, 86400), st.binary(max_size=16), st.binary(max_size=20))
def test_jitter_is_within_a_tenth_and_always_the_same(interval: int, who: bytes, info_hash: bytes) -> None:
    spread_interval = spread(interval, who, info_hash)
    assert abs(spread_interval - interval) <= interval / 10 + 1
    assert spread_interval == spread(interval, who, info_hash)


@pytest.mark.promise(15)
def test_jitter_uses_the_whole_width() -> None:
    intervals = [spread(1800, b"%d" % number) for number in range(5000)]
    assert (min(intervals), max(intervals)) == (1620, 1980)
    assert abs(sum(intervals) / len(intervals) - 1800) < 10


@pytest.mark.promise(14)
def test_windows_change_with_the_interval_only() -> None:
    pair = hash_pair(b"s" * 32, b"k" * 16, b"i" * 20)
    seeds = [pair.window_seed(now, 1800) for now in range(0, 18000, 600)]
    assert len(set(seeds)) == 10
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_a_pair_hash_needs_the_secret() -> None:
    assert hash_pair(b"s" * 32, b"k" * 16, b"i" * 20) != hash_pair(b"t" * 32, b"k" * 16, b"i" * 20)
    assert hash_pair(b"s" * 32, b"k" * 16, b"i" * 20).hash < 2**32


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"policy": "best"}, "it must be one of"),
        ({"min_interval_seconds": 2000}, "must not exceed"),
        ({"trusted_proxies": "nonsense"}, "nonsense"),
        ({"private_peers": "sometimes"}, "'private', 'always' or 'never'"),
        ({"numwant": 51}, "less than or equal to 50"),
        ({"frontend_hostname": "two words"}, "match pattern"),
    ],
)
def test_wrong_settings_are_refused_with_a_sentence(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        AnnounceSettings.model_validate(wrong)


def test_peers_live_two_intervals_and_slack() -> None:
    assert AnnounceSettings(interval_seconds=1000, min_interval_seconds=500).peer_lifetime_seconds == 2300
