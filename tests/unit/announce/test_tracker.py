"""What the tracker hands to the swarms and the fact stream, and what it says when something is down."""

from typing import Any

import pytest

from etracker_announce.domain.answers import Refusal, ScrapeAnswer
from etracker_announce.domain.errors import Reason
from etracker_announce.domain.swarm import NO_COUNTS, PeerFlag, Role
from etracker_announce.ports import Judgement, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_shared.agreements.facts import Event, Fact, FactFlag, unpack_facts
from etracker_shared.agreements.tiers import Sampling, Treatment
from etracker_shared.language.identity import InfoHash, KeyHash, hash_announce_key, hash_guest
from etracker_shared.language.tier import Tier
from tests.support.announce_ports import HASH, KEY, PEER, Scripted, announce_request, source_at

KEY_HASH = hash_announce_key(KEY.decode())
STRANGER = Judgement(Treatment(registered=False, tier=Tier.FREE_RIDER), provisional=True)


def only_fact(scripted: Scripted) -> Fact:
    ((_, packed),) = scripted.swarms.steps
    assert packed is not None
    (fact,) = unpack_facts(packed)
    return fact


def reason_of(answer: object) -> Reason:
    assert isinstance(answer, Refusal)
    return answer.reason


async def test_a_step_carries_what_the_swarm_needs() -> None:
    scripted = Scripted()
    await scripted.answer(left=0, port=7000)
    ((step, _),) = scripted.swarms.steps
    assert (step.info_hash, step.key_hash, step.peer_id) == (HASH, KEY_HASH, PEER)
    assert step.endpoint == bytes([192, 0, 2, 1]) + (7000).to_bytes(2, "big")
    assert (step.role, step.tier, step.flags) == (Role.SEEDER, Tier.CONTRIBUTOR, PeerFlag.NONE)
    assert (step.stopped, step.now) == (False, 1_800_000_000)
    assert step.window >= 50


@pytest.mark.promise(10)
async def test_a_fact_carries_what_the_client_said_and_never_the_key() -> None:
    scripted = Scripted()
    said: dict[str, Any] = {
        "uploaded": 5,
        "downloaded": 6,
        "left": 7,
        "corrupt": 8,
        "redundant": 9,
        "event": Event.COMPLETED,
    }
    answer = await scripted.answer(**said)
    fact = only_fact(scripted)
    assert (fact.uploaded, fact.downloaded, fact.left, fact.corrupt, fact.redundant) == (5, 6, 7, 8, 9)
    assert (fact.event, fact.flags, fact.at_ms) == (Event.COMPLETED, FactFlag.NONE, 1_800_000_000_500)
    assert (fact.key_hash, fact.info_hash, fact.peer_id) == (KEY_HASH, HASH, PEER)
    assert (fact.prefix, fact.interval_seconds) == (source_at("192.0.2.1").prefix, answer.interval_seconds)
    assert KEY not in (scripted.swarms.steps[0][1] or b"")


async def guest_of(source: str, **more: Any) -> KeyHash:
    scripted = Scripted()
    scripted.tiers.judgement = Judgement(Treatment(registered=False, tier=Tier.FREE_RIDER), provisional=False)
    await scripted.answer(key=None, source=source, **more)
    assert scripted.swarms.steps[0][0].flags == PeerFlag.GUEST
    assert only_fact(scripted).flags == FactFlag.GUEST
    return only_fact(scripted).key_hash


async def test_a_guest_is_known_by_its_peer_id_and_what_others_cannot_know() -> None:
    """Peer ids are handed out: nobody else may speak for a guest."""
    assert await guest_of("192.0.2.1") == await guest_of("192.0.2.7") == hash_guest(PEER, source_at("192.0.2.1").prefix)
    assert await guest_of("192.0.2.1") != await guest_of("198.51.100.1")
    assert await guest_of("192.0.2.1", client_key=b"k") == await guest_of("2001:db8::1", client_key=b"k")
    assert await guest_of("192.0.2.1", client_key=b"k") != await guest_of("192.0.2.1", client_key=b"l")


