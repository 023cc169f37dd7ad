"""Real clients, each with an address of its own, and the addresses that the tracker sees of them."""

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import httpx
import pytest
from fastbencode import bdecode

from tests.support.announce import query
from tests.support.clients import Libtorrent
from tests.support.engine.product import API_KEY, Product
from tests.support.processes import wait_until
from tests.support.torrents import info_hash_v1, make_content, make_torrent

LENGTH = 3_000_000
SECONDS = 90.0


def upload(product: Product, torrent: bytes) -> None:
    files = {"file": ("a.torrent", torrent)}
    headers = {"Authorization": API_KEY}
    answer = httpx.post(f"{product.url}/api/torrentfile", files=files, headers=headers, trust_env=False)
    assert answer.status_code == 201, answer.text


def torrent_of_new_user(product: Product, info_hash: bytes) -> bytes:
    key = product.get("/api/generate").json()["announce_key"]
    answer = product.get(f"/api/torrentfile?announce_key={key}&info_hash={info_hash.hex()}")
    torrent = answer.raise_for_status().content
    assert (
        bdecode(torrent)[b"announce"]
        == f"http://{product.place.tracker}:{product.place.announce_port}/{key}/announce".encode()
    )
    return torrent


def test_two_clients_exchange_a_file_over_the_public_port_of_announces(product: Product, tmp_path: Path) -> None:
    content = make_content(tmp_path / "seeds" / "a.bin", LENGTH)
    torrent = make_torrent(content)
    upload(product, torrent)
    info_hash = info_hash_v1(torrent)
    addresses = product.place.clients_ipv4()
    seeder, leecher = Libtorrent(tmp_path / "1", addresses[0]), Libtorrent(tmp_path / "2", addresses[-1])
    with seeder, leecher:
        seeder.add(torrent_of_new_user(product, info_hash), content.path.parent, seeding=True)
        handle = leecher.add(torrent_of_new_user(product, info_hash), tmp_path / "downloads", seeding=False)
        wait_until(lambda: leecher.status(handle).complete, f"{leecher} completes its download", SECONDS, 0.2)
    assert (tmp_path / "downloads" / "a.bin").read_bytes() == content.path.read_bytes()


@pytest.mark.parametrize("direct", [True, False], ids=["public port", "gateway"])
@pytest.mark.parametrize("version", [4, 6])
def test_a_client_is_given_out_with_its_own_address(product: Product, version: int, direct: bool) -> None:
    """Docker has to pass it on, and the gateway has to be trusted."""
    place = product.place
    port = place.announce_port if direct else place.port
    addresses: list[IPv4Address] | list[IPv6Address]
    addresses = place.clients_ipv4() if version == 4 else place.clients_ipv6()
    host = place.tracker if version == 4 else f"[{place.tracker_ipv6}]"
    sessions = product.sessions(2, first=100_000 * version + 1000 * direct)
    for session, address, left in zip(sessions, addresses[2:], (0, 100), strict=False):
        target = f"/{session.key}/announce?{query(sessions[0].info_hash, session.peer_id, left=left, port=4000)}"
        with httpx.Client(transport=httpx.HTTPTransport(local_address=str(address)), trust_env=False) as client:
            answer = bdecode(client.get(f"http://{host}:{port}{target}", timeout=20).content)
    assert answer[b"peers" if version == 4 else b"peers6"] == addresses[2].packed + (4000).to_bytes(2, "big")


@pytest.mark.parametrize(("service", "host"), [("scoring", "announce_public"), ("admin_api", "announce")])
def test_a_container_that_isnt_the_gateway_cant_choose_a_clients_address(
    product: Product, service: str, host: str
) -> None:
    """The kind: whoever gets into one container, on either network, would otherwise speak for any client."""
    first, second = product.sessions(2, first=990_000 + 10 * len(service))
    forged = IPv4Address("10.1.2.3")
    seeder = f"http://{host}:8080/{first.key}/announce?{query(first.info_hash, first.peer_id, left=0, port=4001)}"
    forge = (
        "import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], headers={'X-Forwarded-For': sys.argv[2]}))"
    )
    product.compose("exec", "-T", service, "python", "-c", forge, seeder, str(forged))
    leecher = f"/{second.key}/announce?{query(first.info_hash, second.peer_id, left=100, port=4002)}"
    peers = bdecode(httpx.get(f"{product.url}{leecher}", trust_env=False).content)[b"peers"]
    assert len(peers) == 6
    assert not peers.startswith(forged.packed)
