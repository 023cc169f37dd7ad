"""Scoring's treatments over HTTP: batched, cached, and replaced by the last known ones while scoring is down."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

import httpx
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from pydantic import ValidationError

from etracker_announce.adapters.batching import Batcher
from etracker_announce.adapters.caching import NotifiedCache
from etracker_announce.metrics import Metrics
from etracker_announce.ports import Judgement
from etracker_shared.agreements.notifications import KEYS_CHANNEL
from etracker_shared.agreements.tiers import MAX_KEYS, TIERS_PATH, UNKNOWN, TiersRequest, TiersResponse, Treatment
from etracker_shared.language.identity import KeyHash
from etracker_shared.plumbing.postgres import Listener

DEADLINE_SECONDS = 0.15
FAILURES_BEFORE_PAUSE = 3
PAUSE_SECONDS = 1.0
STRANGER_ENTRIES = 16_384
SHARED_JUDGEMENTS = 1024
GUEST = KeyHash(b"")
"""Means any guest; in the request it is an empty string."""

NOBODY_ASKED = Judgement(UNKNOWN, provisional=True)

_UNAVAILABLE = (httpx.HTTPError, TimeoutError, OpenedState, ValidationError)


class ScoringTiers:
    """Implements :class:`~etracker_announce.ports.Tiers`."""

    def __init__(
        self, client: httpx.AsyncClient, listener: Listener, metrics: Metrics, fresh_seconds: float, max_entries: int
    ) -> None:
        self._client = client
        self._metrics = metrics
        self._registered: NotifiedCache[Judgement] = NotifiedCache(
            max_entries, fresh_seconds, lambda: listener.connected
        )
        # Separate, so that a flood of made-up keys doesn't evict registered ones.
        self._strangers: NotifiedCache[Judgement] = NotifiedCache(
            STRANGER_ENTRIES, fresh_seconds, lambda: listener.connected
        )
        self._questions: Batcher[KeyHash, Judgement] = Batcher(self._ask, max_keys=MAX_KEYS)
        self._prefixes: dict[KeyHash, bytes] = {}  # of the keys being looked up
        self._breakers = AsyncCircuitBreakerFactory(default_threshold=FAILURES_BEFORE_PAUSE, default_ttl=PAUSE_SECONDS)

    def hear(self, channel: str, key_hashes: Sequence[bytes] | None) -> None:
        """Handle a notification from Postgres."""
        if channel == KEYS_CHANNEL:
            self._registered.forget(key_hashes)
            self._strangers.forget(key_hashes)

    async def judge(self, key_hash: KeyHash | None, prefix: bytes = b"") -> Judgement:
        """Return a treatment, see :class:`~etracker_announce.ports.Tiers`."""
        key = GUEST if key_hash is None else key_hash
        judgement = self._registered.fresh(key) or self._strangers.fresh(key)
        if judgement is not None:
            self._metrics.tiers["cache"].inc()
            return judgement
        if prefix and key is not GUEST:
            self._prefixes[key] = prefix
        try:
            judgement = await self._questions.get(key)
        except _UNAVAILABLE:
            return self._last_known(key)
        finally:
            self._prefixes.pop(key, None)
        self._metrics.tiers["scoring"].inc()
        return judgement

    async def close(self) -> None:
        """Cancel the running requests."""
        await self._questions.close()

    def _last_known(self, key: KeyHash) -> Judgement:
        # An unknown key may have been created since, so it counts as never seen.
        judgement = self._registered.last_known(key)
        self._metrics.tiers["stale" if judgement else "provisional"].inc()
        return judgement or NOBODY_ASKED

    async def _ask(self, keys: Sequence[KeyHash]) -> Mapping[KeyHash, Judgement]:
        self._metrics.tier_batches.observe(len(keys))
        asked_at = time.monotonic()
        async with await self._breakers.get_breaker("scoring"), asyncio.timeout(DEADLINE_SECONDS):
            treatments = await self._post(keys)
        answers = zip(keys, treatments, strict=True)
        judgements = {key: _shared(Judgement(treatment, provisional=False)) for key, treatment in answers}
        for key, judgement in judgements.items():
            self._keep(key, judgement, asked_at)
        return judgements

    async def _post(self, keys: Sequence[KeyHash]) -> Sequence[Treatment]:
        """Ask scoring.

        Raises:
            httpx.HTTPError: no answer, or an error.
            ValidationError: the answer isn't what was agreed.
        """
        prefixes = {key.hex(): self._prefixes[key].hex() for key in keys if key in self._prefixes}
        question = TiersRequest(keys=[key.hex() for key in keys], prefixes=prefixes).model_dump_json()
        response = await self._client.post(TIERS_PATH, content=question, headers={"content-type": "application/json"})
        response.raise_for_status()
        peers = TiersResponse.model_validate_json(response.content).peers
        if len(peers) != len(keys):
            raise httpx.DecodingError(f"{len(peers)} answers for {len(keys)} keys")
        return peers

    def _keep(self, key: KeyHash, judgement: Judgement, asked_at: float) -> None:
        kept, other = self._strangers, self._registered
        if judgement.treatment.registered or key == GUEST:
            kept, other = other, kept
        other.drop(key)
        kept.put(key, judgement, asked_at)


@lru_cache(SHARED_JUDGEMENTS)
def _shared(judgement: Judgement) -> Judgement:
    """Return the same object for equal judgements: there are few different ones, and the caches hold one per key."""
    return judgement
