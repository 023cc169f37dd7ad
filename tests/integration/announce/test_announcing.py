"""The answers to announces, over real connections, with real Postgres and Redis."""

import asyncio

import pytest

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, query, running_announcer

KEY = "0123456789abcdef0123456789abcd"
OTHER_KEY = "abcdef0123456789abcdef01234567"
INFO_HASH = bytes(range(20))
PEER, OTHER_PEER = b"-TR3000-aaaaaaaaaaaa", b"-TR3000-bbbbbbbbbbbb"


async def test_two_peers_get_each_other(announcer: Announcer) -> None:
    first = await announcer.announce(KEY, INFO_HASH, PEER, left=0, port=7001, event="started")
    second = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, port=7002, event="started")
    again = await announcer.announce(KEY, INFO_HASH, PEER, left=0, port=7001)
    assert first[b"peers"] == b""
    assert second[b"peers"] == bytes([127, 0, 0, 1]) + (7001).to_bytes(2, "big")
    assert again[b"peers"] == bytes([127, 0, 0, 1]) + (7002).to_bytes(2, "big")
    assert (again[b"complete"], again[b"incomplete"], again[b"downloaded"]) == (1, 1, 0)


@pytest.mark.promise(12, 14, 15)
async def test_an_answer_has_all_keys_sorted_and_its_numbers_are_integers(announcer: Announcer) -> None:
    """The decoder refuses keys that aren't sorted; there is no ``tracker id``."""
    answer = await announcer.announce(KEY, INFO_HASH, PEER)
    assert set(answer) == {
        b"complete", b"downloaded", b"external ip", b"incomplete", b"interval", b"min interval", b"peers",
    }  # fmt: skip
    assert answer[b"external ip"] == bytes([127, 0, 0, 1])
    assert 1620 <= answer[b"interval"] <= 1980
    assert answer[b"min interval"] == 900


@pytest.mark.promise(12)
async def test_the_head_of_an_answer_is_short_and_the_body_neither_chunked_nor_compressed(announcer: Announcer) -> None:
    head, body = await announcer.exchange("/announce", Accept_Encoding="gzip", TE="chunked")
    assert body.startswith(b"d14:failure reason")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"Content-Type: text/plain",
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    ]


@pytest.mark.promise(11, 13, 19)
async def test_a_client_with_a_bad_key_is_told_where_to_get_one(announcer: Announcer) -> None:
    for key in ("f" * 30, "%20", "x" * 65):
        answer = await announcer.announce(key, INFO_HASH, PEER)
        assert answer[b"failure reason"] == b"Invalid announce key, get a new one at localhost"
        assert 1620 <= answer[b"interval"] <= 1980
        assert answer[b"min interval"] == 900


@pytest.mark.promise(19)
async def test_an_untracked_torrent_is_reported_as_unregistered(announcer: Announcer) -> None:
    answer = await announcer.announce(KEY, b"x" * 20, PEER)
    assert answer[b"failure reason"] == b"Unregistered torrent"


@pytest.mark.promise(2)
async def test_a_plus_in_an_infohash_is_read_as_a_plus_first_and_then_as_a_space(announcer: Announcer) -> None:
    await announcer.track(b"a b" + b"c" * 17, b"d+e" + b"f" * 17)
    for raw in ("a+b" + "c" * 17, "d+e" + "f" * 17, "d%2Be" + "f" * 17):
        body = await announcer.get(f"/{KEY}/announce?info_hash={raw}&peer_id={PEER.decode()}&port=1&left=1")
        assert b"failure" not in body
    body = await announcer.get(f"/{KEY}/announce?info_hash=a%2Bb{'c' * 17}&peer_id={PEER.decode()}&port=1")
    assert b"Unregistered torrent" in body
    assert set((await announcer.scrape(KEY, b"a b" + b"c" * 17))[b"files"]) == {b"a b" + b"c" * 17}


@pytest.mark.promise(9, 11)
async def test_a_browser_is_told_what_the_url_is_for(announcer: Announcer) -> None:
    body = await announcer.get(f"/{KEY}/announce")
    assert b"This is a BitTorrent tracker" in body


@pytest.mark.promise(16)
async def test_stopped_peer_leaves_the_swarm_and_gets_no_peers(announcer: Announcer) -> None:
    """Also if it was never in the swarm."""
    await announcer.announce(KEY, INFO_HASH, PEER, left=0)
    await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER)
    answer = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, event="stopped")
    assert (answer[b"complete"], answer[b"incomplete"], answer[b"peers"]) == (1, 0, b"")
    again = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, event="stopped", port=0)
    assert (again[b"complete"], again[b"incomplete"]) == (1, 0)


