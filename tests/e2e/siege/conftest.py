"""A separate tracker to attack, with a torrent file that is expensive to send."""

import os
from collections.abc import Iterator

import httpx
import pytest
from fastbencode import bencode

from tests.e2e.siege.attacks import Target
from tests.support.load import UNLIMITED
from tests.support.netns import TRACKER_IPV4
from tests.support.stack import StackRun, running_stack

PIECES = 800_000


@pytest.fixture(scope="module")
def besieged(namespace: None) -> Iterator[StackRun]:
    """The whole tracker; the gateway and announce's public port listen on every address of the namespace."""
    with running_stack(UNLIMITED, host="") as stack:
        yield stack


@pytest.fixture(scope="module")
def target(besieged: StackRun) -> Target:
    gateway = port_of(besieged.base_url)
    info = {b"length": PIECES * 16384, b"name": b"large", b"piece length": 16384, b"pieces": os.urandom(PIECES * 20)}
    with httpx.Client(base_url=besieged.base_url, trust_env=False, timeout=60.0) as client:
        uploaded = client.post(
            "/api/torrentfile",
            files={"file": ("large.torrent", bencode({b"info": {**info, b"private": 1}}))},
            headers={"Authorization": besieged.api_key},
        )
        uploaded.raise_for_status()
        key = client.get("/api/generate").raise_for_status().json()["announce_key"]
    host = str(TRACKER_IPV4)
    announce = port_of(besieged.announce_address)
    return Target((host, gateway), (host, announce), key, uploaded.json()["info_hash_v1"])


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])
