"""Clients that come back under another name, change their key, or leave a swarm that no longer has them; impostors.

The kind of fault: a client is mistaken for another one, so that it is counted twice, meets itself, or is removed.
"""

import fastbencode
import pytest

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer

INFO_HASH = b"\xa7" + b"a torrent of changes"[:19]
KEY, OTHER_KEY = "a" * 30, "b" * 30
SEEDER, LEECHER = b"-TR3000-seeder000000", b"-qB4520-leecher00000"
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.66"
HOME_ENDPOINT = bytes([203, 0, 113, 7]) + (7001).to_bytes(2, "big")


@pytest.fixture(autouse=True)
async def tracked(announcer: Announcer) -> None:
    for key in (KEY, OTHER_KEY):
        announcer.scoring.register(key)
    await announcer.track(INFO_HASH)


async def counts(announcer: Announcer) -> tuple[int, int]:
    files = (await announcer.scrape(None, INFO_HASH))[b"files"]
    return files[INFO_HASH][b"complete"], files[INFO_HASH][b"incomplete"]


async def peers_of_a_newcomer(announcer: Announcer) -> bytes:
    answer = await announcer.announce(None, INFO_HASH, b"-NEW000-newcomer0000", source="192.0.2.200", port=9999)
    peers: bytes = answer[b"peers"]
    return peers


@pytest.mark.promise(23)
@pytest.mark.parametrize("key", [KEY, None])
async def test_a_client_that_restarts_without_stopped_is_one_peer(announcer: Announcer, key: str | None) -> None:
    for number in range(4):
        peer_id = b"-TR3000-%012d" % number
        await announcer.announce(key, INFO_HASH, peer_id, source=HOME, port=7001, left=0, event="started")
    assert await counts(announcer) == (1, 0)
    assert await peers_of_a_newcomer(announcer) == HOME_ENDPOINT


@pytest.mark.promise(31)
@pytest.mark.parametrize("secret", [{}, {"client_key": "5ec3e7"}])
async def test_a_stranger_can_neither_remove_nor_move_a_guest(announcer: Announcer, secret: dict[str, str]) -> None:
    await announcer.announce(None, INFO_HASH, SEEDER, source=HOME, port=7001, left=0, **secret)
    listed = await announcer.announce(None, INFO_HASH, LEECHER, source=ELSEWHERE, compact=0)
    assert listed[b"peers"] == [{b"ip": HOME.encode(), b"port": 7001}], "its peer id is its own"
    for event in ("stopped", "started"):
        await announcer.announce(None, INFO_HASH, SEEDER, source=ELSEWHERE, port=7666, left=0, event=event)
    assert HOME_ENDPOINT in await peers_of_a_newcomer(announcer)


@pytest.mark.promise(31)
async def test_a_guest_with_a_key_of_its_own_may_change_its_address(announcer: Announcer) -> None:
    for source in (ELSEWHERE, HOME):
        await announcer.announce(None, INFO_HASH, SEEDER, source=source, port=7001, left=0, client_key="5ec3e7")
    assert await counts(announcer) == (1, 0)
    assert await peers_of_a_newcomer(announcer) == HOME_ENDPOINT


async def test_a_client_whose_key_changes_never_meets_itself(announcer: Announcer) -> None:
    for key in (None, KEY, OTHER_KEY, None):
        answer = await announcer.announce(key, INFO_HASH, LEECHER, source=HOME, port=7001)
        assert (answer[b"peers"], answer[b"incomplete"]) == (b"", 1)


@pytest.mark.promise(16)
async def test_stopped_removes_the_client_whatever_has_become_of_its_key_and_torrent(announcer: Announcer) -> None:
    unknown = "c" * 30
    await announcer.announce(KEY, INFO_HASH, SEEDER, source=HOME, port=7001, left=0)
    await announcer.sql("DELETE FROM infohashes")
    announcer.scoring.forget(KEY)
    for key in (KEY, KEY, unknown, None):
        answer = await announcer.announce(key, INFO_HASH, SEEDER, source=HOME, port=7001, left=0, event="stopped")
        assert b"failure reason" not in answer
        assert (answer[b"complete"], answer[b"peers"]) == (0, b"")


