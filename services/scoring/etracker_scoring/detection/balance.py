"""Compare what a swarm uploads with what it downloads, and find out whose reports don't fit.

A block that is balanced costs a few sums. Only if more than the noise remains without a receiver over several blocks is
the cause looked for, in swarms that count as closed or are flagged as private: hidden downloads first, which explain
most, then invented uploads, then leechers that take data and say nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.balance_texts import describe_hidden, describe_sink, describe_upload
from etracker_scoring.detection.cusum import MIB, add_block
from etracker_scoring.detection.doubts import QUIET_BLOCKS, Circumstances, examine
from etracker_scoring.detection.hidden import HiddenDownload, find_hidden
from etracker_scoring.detection.records import Content, Evidence, Identity, Presence, SwarmBlock, Traffic
from etracker_scoring.detection.sinks import find_sinks
from etracker_scoring.detection.uploads import Accusation, select_accused
from etracker_scoring.detection.window import Floats, Window, look_back
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, Kind

Finding = tuple[Identity, Evidence]

_LEAD_BLOCKS = 3
"""Blocks before the onset that are looked at, too: the sum begins to rise only after the noise is used up."""


_PROVING_BLOCKS = 3
"""A check ends at once, and an announce's difference touches two blocks at most in which its client announces."""


class _Case(NamedTuple):
    """A swarm whose imbalance is looked into. ``at``: when it is judged, Unix seconds."""

    content: Content
    info_hash_id: int
    swarm: SwarmBlock
    window: Window
    presence: Mapping[Identity, Presence]
    at: int
    parameters: BalanceParameters


def judge_block(  # noqa: PLR0917 - its callers have all of this at hand, in this order
    content: Content,
    info_hash_id: int,
    block: int,
    traffic: Mapping[int, Mapping[Identity, Traffic]],
    presence: Mapping[Identity, Presence],
    history: Sequence[SwarmBlock],
    parameters: BalanceParameters,
) -> tuple[SwarmBlock, list[Finding]]:
    """Judge an ended block of a torrent that had traffic in it.

    ``traffic``: by block and member, of the window that ends with ``block``. ``presence``: of members of this torrent;
    it may be empty unless :func:`needs_presence`. ``history``: what this function returned for earlier blocks of the
    window, in their order.
    """
    swarm = add_block(content, block, traffic.get(block, {}), _before(block, history), parameters)
    if not _opens_gate(content, swarm, parameters):
        return swarm, []
    at = (block + 1) * BLOCK_SECONDS + parameters.judge_after_seconds
    window = look_back(block, traffic, parameters)
    return swarm, _look_into(_Case(content, info_hash_id, swarm, window, presence, at, parameters))


def needs_presence(
    content: Content,
    block: int,
    traffic: Mapping[Identity, Traffic],
    history: Sequence[SwarmBlock],
    parameters: BalanceParameters,
) -> bool:
    """Return whether :func:`judge_block` will use presence. ``traffic``: of this block only."""
    return _opens_gate(content, add_block(content, block, traffic, _before(block, history), parameters), parameters)


def _before(block: int, history: Sequence[SwarmBlock]) -> Sequence[SwarmBlock]:
    """Leave out rows of a block that is judged again after a crash."""
    return history if not history or history[-1].block < block else [row for row in history if row.block < block]


def _opens_gate(content: Content, swarm: SwarmBlock, parameters: BalanceParameters) -> bool:
    return swarm.cusum >= parameters.gate_mib * MIB and (content.private or swarm.trusted)


def _look_into(case: _Case) -> list[Finding]:
    hidden = find_hidden(case.window, case.parameters)
    findings = [_hidden_finding(case, found) for found in hidden if found.amounts[-1] > 0]
    taken: Floats = sum((found.amounts for found in hidden), np.zeros(case.window.length))
    since = max(case.window.first, (case.swarm.onset or 0) - _LEAD_BLOCKS)
    recent = case.window.since(since)
    received = (case.window.received.sum(axis=0) + taken)[-recent.length :]
    accused = select_accused(recent, recent.uploaded.sum(axis=0) - received, case.parameters)
    uploads, is_explained = _upload_findings(case, accused, since, received)
    findings.extend(uploads)
    if accused and not is_explained and case.swarm.trusted:
        findings.extend(_sink_findings(case))
    return findings


def _upload_findings(
    case: _Case, accused: Sequence[Accusation], since: int, received: Floats
) -> tuple[list[Finding], bool]:
    """Return the evidence against those who are accused, and whether it explains the imbalance.

    If there are several, they may all feed a hidden downloader: they convict only if each uploaded more than all
    receivers can have taken, and nothing else speaks for them.
    """
    found: list[Finding] = []
    is_explained = False
    for one in accused:
        facts = examine(
            case.window,
            one,
            since=since,
            received=received,
            size=case.content.size,
            presence=case.presence,
            parameters=case.parameters,
            fellows=[other for other in accused if other is not one],
        )
        doubts = list(_doubts(case, facts))
        if _shows_a_sink(facts, case.parameters) or (doubts and len(accused) > 1):
            continue
        if len(accused) > 1 and not facts.exceeds:
            doubts.append("others are accused with it, and somebody may hide downloads from all of them")
        is_explained = True
        found.extend(_upload_finding(case, one, facts, since, doubts))
    return found, is_explained


