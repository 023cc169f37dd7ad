"""Which client a User-Agent and a peer_id name, as real clients send them."""

import pytest

from etracker_shared.language.clients import is_foreign

REAL = [
    (b"Transmission/3.00", b"-TR3000-5e0xqbj5042p"),
    (b"Transmission/4.1.0-beta.2", b"-TR410B-9fffnn819jml"),
    (b"qBittorrent/5.1.0", b"-qB5100-7O(IL71wCHQ*"),
    (b"Deluge/2.2.0 libtorrent/2.0.11.0", b"-DE220s-0p_*emx3SIAX"),
    (b"libtorrent/2.1.1.0", b"-LT2110-m.L4Dn6_KX(r"),
    (b"rtorrent/0.9.8/0.13.8", b"-lt0D80-\xe7g\xa1n\x11\xfa\x0b\xbby\xdaM\x16"),
    (b"aria2/1.37.0", b"A2-1-37-0-(N\xbd.\xb79\xb3\xfe,["),
    (b"Enhanced-CTorrent/dnh3.3.2", b"-CD0303-Y\xe4@\x07\x91\xd4\x97\xa8\x1a\xf3\x89I"),
    (b"WebTorrent/3.0.21 (https://webtorrent.io)", b"-WW0300-v1ccm5mypLBs"),
    (b"BiglyBT 3.8.0.2", b"-BI3802-UbVOnM0Ivmkg"),
    (b"libtorrent/2.0.8.0", b"-qB4520-abcdefghijkl"),
    (b"Azureus 5.7.6.0", b"-AZ5760-abcdefghijkl"),
]


@pytest.mark.parametrize(("user_agent", "peer_id"), REAL)
def test_no_real_client_names_another_one(user_agent: bytes, peer_id: bytes) -> None:
    assert not is_foreign(user_agent, peer_id)


@pytest.mark.parametrize(
    ("user_agent", "peer_id"),
    [
        (b"Transmission/3.00", b"-qB5100-7O(IL71wCHQ*"),
        (b"qBittorrent/5.1.0", b"-UT3320-abcdefghijkl"),
        (b"uTorrent/3320", b"A2-1-37-0-abcdefghij"),
        (b"aria2/1.37.0", b"-TR3000-5e0xqbj5042p"),
    ],
)
def test_a_program_that_takes_half_of_anothers_name_is_noticed(user_agent: bytes, peer_id: bytes) -> None:
    assert is_foreign(user_agent, peer_id)


@pytest.mark.parametrize("user_agent", [b"", b"Mozilla/5.0", b"python-requests/2.32", b"\xff" * 900])
def test_an_unknown_or_absent_name_is_never_foreign(user_agent: bytes) -> None:
    assert not is_foreign(user_agent, b"-TR3000-5e0xqbj5042p")
    assert not is_foreign(b"Transmission/3.00", b"-XX0000-abcdefghijkl")
    assert not is_foreign(b"Transmission/3.00", bytes(20))