@pytest.mark.promise(18)
async def test_seeders_and_partial_seeds_get_leechers_only(announcer: Announcer) -> None:
    await announcer.announce(KEY, INFO_HASH, PEER, left=0, port=7001)
    for event, left in (("paused", 10), ("started", 0)):
        answer = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, left=left, event=event)
        assert answer[b"peers"] == b""
    counts = (await announcer.scrape(KEY, INFO_HASH))[b"files"][INFO_HASH]
    assert counts == {b"complete": 2, b"incomplete": 0, b"downloaded": 0, b"downloaders": 0}


@pytest.mark.promise(30)
async def test_a_partial_seed_counts_as_incomplete_but_not_as_a_downloader(announcer: Announcer) -> None:
    """BEP 21."""
    await announcer.announce(KEY, INFO_HASH, PEER, left=10, event="paused")
    counts = (await announcer.scrape(KEY, INFO_HASH))[b"files"][INFO_HASH]
    assert counts == {b"complete": 0, b"incomplete": 1, b"downloaded": 0, b"downloaders": 0}


@pytest.mark.promise(18)
async def test_a_client_sees_neither_itself_nor_other_clients_of_its_key(announcer: Announcer) -> None:
    await announcer.announce(KEY, INFO_HASH, PEER, port=7001)
    answer = await announcer.announce(KEY, INFO_HASH, OTHER_PEER, port=7002)
    assert answer[b"peers"] == b""
    assert answer[b"incomplete"] == 2


@pytest.mark.promise(8)
async def test_a_peer_that_cant_be_connected_to_is_counted_but_not_handed_out(announcer: Announcer) -> None:
    for port in (0, 1):
        await announcer.announce(KEY, INFO_HASH, PEER, port=port, left=0)
        answer = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER)
        assert (answer[b"complete"], answer[b"peers"]) == (1, b"")
    refused = await announcer.announce(KEY, INFO_HASH, PEER, port=65536)
    assert refused[b"failure reason"] == b"port must be a number from 1 to 65535"


@pytest.mark.promise(6)
async def test_without_left_a_peer_is_a_leecher(announcer: Announcer) -> None:
    for number, left in enumerate((None, "", "x", -1, 2**63 - 1)):
        await announcer.announce(KEY, INFO_HASH, b"-TR3000-00000000000%d" % number, left=left, port=7000 + number)
    answer = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, left=0)
    assert (answer[b"complete"], answer[b"incomplete"]) == (1, 5)


@pytest.mark.promise(5)
async def test_numwant_is_honoured_up_to_the_maximum(announcer: Announcer) -> None:
    for number in range(60):
        key = f"key{number}"
        announcer.scoring.register(key)
        await announcer.announce(key, INFO_HASH, b"-TR3000-%012d" % number, port=7000 + number, left=0)
    for numwant, expected in ((None, 50), ("", 50), ("x", 50), (-1, 50), (200, 50), (7, 7), (0, 0)):
        answer = await announcer.announce(KEY, INFO_HASH, PEER, numwant=numwant)
        assert len(answer[b"peers"]) == 6 * expected


@pytest.mark.promise(17)
async def test_lists_of_dictionaries_have_peer_ids_unless_the_client_asks_for_none(announcer: Announcer) -> None:
    """BEP 3 and 23."""
    await announcer.announce(KEY, INFO_HASH, PEER, left=0, port=7001)
    answer = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, compact=0)
    assert answer[b"peers"] == [{b"ip": b"127.0.0.1", b"peer id": PEER, b"port": 7001}]
    answer = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, compact=0, no_peer_id=1)
    assert answer[b"peers"] == [{b"ip": b"127.0.0.1", b"port": 7001}]


@pytest.mark.promise(17, 26)
async def test_a_peer_on_both_families_is_one_peer_and_gets_both_lists(announcer: Announcer) -> None:
    """BEP 7."""
    source6, source4 = "2001:db8::7", "192.0.2.7"
    for source in (source4, source6):
        await announcer.announce(KEY, INFO_HASH, PEER, source=source, port=7001, left=0)
    for source in (source4, source6):
        answer = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, source=source.replace("7", "8"))
    endpoint6 = bytes.fromhex("20010db8000000000000000000000007") + (7001).to_bytes(2, "big")
    assert (answer[b"complete"], answer[b"incomplete"]) == (1, 1)
    assert answer[b"peers"] == bytes([192, 0, 2, 7]) + (7001).to_bytes(2, "big")
    assert answer[b"peers6"] == endpoint6
    assert answer[b"external ip"] == bytes.fromhex("20010db8000000000000000000000008")
    listed = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, source="192.0.2.8", compact=0, no_peer_id=1)
    assert {peer[b"ip"] for peer in listed[b"peers"]} == {b"192.0.2.7", b"2001:db8::7"}


