"""Decides what offenders and their recipients are told in place of, or along with, an ordinary reply."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from etracker_announce.domain.answers import AnnounceAnswer, Message, MessageKind, Refusal
from etracker_announce.domain.errors import Reason
from etracker_announce.domain.suspects import MOST_SIZES_WASTED, Suspect, Suspects
from etracker_announce.domain.swarm import Role
from etracker_announce.ports import HandOuts, SwarmsUnavailableError
from etracker_announce.tracker.admitted import AdmittedAnnounce
from etracker_announce.tracker.failure_budget import FailureBudget
from etracker_shared.agreements.anomalies import Verdict
from etracker_shared.agreements.block_lists import (
    IDENTITY_BYTES,
    SESSION_BYTES,
    make_token,
    name_address,
    name_session,
    unpack_handed,
)
from etracker_shared.agreements.facts import Event
from etracker_shared.language.identity import packed_prefix

OFFENDER_INTERVAL_SECONDS = 3600
RECIPIENT_INTERVAL_SECONDS = 300
RETRY_MINUTES = 5
FAILURE_PAUSE_SECONDS = 6 * 3600
"""A client gets at most one failure in this time because of others."""
LOSS_SIZES = 1.0
"""Seeders get a failure only if an offender wasted more than this many sizes of the torrent."""

_WARNED, _FAILED = b"w", b"f"
_TIME_BYTES = 4
_PORT_BYTES = 2
_KINDS = {
    Verdict.STATISTICS: MessageKind.STATISTICS,
    Verdict.HIDDEN_DOWNLOAD: MessageKind.HIDDEN_DOWNLOAD,
    Verdict.WASTE: MessageKind.WASTE,
}


class _Received(NamedTuple):
    """A waster that a client was handed, at an endpoint. ``field``: the hand-out's in the log."""

    waster: Suspect
    field: bytes
    endpoint: bytes


class Messages:
    """Adds messages to the replies of offenders and of their recipients.

    ``on_warning`` is called with the kind of each warning.
    """

    def __init__(self, hand_outs: HandOuts, budget: FailureBudget, on_warning: Callable[[MessageKind], None]) -> None:
        self._hand_outs = hand_outs
        self._budget = budget
        self._on_warning = on_warning

    async def tell(
        self,
        answer: AnnounceAnswer,
        announce: AdmittedAnnounce,
        suspects: Suspects,
        handed: Mapping[bytes, bytes],
        secret: bytes,
    ) -> AnnounceAnswer | Refusal:
        """Return the answer, with a warning if one is due, or a failure in its place. Never raises."""
        told: Message | Refusal | None = None
        # A message that can't be claimed because Redis is down isn't urgent.
        with suppress(SwarmsUnavailableError):
            if offender := suspects.offender(announce.key_hash, announce.source.prefix):
                told = await self._tell_offender(announce, offender)
            elif handed:
                told = await self._tell_recipient(announce, suspects, handed, secret)
        if isinstance(told, Message):
            self._on_warning(told.kind)
            return answer._replace(message=told)
        return told or answer

    async def _tell_offender(self, announce: AdmittedAnnounce, offender: Suspect) -> Message | Refusal | None:
        wastes = offender.verdict is Verdict.WASTE
        message = Message(_KINDS[offender.verdict])
        sizes = offender.wasted.get(announce.kept_as, 0.0)
        if wastes and sizes > MOST_SIZES_WASTED and announce.request.event is Event.REGULAR:
            interval = OFFENDER_INTERVAL_SECONDS
            return Refusal(Reason.WASTES_BANDWIDTH, interval, interval, message)
        identity = announce.key_hash[:IDENTITY_BYTES]
        return message if await self._hand_outs.claim_own(identity, offender.since, int(announce.at)) else None

    async def _tell_recipient(
        self, announce: AdmittedAnnounce, suspects: Suspects, handed: Mapping[bytes, bytes], secret: bytes
    ) -> Message | Refusal | None:
        session = name_session(secret, announce.key_hash, announce.info_hash, announce.request.peer_id)
        received = _received(announce, suspects, handed, session)
        for one in received:
            if one.field + _WARNED not in handed:
                claimed = await self._claim(announce, one, _WARNED, secret)
                return _message(announce, one, secret) if claimed else None
        if not _may_fail(announce) or _failed_lately(handed, session, int(announce.at)):
            return None
        for one in received:
            loses = one.waster.wasted.get(announce.kept_as, 0.0) > LOSS_SIZES
            if loses and one.field + _FAILED not in handed:
                return await self._fail(announce, one, secret)
        return None

    async def _fail(self, announce: AdmittedAnnounce, one: _Received, secret: bytes) -> Message | Refusal | None:
        """Return a failure; a warning once the minute's failures are used up; None if another process was faster."""
        message = _message(announce, one, secret)
        if not self._budget.spend():
            return message if await self._is_publishable(announce, one, secret) else None
        claimed = False
        try:
            claimed = await self._claim(announce, one, _FAILED, secret)
        finally:
            if not claimed:
                self._budget.give_back()
        interval = RECIPIENT_INTERVAL_SECONDS
        return Refusal(Reason.BLOCK_PEER, interval, interval, message, RETRY_MINUTES) if claimed else None

    async def _claim(self, announce: AdmittedAnnounce, one: _Received, mark: bytes, secret: bytes) -> bool:
        recipient, at = announce.key_hash[:IDENTITY_BYTES], int(announce.at)
        names = [name_address(secret, one.endpoint[:-_PORT_BYTES])]
        value = at.to_bytes(_TIME_BYTES, "little")
        return await self._hand_outs.claim(recipient, one.field + mark, value, names, at)

    async def _is_publishable(self, announce: AdmittedAnnounce, one: _Received, secret: bytes) -> bool:
        return await self._hand_outs.is_publishable(
            [name_address(secret, one.endpoint[:-_PORT_BYTES])], int(announce.at)
        )


def _received(
    announce: AdmittedAnnounce, suspects: Suspects, handed: Mapping[bytes, bytes], session: bytes
) -> list[_Received]:
    """Return the wasters in this torrent that this client was handed, where the verdict on them holds."""
    wasters = {waster.key_hash[:IDENTITY_BYTES]: waster for waster in suspects.wasters(announce.kept_as)}
    received = []
    for one in unpack_handed(handed, int(announce.at)):
        waster = wasters.get(one.identity)
        if waster is None or one.session != session:
            continue
        endpoints = [end for end in one.endpoints if waster.concerns(packed_prefix(end[:-_PORT_BYTES]))]
        if endpoints:
            received.append(_Received(waster, session + one.identity, endpoints[0]))
    return received


def _message(announce: AdmittedAnnounce, one: _Received, secret: bytes) -> Message:
    token = make_token(secret, announce.key_hash[:IDENTITY_BYTES])
    return Message(MessageKind.BLOCK_PEER, one.endpoint, token)


def _may_fail(announce: AdmittedAnnounce) -> bool:
    return announce.request.event is Event.REGULAR and announce.request.role is Role.SEEDER


def _failed_lately(handed: Mapping[bytes, bytes], session: bytes, now: int) -> bool:
    size = SESSION_BYTES + IDENTITY_BYTES
    return any(
        len(field) == size + 1
        and field.startswith(session)
        and field.endswith(_FAILED)
        and int.from_bytes(value[-_TIME_BYTES:], "little") > now - FAILURE_PAUSE_SECONDS
        for field, value in handed.items()
    )
