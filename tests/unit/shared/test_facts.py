"""Facts survive the stream."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_shared.agreements.facts import (
    FACT_SIZE,
    MAX_COUNTER,
    MAX_SUPPRESSED,
    NO_ADDRESS,
    SHARDS,
    UNKNOWN,
    Event,
    Fact,
    FactFlag,
    NewerFactError,
    pack_fact,
    shard_of,
    unpack_facts,
)
from etracker_shared.language.identity import InfoHash, KeyHash

counters = st.integers(UNKNOWN, MAX_COUNTER)
facts = st.builds(
    Fact,
    key_hash=st.binary(min_size=16, max_size=16).map(KeyHash),
    info_hash=st.binary(min_size=20, max_size=20).map(InfoHash),
    peer_id=st.binary(min_size=20, max_size=20),
    prefix=st.binary(min_size=7, max_size=7),
    at_ms=st.integers(0, 2**62),
    uploaded=counters,
    downloaded=counters,
    left=st.integers(UNKNOWN, MAX_COUNTER),
    corrupt=counters,
    redundant=counters,
    event=st.sampled_from(Event),
    flags=st.sampled_from(list(FactFlag)),
    interval_seconds=st.integers(0, 2**32 - 1),
    seeding_prefixes=st.integers(0, 16),
    address_hash=st.binary(min_size=8, max_size=8),
    port=st.integers(0, 65535),
    suppressed=st.integers(0, MAX_SUPPRESSED),
)

FIRST_VERSION = struct.Struct("<BBBB16s20s20s7sxQqqqqqI")
"""How the version before packed a fact."""


@given(st.lists(facts, max_size=5))
def test_an_entry_unpacks_to_the_facts_it_was_packed_from(batch: list[Fact]) -> None:
    entry = b"".join(pack_fact(fact) for fact in batch)
    assert len(entry) == FACT_SIZE * len(batch)
    assert list(unpack_facts(entry)) == batch


@given(facts)
def test_facts_of_the_version_before_are_read_without_what_it_did_not_have(fact: Fact) -> None:
    numbers = (fact.at_ms, fact.uploaded, fact.downloaded, fact.left, fact.corrupt, fact.redundant)
    names = (fact.key_hash, fact.info_hash, fact.peer_id, fact.prefix)
    packed = FIRST_VERSION.pack(
        1, fact.flags, fact.event, fact.seeding_prefixes, *names, *numbers, fact.interval_seconds
    )
    assert list(unpack_facts(packed * 2)) == [fact._replace(address_hash=NO_ADDRESS, port=0, suppressed=0)] * 2


@given(facts, st.integers(1, FACT_SIZE - 1))
def test_a_cut_entry_is_refused(fact: Fact, cut: int) -> None:
    with pytest.raises(ValueError, match="whole number of facts"):
        list(unpack_facts(pack_fact(fact)[:-cut]))


@pytest.mark.parametrize("version", [0, 32, 255])
@given(fact=facts)
def test_an_entry_with_no_known_version_is_refused(version: int, fact: Fact) -> None:
    entry = bytes([version]) + pack_fact(fact)[1:]
    with pytest.raises(ValueError, match=f"{version} is not a version") as refused:
        list(unpack_facts(entry))
    assert not isinstance(refused.value, NewerFactError)


@pytest.mark.parametrize("version", [3, 31])
@given(entry=st.binary(max_size=300))
def test_facts_of_a_newer_version_are_recognized_whatever_their_size(version: int, entry: bytes) -> None:
    with pytest.raises(NewerFactError, match=f"version {version}"):
        list(unpack_facts(bytes([version]) + entry))


@given(st.binary(min_size=16, max_size=16))
def test_a_key_has_one_shard(key_hash: bytes) -> None:
    assert shard_of(key_hash) == shard_of(bytes(key_hash))
    assert 0 <= shard_of(key_hash) < SHARDS
