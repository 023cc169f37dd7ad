"""The facts that the benchmark writes are those of its world."""

from bench.facts import FACTS_PER_ENTRY, entries_of
from bench.world import Shape, World, announce_key, peer_id
from etracker_shared.agreements.facts import Event, shard_of, unpack_facts
from etracker_shared.language.identity import hash_announce_key


def test_each_peers_announce_is_a_fact_in_its_keys_shard() -> None:
    shape = Shape("some", 200, 20)
    world = World(shape)
    entries_of(world, 200)
    entries = entries_of(world, 200)
    facts = {fact.peer_id: (shard, fact) for shard, packed in entries for fact in unpack_facts(packed)}
    assert len(facts) == 200
    assert max(len(list(unpack_facts(packed))) for _, packed in entries) <= FACTS_PER_ENTRY
    for peer in range(200):
        shard, fact = facts[peer_id(peer)]
        assert fact.key_hash == hash_announce_key(announce_key(shape, int(world.key_of[peer])))
        assert shard == shard_of(fact.key_hash)
        assert (fact.uploaded, fact.left) == (world.uploaded[peer], world.left[peer])
        assert (fact.event is Event.STOPPED) != world.joined[peer]
