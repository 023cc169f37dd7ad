"""What the tracker makes of a treatment and of the seeders it sees: intervals, and the prefixes in facts."""

from typing import Any

import numpy as np
import pytest

from etracker_announce.domain.seeding import LOOKED_AT, MOST_PREFIXES
from etracker_announce.domain.swarm import NO_COUNTS, RECORD, PeerFlag, Records, View
from etracker_announce.ports import Judgement, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.seeding_counts import FRESH_SECONDS
from etracker_shared.agreements.facts import Event, unpack_facts
from etracker_shared.agreements.tiers import Treatment
from etracker_shared.language.identity import InfoHash
from etracker_shared.language.tier import Tier
from tests.support.announce_ports import HASH, Scripted
from tests.support.clock import Clock

NOW = 1_800_000_000
GIGABYTES = 10**9


def tracker(policy: str = "equilibrium", *, length: int | None = 3 * GIGABYTES) -> Scripted:
    """A tracker on stand-ins, with a clock that the test moves."""
    scripted = Scripted(settings=AnnounceSettings(policy=policy), clock=Clock(NOW))
    scripted.allowlist.torrent = Torrent(length=length, snatches=0)
    scripted.swarms.view = View(NO_COUNTS, NOW, np.zeros(0, RECORD))
    return scripted


def at(scripted: Scripted, seconds_after_joining: int) -> None:
    assert isinstance(scripted.clock, Clock)
    scripted.clock.now = float(NOW + seconds_after_joining)


def has_tier(scripted: Scripted, tier: Tier) -> None:
    scripted.tiers.judgement = Judgement(Treatment(registered=True, tier=tier), provisional=False)


async def intervals(scripted: Scripted, left: int) -> tuple[int, int]:
    """Announce, and return interval and min interval."""
    answer = await scripted.answer(left=left)
    return answer.interval_seconds, answer.min_interval_seconds


def interval_of_facts(scripted: Scripted) -> set[int]:
    packed = b"".join(fact for _, fact in scripted.swarms.steps if fact is not None)
    return {fact.interval_seconds for fact in unpack_facts(packed)}


@pytest.mark.promise(14, 15)
@pytest.mark.parametrize(("length", "tau"), [(10**8, 300), (3 * GIGABYTES, 375), (None, 1800)])
async def test_a_leecher_comes_back_after_tau_while_its_list_is_restricted(length: int | None, tau: int) -> None:
    scripted = tracker(length=length)
    interval, minimum = await intervals(scripted, left=7)
    assert tau * 0.9 - 1 <= interval <= tau * 1.1 + 1
    assert minimum == min(900, interval)
    assert (interval, minimum) == await intervals(scripted, left=7)


@pytest.mark.promise(14)
async def test_a_list_that_isnt_restricted_has_the_usual_interval() -> None:
    scripted = tracker()
    seeding, _ = await intervals(scripted, left=0)
    at(scripted, 2 * 375 + 1)
    grown, minimum = await intervals(scripted, left=7)
    at(scripted, 0)
    has_tier(scripted, Tier.LONG_TERM_SEEDER)
    trusted, _ = await intervals(scripted, left=7)
    assert seeding == grown == trusted
    assert 1620 <= seeding <= 1980
    assert minimum == 900


@pytest.mark.promise(14)
async def test_other_policies_have_one_interval() -> None:
    scripted = tracker("ratio")
    interval, _ = await intervals(scripted, left=7)
    assert 1620 <= interval <= 1980


@pytest.mark.promise(14)
async def test_a_short_interval_is_never_made_longer() -> None:
    scripted = tracker()
    scripted.settings = AnnounceSettings(interval_seconds=120, min_interval_seconds=60)
    interval, minimum = await intervals(scripted, left=7)
    assert 108 <= interval <= 132
    assert minimum == 60


async def test_facts_carry_the_interval_that_one_who_seeds_is_told() -> None:
    """Time spent seeding is counted against it, and nobody's who has something left."""
    scripted = tracker()
    await intervals(scripted, left=7)
    seeding, _ = await intervals(scripted, left=0)
    assert interval_of_facts(scripted) == {seeding}


def swarm(*endpoints: tuple[str, int], flags: PeerFlag = PeerFlag.SEEDER, seen: int = NOW) -> Records:
    """Peers by the address and port they were seen at last; ``identity`` is the place."""
    records = np.zeros(len(endpoints), RECORD)
    for place, (address, port) in enumerate(endpoints):
        packed = bytes(map(int, address.split("."))) + port.to_bytes(2, "big")
        records[place] = (place, place, 0, b"", seen, seen, 0, 2, int(flags), packed, b"")
    return records


