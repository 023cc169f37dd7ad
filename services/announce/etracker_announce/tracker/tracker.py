"""The tracker: every request gets an answer or a refusal."""

from structlog import get_logger

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.answers import AnnounceAnswer, Refusal, ScrapeAnswer
from etracker_announce.domain.errors import TEMPORARY, NotAllowedError, Reason, RefusalError
from etracker_announce.domain.interval import spread
from etracker_announce.domain.requests import AnnounceRequest, ScrapeRequest
from etracker_announce.ports import SwarmsFullError, SwarmsUnavailableError
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.admission import Admission
from etracker_announce.tracker.announce import AnnounceHandler
from etracker_announce.tracker.scrape import ScrapeHandler
from etracker_shared.language.outages import PostgresUnavailableError

RETRY_INTERVAL_SECONDS = 300
"""The interval of a temporary refusal: libtorrent doesn't announce sooner."""

log = get_logger("tracker")


class Tracker:
    """Answers announces and scrapes. ``key``: the announce key as the client sent it, or None for a guest."""

    def __init__(
        self, admission: Admission, announces: AnnounceHandler, scrapes: ScrapeHandler, settings: AnnounceSettings
    ) -> None:
        self._admission = admission
        self._announces = announces
        self._scrapes = scrapes
        self._settings = settings

    async def announce(self, request: AnnounceRequest, key: bytes | None, source: Source) -> AnnounceAnswer | Refusal:
        """Answer an announce. Never raises."""
        try:
            return await self._announces.answer(request, key, source)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
            return self._refuse(_reason_for(error), key, source, request.info_hash)

    async def scrape(self, request: ScrapeRequest, key: bytes | None, source: Source) -> ScrapeAnswer | Refusal:
        """Answer a scrape. Never raises."""
        try:
            return await self._scrapes.answer(request, key, source)
        except Exception as error:  # noqa: BLE001 - as above
            return self._refuse(_reason_for(error), key, source, request.info_hashes[0][0])

    def refuse(self, reason: Reason, key: bytes | None, source: Source, torrent: bytes = b"") -> Refusal:
        """Refuse a request that a front end can't understand. If its key is known to be invalid, that is the reason.

        ``torrent``: what the request has in place of an infohash; it varies the interval, so that clients don't all
        return at the same time.
        """
        if reason is not Reason.MISPLACED:
            try:
                self._admission.hash_key(key)
            except NotAllowedError as error:
                reason = error.reason
        return self._refuse(reason, key, source, torrent)

    def _refuse(self, reason: Reason, key: bytes | None, source: Source, torrent: bytes) -> Refusal:
        interval, minimum = self._settings.interval_seconds, self._settings.min_interval_seconds
        if reason in TEMPORARY:
            interval = minimum = min(interval, RETRY_INTERVAL_SECONDS)
        interval = spread(interval, key or source.packed, torrent)
        return Refusal(reason, interval, min(minimum, interval))


def _reason_for(error: Exception) -> Reason:
    if isinstance(error, RefusalError):
        return error.reason
    if isinstance(error, SwarmsFullError):
        return Reason.SWARMS_FULL
    if isinstance(error, SwarmsUnavailableError):
        return Reason.SWARMS_UNAVAILABLE
    if isinstance(error, PostgresUnavailableError):
        return Reason.ALLOWLIST_UNAVAILABLE
    log.error("internal_error", exc_info=error)
    return Reason.INTERNAL
