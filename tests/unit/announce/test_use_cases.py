"""What the use cases hand to the store and the stream, and what they say when something is down."""

import fastbencode
import pytest

from etracker_announce.domain.addresses import describe_client
from etracker_announce.domain.request import Target, parse_path
from etracker_announce.domain.swarm import NO_COUNTS, PeerFlag, Role
from etracker_announce.ports import Judgement, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_shared.addresses import parse_address
from etracker_shared.facts import Event, Fact, FactFlag, unpack_facts
from etracker_shared.identity import hash_announce_key, hash_guest
from etracker_shared.tiers import Sampling, Standing, Tier
from tests.support.announce import query
from tests.support.announce_ports import Scripted

PEER = b"-TR3000-aaaaaaaaaaaa"
KEY = "0123456789abcdef0123456789abcd"
HASH = bytes(range(20))
CLIENT = describe_client(parse_address("192.0.2.1").packed)
STRANGER = Judgement(Standing(registered=False, tier=Tier.FREE_RIDER), provisional=True)


async def answer(scripted: Scripted, path: str, client: str = "192.0.2.1") -> dict[bytes, object]:
    raw_path, _, raw_query = path.encode().partition(b"?")
    target = parse_path(raw_path)
    assert isinstance(target, Target)
    result = await scripted.front.tracker.answer(target, raw_query, describe_client(parse_address(client).packed))
    decoded = fastbencode.bdecode(result.body)
    assert isinstance(decoded, dict)
    return decoded


def only_fact(scripted: Scripted) -> Fact:
    ((_, packed),) = scripted.swarms.steps
    assert packed is not None
    (fact,) = unpack_facts(packed)
    return fact


async def test_a_step_carries_what_the_swarm_needs() -> None:
    scripted = Scripted()
    await answer(scripted, f"/{KEY}/announce?{query(HASH, PEER, left=0, port=7000)}")
    ((step, _),) = scripted.swarms.steps
    assert (step.info_hash, step.key_hash, step.peer_id) == (HASH, hash_announce_key(KEY), PEER)
    assert step.endpoint == bytes([192, 0, 2, 1]) + (7000).to_bytes(2, "big")
    assert (step.role, step.tier, step.flags) == (Role.SEEDER, Tier.CONTRIBUTOR, PeerFlag.NONE)
    assert (step.stopped, step.now) == (False, 1_800_000_000)
    assert step.window >= 50


async def test_a_fact_carries_what_the_client_said_and_never_the_key() -> None:
    """PROTOCOL 10."""
    scripted = Scripted()
    said = query(HASH, PEER, uploaded=5, downloaded=6, left=7, corrupt=8, redundant=9, event="completed")
    decoded = await answer(scripted, f"/{KEY}/announce?{said}")
    fact = only_fact(scripted)
    assert (fact.uploaded, fact.downloaded, fact.left, fact.corrupt, fact.redundant) == (5, 6, 7, 8, 9)
    assert (fact.event, fact.flags, fact.at_ms) == (Event.COMPLETED, FactFlag.NONE, 1_800_000_000_500)
    assert (fact.key_hash, fact.info_hash, fact.peer_id) == (hash_announce_key(KEY), HASH, PEER)
    assert (fact.prefix, fact.interval_seconds) == (CLIENT.prefix, decoded[b"interval"])
    assert KEY.encode() not in (scripted.swarms.steps[0][1] or b"")


async def test_a_guest_is_known_by_its_peer_id() -> None:
    scripted = Scripted()
    scripted.tiers.judgement = Judgement(Standing(registered=False, tier=Tier.FREE_RIDER), provisional=False)
    await answer(scripted, f"/announce?{query(HASH, PEER)}")
    assert scripted.swarms.steps[0][0].flags == PeerFlag.GUEST
    assert (only_fact(scripted).key_hash, only_fact(scripted).flags) == (hash_guest(PEER), FactFlag.GUEST)


async def test_an_unseen_key_while_scoring_is_down_is_served_and_its_fact_marked() -> None:
    scripted = Scripted()
    scripted.tiers.judgement = STRANGER
    assert b"failure reason" not in await answer(scripted, f"/{KEY}/announce?{query(HASH, PEER)}")
    assert only_fact(scripted).flags == FactFlag.PROVISIONAL
    assert scripted.swarms.steps[0][0].tier == Tier.FREE_RIDER


