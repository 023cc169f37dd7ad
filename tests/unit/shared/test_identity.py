"""Who and what: keys, hashes, prefixes."""

import re
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address

from etracker_shared.agreements.notifications import parse_payload
from etracker_shared.language.identity import address_prefix, hash_announce_key, hash_guest, new_announce_key


def test_a_new_key_is_30_hex_digits_and_never_the_same_twice() -> None:
    keys = {new_announce_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch("[0-9a-f]{30}", key) for key in keys)


def test_a_key_hash_is_the_first_half_of_sha256() -> None:
    assert hash_announce_key("abc") == sha256(b"abc").digest()[:16]


def test_a_guest_whose_peer_id_spells_a_key_is_not_that_key() -> None:
    assert hash_guest(b"abcdefghij0123456789", b"") != hash_announce_key("abcdefghij0123456789")


def test_a_prefix_is_an_ipv4_24_or_an_ipv6_48() -> None:
    assert address_prefix(IPv4Address("203.0.113.77")) == b"\x04\xcb\x00\x71\x00\x00\x00"
    assert address_prefix(IPv6Address("2001:db8:1:2::3")) == b"\x06\x20\x01\x0d\xb8\x00\x01"


def test_a_notification_lists_hashes_or_means_everything() -> None:
    assert parse_payload('["00ff", "0a"]') == [b"\x00\xff", b"\n"]
    assert parse_payload("*") is None
