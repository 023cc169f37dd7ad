"""The swarms of a replay: what was transferred in each block, by whom, and who was there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from etracker_scoring.detection.records import Identity, Presence, SwarmBlock, Traffic
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, WINDOW_BLOCKS

_BLOCK_MS = BLOCK_SECONDS * 1000
_MASK = 2**WINDOW_BLOCKS - 1
_NOTHING = Traffic()


class SwarmInBlock(NamedTuple):
    """A torrent that had traffic in an ended block, with what the detector looks back upon."""

    info_hash_id: int
    block: int
    traffic: Mapping[int, Mapping[Identity, Traffic]]
    history: Sequence[SwarmBlock]


class MemorySwarms:
    """Traffic and balances of the blocks in the window."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[int, dict[Identity, Traffic]]] = {}
        self._active: defaultdict[int, set[int]] = defaultdict(set)
        self._history: dict[int, list[SwarmBlock]] = {}

    def add(self, info_hash_id: int, identity: Identity, shares: Sequence[tuple[int, Traffic]]) -> None:
        """Add what an announce transferred."""
        blocks = self._blocks.get(info_hash_id)
        if blocks is None:
            blocks = self._blocks[info_hash_id] = {}
        for block, (uploaded, received, dropped) in shares:
            members = blocks.get(block)
            if members is None:
                members = blocks[block] = {}
                self._active[block].add(info_hash_id)
            known = members.get(identity, _NOTHING)
            members[identity] = Traffic(known[0] + uploaded, known[1] + received, known[2] + dropped)

    def in_block(self, block: int) -> Iterator[SwarmInBlock]:
        """Yield the torrents with traffic in a block, by their ids; forget the block that leaves the window."""
        for info_hash_id in sorted(self._active.pop(block, ())):
            blocks = self._blocks[info_hash_id]
            for old in [number for number in blocks if number <= block - WINDOW_BLOCKS]:
                del blocks[old]
            traffic = {number: blocks[number] for number in sorted(blocks) if number <= block}
            history = self._history.setdefault(info_hash_id, [])
            del history[: sum(row.block <= block - WINDOW_BLOCKS for row in history)]
            yield SwarmInBlock(info_hash_id, block, traffic, history)

    def conclude(self, info_hash_id: int, swarm: SwarmBlock) -> None:
        """Note the balance of a block."""
        self._history[info_hash_id].append(swarm)

    def forget_before(self, block: int) -> None:
        """Forget what happened before a block, also in torrents that nobody announces any more."""
        for info_hash_id, blocks in list(self._blocks.items()):
            for old in [number for number in blocks if number < block]:
                del blocks[old]
            if not blocks:
                del self._blocks[info_hash_id]
        for info_hash_id, history in list(self._history.items()):
            if history[-1].block < block:
                del self._history[info_hash_id]
        for old in [number for number in self._active if number < block]:
            del self._active[old]


class MemoryPresence:
    """In which blocks each member of a torrent announced."""

    def __init__(self) -> None:
        self._members: dict[int, dict[Identity, Presence]] = {}

    def note(self, info_hash_id: int, identity: Identity, at_ms: int, *, seeds: bool) -> None:
        """Note an announce."""
        block = at_ms // _BLOCK_MS
        members = self._members.get(info_hash_id)
        if members is None:
            members = self._members[info_hash_id] = {}
        known = members.get(identity)
        if known is None:
            members[identity] = Presence(block, 1, int(seeds))
        elif block > known.block:
            shift = min(block - known.block, WINDOW_BLOCKS)
            members[identity] = Presence(
                block, known.present << shift & _MASK | 1, known.seeded << shift & _MASK | seeds
            )
        elif seeds and not known.seeded >> (shift := known.block - block) & 1:
            members[identity] = known._replace(
                present=known.present | 1 << shift & _MASK, seeded=known.seeded | 1 << shift & _MASK
            )

    def of(self, info_hash_id: int) -> Mapping[Identity, Presence]:
        """Return the presence of a torrent's members."""
        return self._members.get(info_hash_id, {})

    def forget_before(self, block: int) -> None:
        """Forget members that haven't announced since a block."""
        for info_hash_id, members in list(self._members.items()):
            for identity in [identity for identity, known in members.items() if known.block < block]:
                del members[identity]
            if not members:
                del self._members[info_hash_id]