def _hidden_finding(case: _Case, hidden: HiddenDownload) -> Finding:
    trusted = case.swarm.trusted
    blocks = np.flatnonzero(hidden.amounts)
    first, last = case.window.first + int(blocks[0]), case.window.first + int(blocks[-1])
    points = case.parameters.hidden_points if trusted else case.parameters.hidden_points_untrusted
    if len(blocks) < _PROVING_BLOCKS:
        points /= 2  # a check of data that was there already, while something else was out of balance
    data = {
        "hidden": int(hidden.amounts.sum()),
        "gain": round(hidden.gain, 2),
        "ratio": round(hidden.ratio, 3),
        "trusted": int(trusted),
    }
    text = describe_hidden(hidden, first, trusted=trusted)
    return case.window.members[hidden.row], _evidence(
        case, Kind.SWARM_HIDDEN, points, text=text, data=data, blocks=(first, last)
    )


def _shows_a_sink(facts: Circumstances, parameters: BalanceParameters) -> bool:
    return facts.rest_ratio > parameters.sink_ratio or facts.surplus_share > parameters.sink_surplus_share


def _upload_finding(
    case: _Case, accusation: Accusation, facts: Circumstances, since: int, doubts: list[str]
) -> Iterator[Finding]:
    if accusation.gains[-1] <= 0:
        return
    parameters = case.parameters
    level = parameters.upload_level * accusation.gain**0.5 + (parameters.exceeding_points if facts.exceeds else 0)
    if doubts:
        cap = parameters.doubtful_cap if case.swarm.trusted else parameters.untrusted_level
        level = min(level / 2, cap)
    data: dict[str, float | int | str] = {
        "uploaded": int(facts.uploaded),
        "share": accusation.share,
        "others_received": int(facts.others_received),
        "gain": round(accusation.gain, 2),
        "blocks": facts.explained_blocks,
        "witnesses": facts.witnesses,
        "rest_ratio": round(facts.rest_ratio, 3),
        "surplus_share": round(facts.surplus_share, 3),
        "shared_fit": round(facts.shared_fit, 3),
        "unexplained": round(facts.unexplained, 3),
        "stalled": facts.stalled,
        "exceeds": int(facts.exceeds),
        "trusted": int(case.swarm.trusted),
        "convicts": int(not doubts),
    }
    text = describe_upload(accusation, facts, since, doubts)
    block = case.swarm.block
    evidence = _evidence(case, Kind.SWARM_UPLOAD, round(level, 2), text=text, data=data, blocks=(since, block))
    yield case.window.members[accusation.row], evidence


def _doubts(case: _Case, facts: Circumstances) -> Iterator[str]:
    parameters = case.parameters
    if not (case.swarm.trusted or facts.otherwise_closed):
        yield "this swarm may have peers on other trackers"
    if facts.witnesses < parameters.witnesses:
        yield "too few other seeders were there to compare with"
    if facts.rest_ratio > parameters.rest_ratio:
        yield "the others' uploads have no receivers either"
    if facts.surplus_share > parameters.surplus_share:
        yield "others uploaded while nobody downloaded"
    if _may_be_shared(facts, parameters):
        yield "somebody who took data from all of them would explain it as well"
    if facts.stalled:
        yield "a leecher without progress may have received it"


def _may_be_shared(facts: Circumstances, parameters: BalanceParameters) -> bool:
    """Return whether the accused may be one of several that feed a hidden downloader.

    Blocks without downloads show best whether the others do; in others, the accusation has to fit well.
    """
    fits = facts.shared_fit <= parameters.shared_fit or facts.unexplained <= parameters.unexplained_sigmas
    return facts.quiet_blocks < QUIET_BLOCKS and not fits


def _sink_findings(case: _Case) -> Iterator[Finding]:
    parameters = case.parameters
    sinks = find_sinks(case.window, case.presence, parameters)
    points = parameters.sink_points if len(sinks) == 1 else parameters.shared_sink_points
    for sink in sinks:
        data = {"blocks": sink.blocks, "candidates": len(sinks), "trusted": 1, "bad_share": round(sink.bad_share, 3)}
        text = describe_sink(sink, len(sinks))
        block = case.swarm.block
        yield sink.member, _evidence(case, Kind.SWARM_SINK, points, text=text, data=data, blocks=(block, block))


def _evidence(
    case: _Case,
    kind: Kind,
    points: float,
    *,
    text: str,
    data: Mapping[str, float | int | str],
    blocks: tuple[int, int],
) -> Evidence:
    # numpy's numbers can't be stored as JSON, and some sums of its booleans are such.
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in data.items()}
    return Evidence(case.at, kind, float(points), case.info_hash_id, text, plain, *blocks)
