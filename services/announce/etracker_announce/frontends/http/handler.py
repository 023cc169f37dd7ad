"""Answer one announce or scrape: parse it, ask the tracker, write its answer in bencode."""

from time import perf_counter

from structlog import get_logger

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.answers import Refusal
from etracker_announce.domain.errors import MalformedError, Reason
from etracker_announce.domain.requests import Kind
from etracker_announce.frontends.http.answers import encode_announce, encode_failure, encode_scrape
from etracker_announce.frontends.http.failures import text_of
from etracker_announce.frontends.http.messages import text_of_message
from etracker_announce.frontends.http.parser import HttpRequest
from etracker_announce.frontends.http.requests import Target, parse_announce, parse_scrape, raw_info_hash
from etracker_announce.frontends.http.sources import SourceFinder
from etracker_announce.frontends.shared_address import SharedAddress
from etracker_announce.metrics import ANSWERED, Metrics
from etracker_announce.tracker.tracker import Tracker
from etracker_shared.language.clients import is_foreign

log = get_logger("http")


class Handler:
    """Answers every announce and scrape with a body.

    ``hostname``: where users get announce keys. ``compares_clients``: note whether a User-Agent suits the peer_id.
    """

    def __init__(
        self,
        tracker: Tracker,
        metrics: Metrics,
        find_source: SourceFinder,
        shared_address: SharedAddress,
        hostname: str,
        *,
        compares_clients: bool = True,
    ) -> None:
        self._tracker = tracker
        self._metrics = metrics
        self._find_source = find_source
        self._shared_address = shared_address
        self._hostname = hostname
        self._compares_clients = compares_clients

    async def answer(self, request: HttpRequest, socket_address: str) -> bytes:
        """Return the bencoded answer, which may be a failure. Never raises."""
        started = perf_counter()
        target = request.target
        source = self._find_source(socket_address, request.forwarded_for)
        try:
            if target.kind is Kind.ANNOUNCE:
                body, outcome = await self._announce(request, source)
            elif target.kind is Kind.SCRAPE:
                body, outcome = await self._scrape(target.key, request.query, source)
            else:
                body, outcome = self._refuse(Reason.MISPLACED, target, request.query, source)
        except MalformedError as error:
            body, outcome = self._refuse(error.reason, target, request.query, source)
        except Exception:
            log.exception("internal_error", kind=target.kind.value)
            body, outcome = self._refuse(Reason.INTERNAL, target, request.query, source)
        self._metrics.seconds[target.kind].observe(perf_counter() - started)
        self._metrics.answers[target.kind, outcome].inc()
        return body

    async def _announce(self, sent: HttpRequest, source: Source) -> tuple[bytes, str]:
        key = sent.target.key
        request, compact, with_peer_ids = parse_announce(sent.query)
        if self._compares_clients and is_foreign(sent.user_agent, request.peer_id):
            request = request._replace(foreign_user_agent=True)
        if source.private:
            self._shared_address.count(source.packed, key or request.peer_id)
        else:
            self._shared_address.elsewhere += 1
        answer = await self._tracker.announce(request, key, source)
        if isinstance(answer, Refusal):
            return self._failure(answer)
        warning = text_of_message(answer.message, self._hostname) if answer.message else b""
        body = encode_announce(answer, source.packed, compact=compact, with_peer_ids=with_peer_ids, warning=warning)
        return body, ANSWERED

    async def _scrape(self, key: bytes | None, query: bytes, source: Source) -> tuple[bytes, str]:
        answer = await self._tracker.scrape(parse_scrape(query), key, source)
        return self._failure(answer) if isinstance(answer, Refusal) else (encode_scrape(answer), ANSWERED)

    def _refuse(self, reason: Reason, target: Target, query: bytes, source: Source) -> tuple[bytes, str]:
        return self._failure(self._tracker.refuse(reason, target.key, source, raw_info_hash(query)))

    def _failure(self, refusal: Refusal) -> tuple[bytes, str]:
        reason, interval_seconds, min_interval_seconds, message, retry_minutes = refusal
        text = text_of_message(message, self._hostname) if message else text_of(reason, self._hostname)
        return encode_failure(text, interval_seconds, min_interval_seconds, retry_minutes), reason.value