@pytest.mark.promise(17)
async def test_a_peer_on_one_family_gets_only_the_list_of_that_family(announcer: Announcer) -> None:
    await announcer.announce(KEY, INFO_HASH, PEER, source="2001:db8::7", port=7001, left=0)
    over4 = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, source="192.0.2.8")
    assert over4[b"peers"] == b""
    assert b"peers6" not in over4


@pytest.mark.promise(22)
async def test_an_address_in_the_query_is_ignored(announcer: Announcer) -> None:
    said = {"ip": "192.0.2.66", "ipv4": "192.0.2.66", "ipv6": "2001:db8::66"}
    own = await announcer.announce(KEY, INFO_HASH, PEER, left=0, port=7001, source="192.0.2.7", **said)
    assert own[b"external ip"] == bytes([192, 0, 2, 7])
    for source in ("2001:db8::8", "192.0.2.8"):
        answer = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, source=source)
    assert answer[b"peers"] == bytes([192, 0, 2, 7]) + (7001).to_bytes(2, "big")
    assert answer[b"peers6"] == b"", "an asker on both families sees both of a peer's endpoints"


@pytest.mark.promise(24)
async def test_private_addresses_are_only_given_to_clients_on_private_addresses(announcer: Announcer) -> None:
    await announcer.announce(KEY, INFO_HASH, PEER, left=0, source="10.1.2.3")
    near = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, source="192.168.1.1")
    far = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, source="192.0.2.1")
    assert near[b"peers"][:4] == bytes([10, 1, 2, 3])
    assert far[b"peers"] == b""


@pytest.mark.promise(24)
async def test_a_seeder_on_the_trackers_own_network_can_be_reached_from_outside(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    """Over both families; clients on that network see the private address."""
    public = "203.0.113.5 2001:db8::5"
    async with running_announcer(postgres_settings, redis_settings, external_ip=public) as announcer:
        for key in (KEY, OTHER_KEY):
            announcer.scoring.register(key)
        await announcer.track(INFO_HASH)
        for source in ("192.168.1.5", "fd12::5"):
            await announcer.announce(KEY, INFO_HASH, PEER, left=0, port=7001, source=source)
        port = (7001).to_bytes(2, "big")
        over4 = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, source="198.51.100.7")
        near = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER, source="10.1.2.3")
        over6 = await announcer.announce(None, INFO_HASH, OTHER_PEER, source="2001:db8:7::7", compact=0)
    assert over4[b"peers"] == bytes([203, 0, 113, 5]) + port
    assert near[b"peers"] == bytes([192, 168, 1, 5]) + port
    assert b"2001:db8::5" in {peer[b"ip"] for peer in over6[b"peers"]}
    assert not {peer[b"ip"] for peer in over6[b"peers"]} & {b"fd12::5", b"192.168.1.5"}


@pytest.mark.promise(21)
async def test_mapped_addresses_are_ipv4(announcer: Announcer) -> None:
    answer = await announcer.announce(KEY, INFO_HASH, PEER, source="::ffff:192.0.2.9")
    assert answer[b"external ip"] == bytes([192, 0, 2, 9])


async def test_aliases_that_pass_libtorrents_guard_work(announcer: Announcer) -> None:
    body = await announcer.get(f"/announce/{KEY}?{query(INFO_HASH, PEER)}")
    assert b"10:incompletei1e" in body
    body = await announcer.get(f"/scrape/{KEY}?info_hash={'%00' * 20}")
    assert body == b"d5:filesde5:flagsd20:min_request_intervali900eee"


async def test_guests_announce_without_a_key(announcer: Announcer) -> None:
    await announcer.announce(None, INFO_HASH, PEER, left=0, port=7001)
    answer = await announcer.announce(None, INFO_HASH, OTHER_PEER)
    assert answer[b"peers"][4:] == (7001).to_bytes(2, "big")


