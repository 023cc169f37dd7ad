"""The whole tracker: every request gets an answer, be it a failure."""

import re
from typing import NamedTuple

from structlog import get_logger

from etracker_announce.domain.addresses import Client
from etracker_announce.domain.answers import encode_failure
from etracker_announce.domain.errors import Reason, RefusalError, TryAgainError
from etracker_announce.domain.interval import spread
from etracker_announce.domain.request import Kind, Target
from etracker_announce.domain.texts import text_of
from etracker_announce.metrics import ANSWERED
from etracker_announce.ports import AllowlistUnavailableError, SwarmsFullError, SwarmsUnavailableError
from etracker_announce.settings import AnnounceSettings
from etracker_announce.use_cases.announcing import Announcing
from etracker_announce.use_cases.scraping import Scraping

RETRY_INTERVAL_SECONDS = 300
"""When to come back after a failure that isn't the client's: libtorrent comes no sooner."""

_RAW_INFO_HASH = re.compile(rb"info_hash=([^&]*)")

log = get_logger("tracker")


class Answer(NamedTuple):
    """``body``: bencoded. ``outcome``: "ok" or the reason of a failure."""

    body: bytes
    outcome: str


class Tracker:
    """Answers every request for an announce or a scrape."""

    def __init__(self, announcing: Announcing, scraping: Scraping, settings: AnnounceSettings) -> None:
        self._announcing = announcing
        self._scraping = scraping
        self._settings = settings

    async def answer(self, target: Target, query: bytes, client: Client) -> Answer:
        """Answer a request; nothing is raised."""
        try:
            if target.kind is Kind.ANNOUNCE:
                return Answer(await self._announcing.answer(target.key, query, client), ANSWERED)
            return Answer(await self._scraping.answer(target.key, query), ANSWERED)
        except RefusalError as refusal:
            error = refusal
        except SwarmsFullError:
            error = TryAgainError(Reason.SWARMS_FULL)
        except SwarmsUnavailableError:
            error = TryAgainError(Reason.SWARMS_UNAVAILABLE)
        except AllowlistUnavailableError:
            error = TryAgainError(Reason.ALLOWLIST_UNAVAILABLE)
        except Exception:
            log.exception("internal_error", kind=target.kind.value)
            error = TryAgainError(Reason.INTERNAL)
        return self._refuse(error, target.key or client.packed, query)

    def _refuse(self, error: RefusalError, who: bytes, query: bytes) -> Answer:
        interval, minimum = self._settings.interval_seconds, self._settings.min_interval_seconds
        if isinstance(error, TryAgainError):
            interval = minimum = min(interval, RETRY_INTERVAL_SECONDS)
        raw_info_hash = _RAW_INFO_HASH.search(query)
        spread_interval = spread(interval, who, raw_info_hash[1] if raw_info_hash else b"")
        text = text_of(error.reason, self._settings.frontend_hostname)
        return Answer(encode_failure(text, spread_interval, min(minimum, spread_interval)), error.reason.value)
