"""Block lists as the programs read them, by their own rules."""

import re
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_admin_api.block_lists.formats import NOBODY, Form, format_list
from tests.support.peerbanhelper import read_as_peerbanhelper

V4 = st.ip_addresses(v=4).map(lambda address: IPv4Address(int(address)))
ADDRESSES = st.lists(st.one_of(V4, st.ip_addresses(v=6).map(lambda address: IPv6Address(int(address)))), max_size=20)


@given(ADDRESSES)
def test_peerbanhelper_reads_every_address_of_a_txt_list_and_never_a_dummy(
    addresses: list[IPv4Address | IPv6Address],
) -> None:
    assert read_as_peerbanhelper(format_list(Form.TXT, addresses)) == (set(map(str, addresses)) or {NOBODY})


@given(ADDRESSES)
def test_every_form_has_a_line_and_no_line_is_a_network(addresses: list[IPv4Address | IPv6Address]) -> None:
    for form in Form:
        text = format_list(form, addresses)
        assert text.endswith("\n")
        assert text.isascii()
        assert "/" not in text
        assert "\r" not in text
        entries = [line for line in text.splitlines() if not line.startswith("#")]
        assert entries
        assert len(set(entries)) == len(entries)


@given(ADDRESSES)
def test_every_line_of_p2p_and_dat_has_its_form(addresses: list[IPv4Address | IPv6Address]) -> None:
    p2p = re.compile(r"[^:]+:([0-9.]+)-\1")
    dat = re.compile(r"([0-9a-f:.]+) - \1 , 000 , etracker .+")
    for form, pattern, expected in (
        (Form.P2P, p2p, {str(address) for address in addresses if address.version == 4}),
        (Form.DAT, dat, {str(address) for address in addresses}),
    ):
        lines = format_list(form, addresses).splitlines()
        found = [pattern.fullmatch(line) for line in lines]
        assert all(found), lines
        assert {match[1] for match in found if match} == (expected or {NOBODY})


@pytest.mark.parametrize("body", ["# etracker: too many requests for this list, try again later\n"])
def test_peerbanhelper_keeps_its_list_when_it_is_refused(body: str) -> None:
    assert read_as_peerbanhelper(body) == set()
