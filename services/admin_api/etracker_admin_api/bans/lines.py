"""Lists of bans in the format of published block lists: one per line, with comments, ranges and names of ranges."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from etracker_admin_api.bans.models import LineProblem
from etracker_admin_api.bans.patterns import BanKind, Pattern, doubt, parse_pattern, parse_range
from etracker_admin_api.errors import RefusedError
from etracker_shared.language.addresses import Address

MAX_REPORTED = 100
"""The most lines that a response explains."""

_COMMENT = re.compile(r"(?:^|\s)(?:#|;|//).*")
_RANGE = re.compile(r"(?:.*:)?\s*([0-9.]{7,15})\s*-\s*([0-9.]{7,15})|([0-9a-fA-F:.]{2,45})\s*-\s*([0-9a-fA-F:.]{2,45})")
_SHOWN_CHARACTERS = 100


@dataclass(slots=True)
class ParsedLines:
    """What a list contains. ``patterns`` has no duplicates; ``unconfirmed``: lines that only need confirmation."""

    patterns: dict[Pattern, None] = field(default_factory=dict)
    problems: list[LineProblem] = field(default_factory=list)
    refused: int = 0
    unconfirmed: int = 0

    def refuse(self, line: int, text: str, detail: str) -> None:
        """Count a line as refused, and explain it unless enough others are explained already."""
        self.refused += 1
        if len(self.problems) < MAX_REPORTED:
            self.problems.append(LineProblem(line=line, text=text[:_SHOWN_CHARACTERS], detail=detail))


def parse_lines(kind: BanKind, text: str, caller: Address, *, confirmed: bool) -> ParsedLines:
    """Parse a list. Takes about 15 us of CPU time per line."""
    parsed = ParsedLines()
    for number, raw in enumerate(text.splitlines(), start=1):
        line = _COMMENT.sub("", raw).strip()
        if not line:
            continue
        try:
            patterns = list(_parse_line(kind, line))
        except RefusedError as error:
            parsed.refuse(number, line, str(error))
            continue
        if not confirmed and (why := _first_doubt(patterns, caller)):
            parsed.unconfirmed += 1
            parsed.refuse(number, line, why)
            continue
        parsed.patterns.update(dict.fromkeys(patterns))
    return parsed


def _parse_line(kind: BanKind, line: str) -> Iterator[Pattern]:
    if kind is BanKind.NETWORK and (found := _RANGE.fullmatch(line)):
        first, last = found[1] or found[3], found[2] or found[4]
        return (Pattern(kind, network) for network in parse_range(first, last))
    return iter((parse_pattern(kind, line),))


def _first_doubt(patterns: Iterable[Pattern], caller: Address) -> str | None:
    return next(filter(None, (doubt(pattern, caller) for pattern in patterns)), None)
