"""Transfers in one swarm: whatever one peer receives another one sent."""

import random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .torrents import Outside, Torrent

STEP_SECONDS = 300
_UNCHOKED = 6
_FRESH_SHARE = 0.02
_ENDGAME_SHARE = 0.97
_ENDGAME_WASTE = 0.01

Bytes = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]


class Totals(NamedTuple):
    """What a peer transferred since it joined the swarm, and what it has. ``bad``: failed verification."""

    uploaded: int
    received: int
    bad: int
    redundant: int
    have: int


class Swarm:
    """All peers of a torrent. A peer is a number; the last row is everybody outside this tracker."""

    def __init__(self, torrent: Torrent, outside: Outside, draw: random.Random, places: int) -> None:
        self.torrent = torrent
        self._outside = outside
        self._draw = draw
        self._random = np.random.default_rng(draw.getrandbits(64))
        self.upload, self.download = np.zeros(places + 1), np.zeros(places + 1)
        self.online = np.zeros(places + 1, dtype=bool)
        self.spoils = np.zeros(places + 1)
        self.wanted = np.zeros(places + 1, dtype=np.int64)
        self.counts: Bytes = np.zeros((5, places + 1), dtype=np.int64)
        self._before = self.counts.copy()

    @property
    def outside_ever(self) -> bool:
        """Return whether peers that this tracker doesn't see take part."""
        return bool(self._outside.gives or self._outside.wants)

    @property
    def have(self) -> Bytes:
        """What each peer has."""
        row: Bytes = self.counts[4]
        return row

    def totals(self, peer: int, fraction: float) -> Totals:
        """Return a peer's totals after a fraction of the present step."""
        before, after = self._before[:, peer], self.counts[:, peer]
        return Totals(*(int(a + (b - a) * fraction) for a, b in zip(before.tolist(), after.tolist(), strict=True)))

    def lose(self, peer: int, kept: int) -> None:
        """Let a peer's data be gone but for ``kept`` bytes."""
        self.counts[4, peer] = kept
        self._before[4, peer] = min(kept, int(self._before[4, peer]))

    def leechers_and_seeders(self) -> tuple[int, int]:
        """Return how many peers are online with something left, and with nothing left."""
        leeching = self.have[:-1] < self.torrent.size
        return int((self.online[:-1] & leeching).sum()), int((self.online[:-1] & ~leeching).sum())

    def finds_peers(self, peer: int) -> bool:
        """Return whether somebody is online whom the peer could exchange data with."""
        online = self.online[:-1].copy()
        online[peer] = False
        if self.have[peer] < self.wanted[peer]:
            return bool(online.any())
        return bool((online & (self.have[:-1] < self.wanted[:-1])).any())

    def step(self, now: int) -> None:
        """Transfer for one step."""
        np.copyto(self._before, self.counts)
        gives, wants = self._outside.rates(now, self._draw)
        self.upload[-1], self.download[-1] = gives, wants
        senders = np.flatnonzero(self._can_send(gives))
        receivers = np.flatnonzero(self._can_receive(wants))
        if len(senders) and len(receivers):
            self._exchange(senders, receivers)

    def _can_send(self, gives: float) -> npt.NDArray[np.bool_]:
        able = self.online & (self.have > self.torrent.piece_length) & (self.upload > 0)
        able[-1] = gives > 0
        return able

    def _can_receive(self, wants: float) -> npt.NDArray[np.bool_]:
        able = self.online & (self.have < self.wanted)
        able[-1] = wants > 0
        return able

    def _exchange(self, senders: npt.NDArray[np.intp], receivers: npt.NDArray[np.intp]) -> None:
        sent = self._matrix(senders, receivers)
        self.counts[0, senders] += sent.sum(axis=1)
        arrived = sent.sum(axis=0)
        ours = receivers[:-1] if receivers[-1] == len(self.online) - 1 else receivers
        self._receive(ours, arrived[: len(ours)])

    def _matrix(self, senders: npt.NDArray[np.intp], receivers: npt.NDArray[np.intp]) -> Bytes:
        shape = (len(senders), len(receivers))
        wishes = self._random.exponential(size=shape)
        wishes *= self._random.random(shape) < max(0.05, min(1.0, _UNCHOKED / len(receivers)))
        wishes[senders[:, None] == receivers[None, :]] = 0
        capacity = self.upload[senders] * STEP_SECONDS * self._usefulness(senders)
        sums = wishes.sum(axis=1)
        sent = wishes * np.divide(capacity, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]
        return self._limited(sent, receivers)

    def _usefulness(self, senders: npt.NDArray[np.intp]) -> Shares:
        owned = np.minimum(1.0, 2 * self.have[senders] / self.torrent.size)
        owned[senders == len(self.online) - 1] = 1.0
        useful: Shares = owned * self._random.uniform(0.5, 1.0, len(senders))
        return useful

    def _limited(self, sent: Shares, receivers: npt.NDArray[np.intp]) -> Bytes:
        """Cut what arrives to the receivers' lines and to what they need."""
        line = self.download[receivers] * STEP_SECONDS
        good = 1.0 - self.spoils[receivers]
        needed = (self.wanted[receivers] - self.have[receivers]) / np.maximum(good, 1e-9)
        needed[receivers == len(self.online) - 1] = np.inf
        arriving = sent.sum(axis=0)
        most = np.minimum(line, np.ceil(needed))
        cut = np.divide(most, arriving, out=np.ones_like(arriving), where=arriving > most)
        whole = np.floor(sent * cut).astype(np.int64)
        return self._rounded_up(whole, most, cut < 1.0)

    def _rounded_up(self, whole: Bytes, most: Shares, full: npt.NDArray[np.bool_]) -> Bytes:
        """Let receivers that get all they can take lack no byte of it because of rounding."""
        for column in np.flatnonzero(full & (most < 2**62)):
            sender = int(whole[:, column].argmax())
            whole[sender, column] += int(most[column]) - int(whole[:, column].sum())
        return whole

    def _receive(self, peers: npt.NDArray[np.intp], arrived: Bytes) -> None:
        bad = np.floor(arrived * self.spoils[peers]).astype(np.int64)
        near = self.have[peers] > _ENDGAME_SHARE * self.torrent.size
        needed = self.wanted[peers] - self.have[peers]
        twice = np.where(near, np.minimum(arrived - bad, needed) * _ENDGAME_WASTE, 0).astype(np.int64)
        twice = np.where(arrived - bad >= needed, 0, twice)
        after = np.minimum(self.wanted[peers], self.have[peers] + arrived - bad - twice)
        self.counts[1, peers] += arrived
        self.counts[2, peers] += bad
        self.counts[3, peers] += arrived - bad - (after - self.have[peers])
        self.counts[4, peers] = after
