"""Checks answers: a benchmark that counted failures as successes would be worthless."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastbencode import bdecode

COMPACT_PEER_BYTES = 6
_HEAD_END = b"\r\n\r\n"


class BadAnswersError(Exception):
    """Some answers aren't answers to announces, so the run proves nothing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """All answers were good. ``peers``: the mean number of peers listed; ``size``: the mean body size in bytes."""

    peers: float
    size: float


def judge(answers: Sequence[bytes], *, sorted_keys: bool = True) -> Judged:
    """Decode every answer. ``sorted_keys``: whether keys must be sorted, as the format requires.

    Raises:
        BadAnswersError: one isn't HTTP 200 with a bencoded list of compact peers.
    """
    peers = size = 0
    bad: list[str] = []
    for answer in answers:
        head, _, body = answer.partition(_HEAD_END)
        problem, listed = _judge_one(head, body, sorted_keys=sorted_keys)
        peers += listed
        size += len(body)
        if problem:
            bad.append(problem)
    if bad:
        raise BadAnswersError(f"{len(bad)} of {len(answers)} answers are bad, the first: {bad[0]}")
    return Judged(peers / len(answers), size / len(answers))


def refused(answers: Sequence[bytes], *, sorted_keys: bool = True) -> list[int]:
    """Return the indexes of the answers that aren't good."""
    parted = [answer.partition(_HEAD_END) for answer in answers]
    return [index for index, (head, _, body) in enumerate(parted) if _judge_one(head, body, sorted_keys=sorted_keys)[0]]


def _judge_one(head: bytes, body: bytes, *, sorted_keys: bool) -> tuple[str, int]:
    status = head.split(b"\r\n", 1)[0]
    if b" 200 " not in status + b" ":
        return f"{status!r} {body[:100]!r}", 0
    try:
        answer = bdecode(body) if sorted_keys else _decode_unsorted(body)
    except ValueError as error:
        return f"{error}: {body[:100]!r}", 0
    if b"failure reason" in answer:
        return repr(answer[b"failure reason"]), 0
    listed = answer.get(b"peers")
    if not isinstance(listed, bytes) or len(listed) % COMPACT_PEER_BYTES or b"interval" not in answer:
        return f"no compact peers or no interval: {body[:100]!r}", 0
    return "", len(listed) // COMPACT_PEER_BYTES


def _decode_unsorted(body: bytes) -> dict[bytes, object]:
    """Decode a dictionary whose keys may have any order: the decoder rejects it, but not a list of the same items."""
    if not body.startswith(b"d"):
        raise ValueError("not a dictionary")
    items = bdecode(b"l" + body[1:])
    return dict(zip(items[::2], items[1::2], strict=True))