async def test_an_unregistered_key_reaches_neither_swarm_nor_stream() -> None:
    scripted = Scripted()
    scripted.tiers.judgement = STRANGER._replace(provisional=False)
    for path in ("announce", "scrape"):
        decoded = await answer(scripted, f"/{KEY}/{path}?{query(HASH, PEER)}")
        assert decoded[b"failure reason"] == b"Invalid announce key, get a new one at localhost"
    assert not scripted.swarms.steps


async def test_a_full_stream_takes_only_what_doesnt_heal_by_itself() -> None:
    scripted = Scripted()
    scripted.swarms.stream_full = True
    for event in ("", "started", "paused", "completed", "stopped"):
        await answer(scripted, f"/{KEY}/announce?{query(HASH, PEER, event=event)}")
    assert [fact is not None for _, fact in scripted.swarms.steps] == [False, False, False, True, True]
    assert scripted.registry.get_sample_value("etracker_announce_facts_dropped_total") is not None


async def test_while_redis_is_down_the_client_shall_try_again_soon() -> None:
    """When scoring is down; PROTOCOL 13."""
    scripted = Scripted()
    scripted.swarms.broken = True
    for path in ("announce", "scrape"):
        decoded = await answer(scripted, f"/{KEY}/{path}?{query(HASH, PEER)}")
        assert decoded[b"failure reason"] == b"The tracker can't reach its peer lists right now, try again soon"
        assert isinstance(decoded[b"interval"], int)
        assert 270 <= decoded[b"interval"] <= 330
        assert isinstance(decoded[b"min interval"], int)
        assert decoded[b"min interval"] <= decoded[b"interval"]


async def test_before_the_secret_is_loaded_the_client_shall_try_again_soon() -> None:
    scripted = Scripted(secret=None)
    decoded = await answer(scripted, f"/{KEY}/announce?{query(HASH, PEER)}")
    assert decoded[b"failure reason"] == b"The tracker is just starting, try again soon"
    assert not scripted.swarms.steps


async def test_a_bug_is_an_internal_error_to_the_peer(caplog: pytest.LogCaptureFixture) -> None:
    scripted = Scripted(clock=lambda: 1 // 0)
    decoded = await answer(scripted, f"/{KEY}/announce?{query(HASH, PEER)}")
    assert decoded[b"failure reason"] == b"Internal error of the tracker, try again later"


async def test_asking_again_cant_change_the_interval_failures_included() -> None:
    """PROTOCOL 15."""
    scripted = Scripted()
    for path in (f"/{KEY}/announce?{query(HASH, PEER)}", "/bad%20key/announce?info_hash=1"):
        intervals = {(await answer(scripted, path))[b"interval"] for _ in range(5)}
        assert len(intervals) == 1


async def test_snatches_come_from_redis_and_are_remembered_when_it_forgets_them() -> None:
    scripted = Scripted()
    scripted.allowlist.torrent = Torrent(length=None, snatches=42)
    assert (await answer(scripted, f"/{KEY}/announce?{query(HASH, PEER)}"))[b"downloaded"] == 42
    for counted in (43, None):
        scripted.swarms.view = scripted.swarms.view._replace(counts=NO_COUNTS._replace(snatches=counted))
        assert (await answer(scripted, f"/{KEY}/announce?{query(HASH, PEER)}"))[b"downloaded"] == 43


async def test_low_tiers_are_sampled_by_address_prefix() -> None:
    """Five keys behind one address are one to the sample."""
    scripted = Scripted()
    standing = Standing(registered=True, tier=Tier.LITTLE_HISTORY, sampling=Sampling.PREFIX)
    scripted.tiers.judgement = Judgement(standing, provisional=False)
    for key, client in ((KEY, "192.0.2.1"), ("other", "192.0.2.99"), (KEY, "198.51.100.1")):
        await answer(scripted, f"/{key}/announce?{query(HASH, PEER)}", client)
    first, second, third = (step.pair_hash for step, _ in scripted.swarms.steps)
    assert first == second != third


async def test_a_stopped_announce_wants_no_candidates() -> None:
    """PROTOCOL 16."""
    scripted = Scripted(settings=AnnounceSettings(numwant=10, policy="random"))
    for more, window in (({"event": "stopped"}, 0), ({"numwant": 0}, 0), ({}, 20), ({"numwant": 5}, 15)):
        await answer(scripted, f"/{KEY}/announce?{query(HASH, PEER, **more)}")
        assert scripted.swarms.steps[-1][0].window == window