@pytest.mark.promise(16)
async def test_a_late_stopped_doesnt_remove_a_peer_that_joined_after_its_sender(announcer: Announcer) -> None:
    before, after = b"-TR3000-before000000", b"-TR3000-after0000000"
    for peer_id, event in ((before, "started"), (after, "started"), (before, "stopped")):
        await announcer.announce(KEY, INFO_HASH, peer_id, source=HOME, port=7001, left=0, event=event)
    assert await counts(announcer) == (1, 0)


@pytest.mark.promise(17)
async def test_a_client_that_announces_over_ipv6_only_gets_peers_of_both_families(announcer: Announcer) -> None:
    await announcer.announce(KEY, INFO_HASH, SEEDER, source=HOME, port=7001, left=0)
    over6 = await announcer.announce(OTHER_KEY, INFO_HASH, LEECHER, source="2001:db8:5::1", port=7000)
    over4 = await announcer.announce(OTHER_KEY, INFO_HASH, b"-qB4520-other0000000", source="192.0.2.9", port=7000)
    assert (over6[b"peers"], over6[b"peers6"]) == (HOME_ENDPOINT, b"")
    assert b"peers6" not in over4


@pytest.mark.promise(18)
async def test_no_list_contains_an_endpoint_twice(announcer: Announcer) -> None:
    for key, peer_id in ((KEY, b"-TR3000-one000000000"), (OTHER_KEY, b"-TR3000-two000000000")):
        await announcer.announce(key, INFO_HASH, peer_id, source=HOME, port=7001, left=0)
    assert await counts(announcer) == (2, 0)
    assert await peers_of_a_newcomer(announcer) == HOME_ENDPOINT


@pytest.mark.promise(23)
@pytest.mark.parametrize("attackers", [100, 2000])
async def test_one_address_cannot_swamp_a_torrent(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, attackers: int
) -> None:
    async with running_announcer(postgres_settings, redis_settings) as announcer:
        honest = [f"203.0.{number}.5" for number in range(20)]
        for number, source in enumerate(honest):
            await announcer.announce(None, INFO_HASH, b"-TR3000-%012d" % number, source=source, port=7001, left=0)
        for number in range(attackers):
            peer_id = b"-EV0001-%012d" % number
            await announcer.announce(None, INFO_HASH, peer_id, source=ELSEWHERE, port=2000 + number, left=0)
        answer = await announcer.announce(None, INFO_HASH, LEECHER, source="192.0.2.9", port=7000, numwant=50)
        listed = {answer[b"peers"][at : at + 4] for at in range(0, len(answer[b"peers"]), 6)}
        assert len(listed & {bytes(map(int, source.split("."))) for source in honest}) >= 18
        assert answer[b"complete"] <= 20 + 16
        _, metrics = await announcer.observe("/metrics")
        not_stored = [
            line for line in metrics.splitlines() if line.startswith("etracker_announce_guests_not_stored_total")
        ]
        assert float(not_stored[0].split()[1]) >= attackers - 2 * 30, "the attack may cross a minute"


@pytest.mark.promise(14)
async def test_a_client_that_announces_too_often_gets_its_last_answer_at_no_cost(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    async with running_announcer(postgres_settings, redis_settings) as announcer:
        answers = [await announcer.announce(None, INFO_HASH, SEEDER, source=HOME, port=7001, left=0) for _ in range(30)]
        _, metrics = await announcer.observe("/metrics")
    assert {fastbencode.bencode(answer) for answer in answers[5:]} == {fastbencode.bencode(answers[5])}
    (suppressed,) = [line for line in metrics.splitlines() if line.startswith("etracker_announce_suppressed_total")]
    assert float(suppressed.split()[1]) == 25


@pytest.mark.promise(2)
async def test_without_an_allowlist_a_torrent_stays_one_however_its_first_client_writes_a_space(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    torrent = b"a hash with + and  s"
    async with running_announcer(postgres_settings, redis_settings, disable_allowlist=True) as announcer:
        plain = "%".join(["", *(f"{byte:02x}" for byte in torrent)])
        spaces_as_plus = plain.replace("%20", "+")
        for number, written in enumerate((spaces_as_plus, plain, spaces_as_plus)):
            peer_id = b"-TR3000-%012d" % number
            path = f"/announce?info_hash={written}&peer_id={peer_id.decode()}&port={7001 + number}&left=0"
            answer = fastbencode.bdecode(await announcer.get(path, X_Forwarded_For=f"203.0.113.{number + 1}"))
            assert isinstance(answer, dict)
        assert answer[b"complete"] == 3
