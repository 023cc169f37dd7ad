"""The keys and torrents of a log, numbered as they appear, in place of their rows in Postgres."""

from collections.abc import Mapping, Sequence

from etracker_scoring.detection.blocks import identity_of_key
from etracker_scoring.detection.records import Content, Identity
from etracker_scoring.replay.announces import Announce
from etracker_scoring.replay.torrents import LoggedTorrent
from etracker_scoring.scores.keys import Key
from etracker_scoring.worker.admission import Admitted, admit
from etracker_scoring.worker.batch import SettledFact
from etracker_scoring.worker.records import Torrent
from etracker_shared.language.identity import InfoHash, KeyHash

_UNKNOWN = LoggedTorrent(Content())


class Catalogue:
    """``known``: torrents about which something is known; others are followed, too."""

    def __init__(self, known: Mapping[InfoHash, LoggedTorrent]) -> None:
        self._known = known
        self._torrents: dict[InfoHash, Torrent] = {}
        self._contents: list[Content] = []
        self._info_hashes: list[InfoHash] = []
        self._keys: dict[KeyHash, Key] = {}
        self._identities: list[Identity] = []
        self._names: dict[Identity, str | int] = {}
        self.unknown_torrents = 0

    def admit(self, announces: Sequence[Announce]) -> list[Admitted]:
        """Number the keys and torrents of announces."""
        torrents, keys = self._torrents, self._keys
        for key, fact in announces:
            if fact.info_hash not in torrents:
                self._add_torrent(fact.info_hash)
            if key is not None and fact.key_hash not in keys:
                self._add_key(key, fact.key_hash)
        return admit((announce.fact for announce in announces), keys, torrents)[0]

    def _add_torrent(self, info_hash: InfoHash) -> None:
        kept = self._known.get(info_hash, _UNKNOWN).same_as or info_hash
        torrent = self._torrents.get(kept)
        if torrent is None:
            known = self._known.get(kept, _UNKNOWN)
            self.unknown_torrents += known is _UNKNOWN
            # Without a length: it bounds only what an announce is worth to scores.
            torrent = self._torrents[kept] = Torrent(len(self._contents), None)
            self._contents.append(known.content)
            self._info_hashes.append(kept)
        self._torrents[info_hash] = torrent

    def _add_key(self, name: str | int, key_hash: KeyHash) -> None:
        number = len(self._identities)
        identity = identity_of_key(number)
        self._keys[key_hash] = Key(number, key_hash)
        self._identities.append(identity)
        self._names[identity] = name

    def identity_of(self, item: SettledFact) -> Identity:
        """Return whom an announce is counted for."""
        return self._identities[item.key.id] if item.key else item.fact.key_hash

    def content_of(self, info_hash_id: int) -> Content:
        """Return what is known about a torrent."""
        return self._contents[info_hash_id]

    def info_hash_of(self, info_hash_id: int) -> InfoHash:
        """Return the infohash of a torrent."""
        return self._info_hashes[info_hash_id]

    def name_of(self, identity: Identity) -> str | int | None:
        """Return a key as it is in the log; None for a guest."""
        return self._names.get(identity)
