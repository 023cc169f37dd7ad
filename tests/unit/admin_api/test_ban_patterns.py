"""What can be banned, and what is said of anything else."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_admin_api.bans.lines import MAX_REPORTED, parse_lines
from etracker_admin_api.bans.patterns import BanKind, Pattern, doubt, parse_pattern
from etracker_admin_api.errors import BanError, PeerIdError, RefusedError
from etracker_admin_api.peer_ids import show_peer_id

CALLER = ip_address("203.0.113.7")


def parsed(kind: BanKind, text: str) -> str:
    return parse_pattern(kind, text).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" 198.51.100.7 ", "198.51.100.7/32"),
        ("198.51.100.0/24", "198.51.100.0/24"),
        ("198.51.100.0/255.255.255.0", "198.51.100.0/24"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("::ffff:198.51.100.7", "198.51.100.7/32"),
        ("::ffff:198.51.100.0/120", "198.51.100.0/24"),
        ("::ffff:c633:6407", "198.51.100.7/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("2000::/16", "2000::/16"),
    ],
)
def test_networks_of_both_families_are_understood(text: str, expected: str) -> None:
    assert parsed(BanKind.NETWORK, text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "neither an address nor a network"),
        ("example.org", "neither an address nor a network"),
        ("198.51.100.0/33", "neither an address nor a network"),
        ("198.51.100", "neither an address nor a network"),
        ("198.51.100.07", "neither an address nor a network"),
        ("198.51.100.7:6881", "neither an address nor a network"),
        ("12345", "neither an address nor a network"),
        ("198.51.100.7/24", "write 198.51.100.0/24 for the network or 198.51.100.7 for the address"),
        ("0.0.0.0/0", "too wide"),
        ("::/0", "contains all IPv4 addresses"),
        ("::ffff:0:0/96", "too wide"),
        ("::ffff:0:0/95", "write ::fffe:0:0/95"),
        ("::/16", "contains all IPv4 addresses"),
        ("128.0.0.0/7", "too wide"),
        ("2000::/3", "too wide"),
        ("fe80::1%eth0", "zone"),
    ],
)
def test_what_is_no_network_or_shuts_everybody_out_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(BanError, match=sentence):
        parse_pattern(BanKind.NETWORK, text)


@pytest.mark.parametrize("text", ["", "-", "%2d", "-XY 12", "-XYé", "x" * 21, "%zz", "%"])
def test_what_starts_no_peer_id_is_refused(text: str) -> None:
    with pytest.raises(PeerIdError, match="The start of a peer_id"):
        parse_pattern(BanKind.CLIENT, text)


@given(st.binary(min_size=2, max_size=20))
def test_any_bytes_of_a_peer_id_can_be_written(prefix: bytes) -> None:
    assert parse_pattern(BanKind.CLIENT, show_peer_id(prefix)).stored == prefix


@pytest.mark.parametrize(
    "text", ["07" * 20, "07" * 20 + "ff" * 12, "BwcHBwcHBwcHBwcHBwcHBwcHBwc=", ("ab" * 20).upper()]
)
def test_an_infohash_may_be_written_as_everywhere_else(text: str) -> None:
    assert parsed(BanKind.TORRENT, text) in {"07" * 20, "ab" * 20}


@given(st.sampled_from(BanKind), st.text(max_size=60))
def test_whatever_is_written_is_a_pattern_that_can_be_read_again_or_refused(kind: BanKind, text: str) -> None:
    try:
        pattern = parse_pattern(kind, text)
    except RefusedError:
        return
    assert parse_pattern(kind, pattern.text) == pattern


@pytest.mark.parametrize(
    ("kind", "text", "doubted"),
    [
        (BanKind.NETWORK, "203.0.113.7", "your own address"),
        (BanKind.NETWORK, "203.0.112.0/20", "your own address"),
        (BanKind.NETWORK, "45.0.0.0/15", "131,072 addresses"),
        (BanKind.NETWORK, "2a00::/31", "addresses"),
        (BanKind.NETWORK, "192.168.0.0/24", "private"),
        (BanKind.NETWORK, "127.0.0.1", "private"),
        (BanKind.NETWORK, "::1", "private"),
        (BanKind.CLIENT, "-q", "many different clients"),
        (BanKind.NETWORK, "45.0.0.0/16", None),
        (BanKind.NETWORK, "2a00::/32", None),
        (BanKind.CLIENT, "-qB", None),
        (BanKind.TORRENT, "07" * 20, None),
    ],
)
def test_what_is_likely_to_be_an_error_is_doubted(kind: BanKind, text: str, doubted: str | None) -> None:
    said = doubt(parse_pattern(kind, text), CALLER)
    assert said is None if doubted is None else doubted in (said or "")


BLOCK_LIST = """
# A list in every dialect
198.51.100.0/24 ; SBL1
198.51.100.0/24
45.9.0.0-45.9.1.255
Some Organisation, Ltd.:45.10.0.0-45.10.0.255
2a00:1::-2a00:1:ffff:ffff:ffff:ffff:ffff:ffff   // a whole /32
; nothing
45.0.0.0/8
45.11.0.1-45.11.0.0
nonsense
"""


def test_a_block_list_is_read_line_by_line() -> None:
    found = parse_lines(BanKind.NETWORK, BLOCK_LIST, CALLER, confirmed=False)
    networks = ["198.51.100.0/24", "45.9.0.0/23", "45.10.0.0/24", "2a00:1::/32"]
    assert [pattern.text for pattern in found.patterns] == networks
    assert [problem.line for problem in found.problems] == [9, 10, 11]
    assert (found.refused, found.unconfirmed) == (3, 1)
    assert "16,777,216 addresses" in found.problems[0].detail
    confirmed = parse_lines(BanKind.NETWORK, BLOCK_LIST, CALLER, confirmed=True)
    assert Pattern(BanKind.NETWORK, ip_network("45.0.0.0/8")) in confirmed.patterns
    assert (confirmed.refused, confirmed.unconfirmed) == (2, 0)


def test_a_list_of_nonsense_is_explained_within_bounds() -> None:
    found = parse_lines(BanKind.NETWORK, "x" * 1000 + "\n" + "nonsense\n" * 5000, CALLER, confirmed=True)
    assert (found.refused, len(found.problems), len(found.problems[0].text)) == (5001, MAX_REPORTED, 100)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**16))
def test_a_range_becomes_exactly_its_addresses(first: int, length: int) -> None:
    last = min(first + length, 2**32 - 1)
    line = f"{ip_address(first)}-{ip_address(last)}"
    found = parse_lines(BanKind.NETWORK, line, CALLER, confirmed=True)
    networks = [ip_network(pattern.text) for pattern in found.patterns]
    assert sum(network.num_addresses for network in networks) == last - first + 1
    assert int(networks[0].network_address) == first