@pytest.mark.promise(16)
async def test_stopped_removes_the_client_whatever_has_become_of_its_key_and_torrent() -> None:
    scripted = Scripted()
    scripted.tiers.judgement = STRANGER._replace(provisional=False)
    scripted.allowlist.untracked = {HASH}
    await scripted.answer(event=Event.STOPPED)
    ((step, _),) = scripted.swarms.steps
    assert (step.stopped, step.info_hash, step.key_hash) == (True, HASH, KEY_HASH)
    assert only_fact(scripted).flags == FactFlag.PROVISIONAL


async def test_a_guest_that_may_not_take_part_leaves_no_fact() -> None:
    scripted = Scripted(settings=AnnounceSettings(guests=False))
    await scripted.answer(key=None, event=Event.STOPPED)
    ((step, fact),) = scripted.swarms.steps
    assert (step.stopped, fact) == (True, None)


async def test_a_fact_says_where_it_comes_from_without_the_address() -> None:
    facts = []
    for source, port in (("192.0.2.1", 7000), ("192.0.2.1", 7001), ("192.0.2.2", 7000)):
        scripted = Scripted()
        await scripted.answer(source=source, port=port)
        facts.append(only_fact(scripted))
        assert source_at(source).packed not in (scripted.swarms.steps[0][1] or b"").replace(facts[-1].prefix, b"")
    first, other_port, other_address = facts
    assert first.address_hash == other_port.address_hash != other_address.address_hash
    assert [fact.port for fact in facts] == [7000, 7001, 7000]


async def test_an_unseen_key_while_scoring_is_down_is_served_and_its_fact_marked() -> None:
    scripted = Scripted()
    scripted.tiers.judgement = STRANGER
    await scripted.answer()
    assert only_fact(scripted).flags == FactFlag.PROVISIONAL
    assert scripted.swarms.steps[0][0].tier == Tier.FREE_RIDER


async def test_an_unregistered_key_reaches_neither_swarm_nor_stream() -> None:
    scripted = Scripted()
    scripted.tiers.judgement = STRANGER._replace(provisional=False)
    for answer in (await scripted.announce(), await scripted.scrape()):
        assert reason_of(answer) is Reason.INVALID_KEY
    assert not scripted.swarms.steps


@pytest.mark.promise(19)
@pytest.mark.parametrize("key", [b"", b"bad%20key", b"x" * 65, b"\xff"])
async def test_an_impossible_key_is_the_first_thing_that_is_wrong(key: bytes) -> None:
    scripted = Scripted()
    assert reason_of(await scripted.announce(key=key)) is Reason.INVALID_KEY
    assert scripted.tracker.refuse(Reason.PORT, key, source_at("192.0.2.1")).reason is Reason.INVALID_KEY
    assert scripted.tracker.refuse(Reason.PORT, KEY, source_at("192.0.2.1")).reason is Reason.PORT


@pytest.mark.promise(2)
async def test_a_torrent_is_found_by_either_reading_of_its_infohash() -> None:
    scripted = Scripted()
    scripted.allowlist.untracked = {HASH}
    other = InfoHash(b"o" * 20)
    assert reason_of(await scripted.announce()) is Reason.UNREGISTERED_TORRENT
    await scripted.answer(other_info_hash=other)
    assert only_fact(scripted).info_hash == other


async def test_a_full_stream_takes_only_what_doesnt_heal_by_itself() -> None:
    scripted = Scripted()
    scripted.swarms.stream_full = True
    for event in (Event.REGULAR, Event.STARTED, Event.PAUSED, Event.COMPLETED, Event.STOPPED):
        await scripted.answer(event=event)
    assert [fact is not None for _, fact in scripted.swarms.steps] == [False, False, False, True, True]
    assert scripted.count("facts_dropped_total") == 3


@pytest.mark.promise(13)
async def test_while_redis_is_down_the_client_should_try_again_soon() -> None:
    scripted = Scripted()
    scripted.swarms.broken = True
    for answer in (await scripted.announce(), await scripted.scrape()):
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.SWARMS_UNAVAILABLE
        assert 270 <= answer.interval_seconds <= 330
        assert answer.min_interval_seconds <= answer.interval_seconds