def many(count: int) -> Records:
    return swarm(*((f"31.0.{site}.1", 7000) for site in range(count)))


def shows(scripted: Scripted, *candidates: Records) -> None:
    scripted.swarms.view = View(NO_COUNTS, NOW, np.concatenate(candidates))


async def said_prefixes(scripted: Scripted, info_hash: InfoHash = HASH, *, left: int = 0, **more: Any) -> int:
    """Announce, and return the number of seeding prefixes in the fact."""
    await scripted.answer(info_hash=info_hash, left=left, **more)
    _, fact = scripted.swarms.steps[-1]
    assert fact is not None
    return next(iter(unpack_facts(fact))).seeding_prefixes


@pytest.mark.parametrize("policy", ["random", "equilibrium"])
@pytest.mark.parametrize("left", [0, 7])
async def test_a_fact_carries_how_many_prefixes_seeded_when_the_swarm_was_last_seen(policy: str, left: int) -> None:
    scripted = tracker(policy)
    shows(scripted, swarm(("31.0.0.1", 7000), ("31.0.0.2", 7000), ("31.0.1.1", 7000)))
    assert await said_prefixes(scripted, left=left) == MOST_PREFIXES, "it wasn't seen yet"
    assert await said_prefixes(scripted) == 2
    assert await said_prefixes(scripted, InfoHash(bytes(20))) == MOST_PREFIXES


async def test_prefixes_of_guests_of_leechers_of_the_expired_and_of_the_unreachable_dont_count() -> None:
    """The kind of fault: a count that others can raise, so that a key earns less next to them."""
    scripted = tracker()
    shows(
        scripted,
        swarm(("31.0.0.1", 7000)),
        swarm(*((f"31.1.{site}.1", 7000) for site in range(100)), flags=PeerFlag.SEEDER | PeerFlag.GUEST),
        swarm(("31.0.1.1", 7000), flags=PeerFlag.NONE),
        swarm(("31.0.2.1", 7000), flags=PeerFlag.PARTIAL_SEED),
        swarm(("31.0.3.1", 7000), flags=PeerFlag.SEEDER | PeerFlag.UNREACHABLE),
        swarm(("31.0.4.1", 7000), seen=NOW - scripted.settings.peer_lifetime_seconds - 1),
    )
    await said_prefixes(scripted)
    assert await said_prefixes(scripted) == 1


async def test_prefixes_are_counted_up_to_a_bound_and_over_ipv6_too() -> None:
    scripted = tracker()
    shows(scripted, many(40))
    await said_prefixes(scripted)
    assert await said_prefixes(scripted) == MOST_PREFIXES
    over6 = many(3)
    over6["seen4"], over6["seen6"] = 0, NOW
    over6["endpoint6"] = [b"\x20\x01\x0d\xb8\0" + bytes([site // 2]) + bytes(12) for site in range(3)]
    shows(scripted, over6)
    at(scripted, FRESH_SECONDS)
    await said_prefixes(scripted)
    assert await said_prefixes(scripted) == 2


async def test_a_count_is_renewed_once_it_is_old_and_only_then_a_seeder_looks_at_seeders() -> None:
    scripted = tracker("random")
    shows(scripted, many(3))
    asked = []
    for seconds, wanted in ((0, MOST_PREFIXES), (1, 3), (FRESH_SECONDS, 3), (FRESH_SECONDS + 1, 5)):
        at(scripted, seconds)
        if seconds == FRESH_SECONDS:
            shows(scripted, many(5))
        assert await said_prefixes(scripted, numwant=0) == wanted
        asked.append(scripted.swarms.steps[-1][0].witnesses)
    assert asked == [LOOKED_AT, 0, LOOKED_AT, 0]


@pytest.mark.promise(18)
@pytest.mark.parametrize("policy", ["random", "tiers", "ratio", "equilibrium"])
async def test_seeders_that_a_seeder_looks_at_are_never_handed_out(policy: str) -> None:
    scripted = tracker(policy)
    shows(scripted, many(5), swarm(("31.0.9.1", 7000), flags=PeerFlag.NONE, seen=NOW))
    peers = (await scripted.answer(left=0)).peers.over4
    assert peers["endpoint4"].tobytes() == bytes([31, 0, 9, 1]) + (7000).to_bytes(2, "big")


async def test_a_leecher_that_wants_no_peers_and_one_that_leaves_count_nothing() -> None:
    scripted = tracker()
    shows(scripted, many(3))
    await said_prefixes(scripted, left=7, numwant=0)
    await said_prefixes(scripted, event=Event.STOPPED)
    assert await said_prefixes(scripted) == MOST_PREFIXES
