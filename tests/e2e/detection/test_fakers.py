"""Tools that invent uploads, by their artefacts: confirmed from what they announce to a running tracker, and left out.

What the tools' own interval of half an hour spreads over a day is sent at once; only the tracker's clock differs.
ratio-spoof's ``started`` in every announce counts only after minutes, so that is tested with replayed time.
"""

import pytest

from etracker_shared.agreements.anomalies import AnomalyState, Kind
from tests.support.fakers import FakeClient
from tests.support.netns import client_address
from tests.support.processes import wait_until
from tests.support.recorder import split
from tests.support.room import Room
from tests.support.torrents import info_hash_v1, make_content, make_torrent
from tests.support.tracker import Tracker, User

ANNOUNCES = 24
HALF_HOUR = 1800
LENGTH = 3_000_001
"""Multiples of 5 prove nothing in a torrent whose size is one."""
QUARANTINE_SECONDS = 10.0
SECONDS = 30.0
FAKERS = {"joal": (131, Kind.MULTIPLES_OF_5), "ratioup": (132, Kind.SAWTOOTH)}
HONEST, STRANGER = 141, 142
HONEST_PEER_ID, STRANGERS_PEER_ID = b"-qB5210-honestseeder", b"-qB5210-astranger000"
_STATE = "SELECT state FROM anomalies JOIN peers ON peers.id = anomalies.key_id WHERE key_hash = hash_announce_key($1)"

_KINDS = """
SELECT DISTINCT kind FROM anomaly_evidence JOIN anomalies ON anomalies.id = anomaly_id
JOIN peers ON peers.id = anomalies.key_id WHERE key_hash = hash_announce_key($1)
"""


def _state(tracker: Tracker, user: User) -> AnomalyState | None:
    rows = tracker.query(_STATE, user.key)
    return AnomalyState(rows[0]["state"]) if rows else None


@pytest.mark.parametrize("name", FAKERS)
def test_a_tool_that_invents_uploads_is_confirmed_and_given_to_nobody(tracker: Tracker, room: Room, name: str) -> None:
    torrent = make_torrent(make_content(room.directory / f"{name}.bin", LENGTH))
    tracker.upload(torrent)
    info_hash = info_hash_v1(torrent)
    number, artefact = FAKERS[name]
    address = client_address(number, 4)
    faking, honest, stranger = (room.user(number) for number in (number, HONEST, STRANGER))
    honest.announce(info_hash, HONEST_PEER_ID, left=0)
    faker = FakeClient(name, faking.announce_url, address, info_hash)

    def listed() -> set[str]:
        return {ip for ip, _ in split(stranger.announce(info_hash, STRANGERS_PEER_ID)[b"peers"], 4)}

    faker.announce(0, LENGTH)
    assert str(address) in listed()
    for step in range(1, ANNOUNCES):
        faker.announce(step * HALF_HOUR, LENGTH)
    wait_until(lambda: _state(tracker, faking) is AnomalyState.CONFIRMED, f"{name} is confirmed", SECONDS, 0.2)
    assert artefact in {row["kind"] for row in tracker.query(_KINDS, faking.key)}
    wait_until(lambda: listed() == {str(client_address(HONEST, 4))}, f"{name} is in no list", QUARANTINE_SECONDS, 0.2)
    assert b"cannot be real" in faker.announce(ANNOUNCES * HALF_HOUR, LENGTH)[b"warning message"]
    assert _state(tracker, honest) is None
    faker.close()
