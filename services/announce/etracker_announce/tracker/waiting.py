"""In which torrents a key waits: only in some at the same time, so that nobody waits everywhere in advance."""

from collections import OrderedDict

from etracker_shared.language.identity import InfoHash, KeyHash

MOST_PLACES = 262_144
"""The most places of all keys together. Beyond that, those of the keys that announced longest ago are forgotten."""


class _Place:
    """A torrent in which a key waits, until a Unix time. ``progressed``: at its last announce it had less left."""

    __slots__ = ("progressed", "until")

    def __init__(self, until: int, *, progressed: bool) -> None:
        self.until = until
        self.progressed = progressed


class Waiting:
    """Gives each key a number of places, one for each torrent in which it waits for restrictions to end.

    A place is held for some seconds after an announce. While all are taken, a torrent in which the key makes progress
    replaces one in which it makes none. Each process of announce knows only the announces that it has answered.
    """

    def __init__(self, places_per_key: int, hold_seconds: int, most_places: int = MOST_PLACES) -> None:
        self._places_per_key = places_per_key
        self._hold_seconds = hold_seconds
        self._most_places = most_places
        self._keys: OrderedDict[KeyHash, dict[int, _Place]] = OrderedDict()
        self._count = 0

    def take_place(self, key_hash: KeyHash, info_hash: InfoHash, now: int) -> bool:
        """Return whether a torrent has one of its key's places, now that it announces."""
        places, torrent = self._places(key_hash), hash(info_hash)
        place = places.get(torrent)
        if place:
            place.until = now + self._hold_seconds
            return True
        if len(places) >= self._places_per_key:
            self._release(key_hash, *[held for held, place in places.items() if place.until < now])
        if len(places) >= self._places_per_key:
            return False
        self._put(key_hash, torrent, now, progressed=False)
        return True

    def learn(self, key_hash: KeyHash, info_hash: InfoHash, now: int, *, progressed: bool) -> None:
        """Remember whether a torrent in which its key still waits has made progress."""
        places, torrent = self._keys.get(key_hash, {}), hash(info_hash)
        place = places.get(torrent)
        if place:
            place.progressed = progressed
        elif progressed:
            idle = [held for held, place in places.items() if not place.progressed]
            self._release(key_hash, *idle[:1])
            if len(places) < self._places_per_key:
                self._put(key_hash, torrent, now, progressed=True)

    def leave(self, key_hash: KeyHash, info_hash: InfoHash) -> None:
        """Take back the place of a torrent in which its key doesn't wait any more."""
        self._release(key_hash, hash(info_hash))

    def _places(self, key_hash: KeyHash) -> dict[int, _Place]:
        places = self._keys.get(key_hash)
        if places is None:
            places = self._keys[key_hash] = {}
        else:
            self._keys.move_to_end(key_hash)
        return places

    def _put(self, key_hash: KeyHash, torrent: int, now: int, *, progressed: bool) -> None:
        self._keys.setdefault(key_hash, {})[torrent] = _Place(now + self._hold_seconds, progressed=progressed)
        self._count += 1
        while self._count > self._most_places:
            _, forgotten = self._keys.popitem(last=False)
            self._count -= len(forgotten)

    def _release(self, key_hash: KeyHash, *torrents: int) -> None:
        places = self._keys.get(key_hash, {})
        self._count -= sum(places.pop(torrent, None) is not None for torrent in torrents)
        if not places:
            self._keys.pop(key_hash, None)