@pytest.mark.promise(25)
async def test_guests_can_be_refused_and_a_key_in_the_query_is_ignored(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    async with running_announcer(postgres_settings, redis_settings, guests=False) as announcer:
        announcer.scoring.register(KEY)
        for said in ("", f"&key={KEY}", f"&announce_key={KEY}", f"&passkey={KEY}"):
            body = await announcer.get(f"/announce?{query(INFO_HASH, PEER)}{said}")
            assert body.startswith(b"d14:failure reason48:Invalid announce key")


@pytest.mark.promise(23)
async def test_several_peers_may_share_an_address(announcer: Announcer) -> None:
    for number in range(3):
        await announcer.announce(KEY, INFO_HASH, b"-TR3000-%012d" % number, port=7000 + number, left=0)
    answer = await announcer.announce(OTHER_KEY, INFO_HASH, OTHER_PEER)
    assert len(answer[b"peers"]) == 3 * 6


@pytest.mark.promise(12, 13)
async def test_a_notice_becomes_a_warning_and_the_answer_stays_valid(announcer: Announcer) -> None:
    announcer.scoring.register(KEY, notice="Please seed\nwhat you t\xe4ke " + "x" * 200)
    answer = await announcer.announce(KEY, INFO_HASH, PEER)
    assert answer[b"warning message"].startswith(b"Please seed what you t?ke xxx")
    assert len(answer[b"warning message"]) == 127
    assert answer[b"peers"] == b""


@pytest.mark.promise(20)
async def test_a_scrape_returns_tracked_torrents_only(announcer: Announcer) -> None:
    """BEP 48."""
    await announcer.announce(KEY, INFO_HASH, PEER, left=0)
    answer = await announcer.scrape(KEY, b"x" * 20, INFO_HASH, INFO_HASH)
    assert set(answer[b"files"]) == {INFO_HASH}
    assert answer[b"files"][INFO_HASH][b"complete"] == 1
    assert answer[b"flags"] == {b"min_request_interval": 900}
    refused = await announcer.scrape(KEY)
    assert refused[b"failure reason"] == b"A scrape must name its torrents by info_hash"
    too_many = await announcer.scrape(KEY, *(b"%020d" % number for number in range(65)))
    assert too_many[b"failure reason"] == b"GET string too long"


@pytest.mark.promise(14)
async def test_an_early_announce_gets_a_normal_answer(announcer: Announcer) -> None:
    answers = [await announcer.announce(KEY, INFO_HASH, PEER) for _ in range(5)]
    assert len({answer[b"interval"] for answer in answers}) == 1
    assert all(b"failure reason" not in answer for answer in answers)


@pytest.mark.promise(14)
async def test_an_early_announce_reveals_no_peers_that_the_last_one_didnt(announcer: Announcer) -> None:
    for number in range(20):
        announcer.scoring.register(f"key{number}")
        await announcer.announce(f"key{number}", INFO_HASH, b"-TR3000-%012d" % number, port=7000 + number, left=0)
    answers = [await announcer.announce(KEY, INFO_HASH, PEER, numwant=7) for _ in range(5)]
    assert len(answers[0][b"peers"]) == 6 * 7
    assert {answer[b"peers"] for answer in answers} == {answers[0][b"peers"]}


async def test_with_the_allowlist_off_new_torrents_are_tracked_up_to_a_limit(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    async with running_announcer(
        postgres_settings, redis_settings, disable_allowlist=True, new_hashes_per_hour=2
    ) as announcer:
        announcer.scoring.register(KEY)
        for info_hash in (b"a" * 20, b"b" * 20, b"a" * 20):
            assert b"failure reason" not in await announcer.announce(KEY, info_hash, PEER)
        answer = await announcer.announce(KEY, b"c" * 20, PEER)
        assert answer[b"failure reason"].startswith(b"Too many new torrents")
        elsewhere = await announcer.announce(KEY, b"c" * 20, PEER, source="192.0.2.1")
        assert b"failure reason" not in elsewhere


async def test_concurrent_announces_of_new_keys_share_requests_to_scoring(announcer: Announcer) -> None:
    keys = [f"key{number}" for number in range(40)]
    for key in keys:
        announcer.scoring.register(key)
    announcer.scoring.delay_seconds = 0.02
    answers = await asyncio.gather(
        *(announcer.announce(key, INFO_HASH, f"-TR3000-{key:x<12}".encode()) for key in keys)
    )
    assert all(b"failure reason" not in answer for answer in answers)
    assert sum(len(question) for question in announcer.scoring.questions) == 40
    assert len(announcer.scoring.questions) < 20


async def test_an_announce_in_progress_is_answered_when_the_service_stops(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    """The connections to Redis, Postgres and scoring close only after the last answer."""
    async with running_announcer(postgres_settings, redis_settings) as announcer:
        announcer.scoring.register(KEY)
        await announcer.track(INFO_HASH)
        announcer.scoring.delay_seconds = 0.1
        in_progress = asyncio.create_task(announcer.announce(KEY, INFO_HASH, PEER))
        async with asyncio.timeout(5):
            while not announcer.scoring.questions:  # noqa: ASYNC110 - the service has no event
                await asyncio.sleep(0.005)
    assert b"failure reason" not in await in_progress