async def test_before_the_secret_is_loaded_the_client_should_try_again_soon() -> None:
    scripted = Scripted(secret=None)
    assert reason_of(await scripted.announce()) is Reason.STARTING
    assert not scripted.swarms.steps


async def test_a_bug_is_an_internal_error_to_the_peer(caplog: pytest.LogCaptureFixture) -> None:
    scripted = Scripted(clock=lambda: 1 // 0)
    assert reason_of(await scripted.announce()) is Reason.INTERNAL


@pytest.mark.promise(15)
async def test_asking_again_cant_change_the_interval() -> None:
    scripted = Scripted()
    assert len({(await scripted.answer()).interval_seconds for _ in range(5)}) == 1


@pytest.mark.promise(15)
async def test_asking_again_cant_change_the_interval_of_a_refusal() -> None:
    scripted = Scripted()
    source = source_at("192.0.2.1")
    intervals = {scripted.tracker.refuse(Reason.PORT, b"bad key", source, b"x").interval_seconds for _ in range(5)}
    assert len(intervals) == 1
    spread = {scripted.tracker.refuse(Reason.PORT, KEY, source, b"%d" % n).interval_seconds for n in range(50)}
    assert len(spread) > 25, "a client's torrents don't all return at the same moment"


async def test_snatches_come_from_redis_and_are_remembered_when_it_forgets_them() -> None:
    scripted = Scripted()
    scripted.allowlist.torrent = Torrent(length=None, snatches=42)
    assert (await scripted.answer()).snatches == 42
    for counted in (43, None):
        scripted.swarms.view = scripted.swarms.view._replace(counts=NO_COUNTS._replace(snatches=counted))
        assert (await scripted.answer()).snatches == 43


@pytest.mark.promise(20)
async def test_a_scrape_leaves_untracked_torrents_out() -> None:
    """BEP 48."""
    scripted = Scripted()
    other = InfoHash(b"o" * 20)
    scripted.allowlist.untracked = {other}
    answer = await scripted.scrape(KEY, HASH, other)
    assert isinstance(answer, ScrapeAnswer)
    assert answer.torrents == {HASH: (NO_COUNTS, 3)}
    assert answer.min_interval_seconds == 900


async def test_low_tiers_are_sampled_by_address_prefix() -> None:
    """Five keys behind one address are one to the sample."""
    scripted = Scripted()
    treatment = Treatment(registered=True, tier=Tier.LITTLE_HISTORY, sampling=Sampling.PREFIX)
    scripted.tiers.judgement = Judgement(treatment, provisional=False)
    for key, source in ((KEY, "192.0.2.1"), (b"other", "192.0.2.99"), (KEY, "198.51.100.1")):
        await scripted.answer(key, source)
    first, second, third = (step.pair_hash for step, _ in scripted.swarms.steps)
    assert first == second != third


@pytest.mark.promise(16)
async def test_a_stopped_announce_wants_no_candidates() -> None:
    scripted = Scripted()
    await scripted.answer(event=Event.STOPPED)
    assert scripted.swarms.steps[-1][0].window == 0


@pytest.mark.promise(5)
@pytest.mark.parametrize(("numwant", "window"), [(0, 0), (None, 20), (5, 15), (99, 20)])
async def test_an_announce_wants_the_candidates_for_its_numwant(numwant: int | None, window: int) -> None:
    """At most ``ETRACKER_NUMWANT``, which is also the default."""
    scripted = Scripted(settings=AnnounceSettings(numwant=10, policy="random"))
    await scripted.answer(numwant=numwant)
    assert scripted.swarms.steps[-1][0].window == window


@pytest.mark.promise(30)
@pytest.mark.parametrize(
    ("left", "event", "role"),
    [
        (5, Event.PAUSED, Role.PARTIAL_SEED),
        (0, Event.PAUSED, Role.SEEDER),
        (5, Event.COMPLETED, Role.LEECHER),
        (0, Event.REGULAR, Role.SEEDER),
    ],
)
def test_a_partial_seed_is_paused_and_lacks_something(left: int, event: Event, role: Role) -> None:
    """BEP 21."""
    assert announce_request(left=left, event=event).role is role
