from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_shared.language.addresses import client_address, parse_address, parse_networks

TRUSTED = parse_networks("127.0.0.0/8, ::1 10.0.0.0/8")


def test_without_a_header_the_socket_tells() -> None:
    assert client_address("203.0.113.7", "", TRUSTED) == ip_address("203.0.113.7")


def test_a_header_from_an_untrusted_socket_is_ignored() -> None:
    assert client_address("203.0.113.7", "198.51.100.1", TRUSTED) == ip_address("203.0.113.7")


def test_the_right_most_untrusted_hop_counts() -> None:
    forwarded = "192.0.2.1, 198.51.100.1, 10.1.2.3"
    assert client_address("127.0.0.1", forwarded, TRUSTED) == ip_address("198.51.100.1")


def test_when_every_hop_is_trusted_the_left_most_is_the_client() -> None:
    assert client_address("127.0.0.1", "10.0.0.9,10.0.0.1", TRUSTED) == ip_address("10.0.0.9")


def test_nothing_left_of_an_unreadable_hop_is_believed() -> None:
    assert client_address("127.0.0.1", "198.51.100.1, unknown, 10.0.0.1", TRUSTED) == ip_address("10.0.0.1")


def test_no_more_hops_are_read_than_a_deployment_has_proxies() -> None:
    assert client_address("127.0.0.1", ",".join(["198.51.100.1"] + ["10.0.0.1"] * 7), TRUSTED) == ip_address(
        "198.51.100.1"
    )
    assert client_address("127.0.0.1", ",".join(["198.51.100.1"] + ["10.0.0.1"] * 8), TRUSTED) == ip_address("10.0.0.1")


def test_an_empty_header_leaves_the_proxy_itself() -> None:
    assert client_address("127.0.0.1", "", TRUSTED) == ip_address("127.0.0.1")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("192.0.2.1:5000", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_addresses_are_read_as_proxies_write_them(text: str, address: str) -> None:
    assert parse_address(text) == ip_address(address)


def test_a_wrong_network_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        parse_networks("127.0.0.1, nonsense")


@given(st.text(), st.ip_addresses())
def test_any_header_gives_an_address(header: str, socket_address: object) -> None:
    client_address(str(socket_address), header, parse_networks("0.0.0.0/0 ::/0"))
