"""Answers decode strictly to what went in."""

from typing import Any

import fastbencode
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.domain.answers import AnnounceAnswer, Peers, ScrapeAnswer
from etracker_announce.domain.swarm import NO_COUNTS, RECORD, Counts, Records
from etracker_announce.frontends.http.answers import encode_announce, encode_failure, encode_scrape
from etracker_shared.language.identity import InfoHash

counts = st.builds(Counts, *[st.integers(0, 2**32)] * 3, st.none())


def records(*peers: tuple[bytes, bytes, bytes]) -> Records:
    """Build records of (peer_id, IPv4 endpoint, IPv6 endpoint)."""
    array = np.zeros(len(peers), dtype=RECORD)
    for record, (peer_id, endpoint4, endpoint6) in zip(array, peers, strict=True):
        record["peer_id"], record["endpoint4"], record["endpoint6"] = peer_id, endpoint4, endpoint6
    return array


def decode(answer: bytes) -> Any:
    return fastbencode.bdecode(answer)


def answer_with(over4: Records, over6: Records | None, **more: Any) -> AnnounceAnswer:
    told: dict[str, Any] = {
        "counts": NO_COUNTS,
        "snatches": 0,
        "interval_seconds": 1800,
        "min_interval_seconds": 900,
        "notice": None,
    }
    return AnnounceAnswer(peers=Peers(over4, over6), **told | more)


def encoded(answer: AnnounceAnswer, *, compact: bool = True, with_peer_ids: bool = True) -> Any:
    return decode(encode_announce(answer, bytes(4), compact=compact, with_peer_ids=with_peer_ids))


notices = st.none() | st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=127)


@pytest.mark.promise(12)
@given(counts, st.integers(0, 2**63), st.sampled_from([4, 16]), st.integers(1, 10**6), notices)
def test_an_announce_decodes_to_what_went_in(
    count: Counts, snatches: int, width: int, interval: int, notice: str | None
) -> None:
    """Fastbencode refuses unsorted keys."""
    intervals: dict[str, Any] = {"interval_seconds": interval, "min_interval_seconds": interval // 2}
    answer = answer_with(records(), records(), counts=count, snatches=snatches, notice=notice, **intervals)
    expected = {
        b"complete": count.seeders,
        b"incomplete": count.leechers + count.partial_seeds,
        b"downloaded": snatches,
        b"external ip": bytes(width),
        b"interval": interval,
        b"min interval": interval // 2,
        b"peers": b"",
        b"peers6": b"",
    }
    decoded = decode(encode_announce(answer, bytes(width), compact=True, with_peer_ids=True))
    assert decoded == expected | ({b"warning message": notice.encode()} if notice else {})


peers = st.lists(st.tuples(*(st.binary(min_size=size, max_size=size) for size in (20, 6, 18))), min_size=1, max_size=5)


@pytest.mark.promise(17)
@given(peers)
def test_compact_lists_hold_endpoints_in_network_order(some: list[tuple[bytes, bytes, bytes]]) -> None:
    listed = records(*some)
    decoded = encoded(answer_with(listed, listed))
    assert decoded[b"peers"] == b"".join(endpoint4 for _, endpoint4, _ in some)
    assert decoded[b"peers6"] == b"".join(endpoint6 for _, _, endpoint6 in some)


@pytest.mark.promise(17)
@given(peers)
def test_dictionaries_say_the_same(some: list[tuple[bytes, bytes, bytes]]) -> None:
    decoded = encoded(answer_with(records(*some), None), compact=False)
    for peer, (peer_id, endpoint4, _) in zip(decoded[b"peers"], some, strict=True):
        ip = ".".join(map(str, endpoint4[:4])).encode()
        assert peer == {b"peer id": peer_id, b"ip": ip, b"port": int.from_bytes(endpoint4[4:], "big")}


@pytest.mark.promise(17)
@given(peers)
def test_dictionaries_name_no_peer_id_unless_asked_to(some: list[tuple[bytes, bytes, bytes]]) -> None:
    decoded = encoded(answer_with(records(*some), records(*some)), compact=False, with_peer_ids=False)
    assert len(decoded[b"peers"]) == 2 * len(some)
    assert {frozenset(peer) for peer in decoded[b"peers"]} == {frozenset({b"ip", b"port"})}


@pytest.mark.promise(13)
def test_a_failure_says_when_to_come_back() -> None:
    assert decode(encode_failure(b"No", 1800, 900)) == {
        b"failure reason": b"No", b"interval": 1800, b"min interval": 900,
    }  # fmt: skip


@pytest.mark.promise(30)
@given(st.dictionaries(st.binary(min_size=20, max_size=20).map(InfoHash), st.tuples(counts, st.integers(0, 2**40))))
def test_a_scrape_decodes_to_what_went_in(files: dict[InfoHash, tuple[Counts, int]]) -> None:
    """Partial seeds are incomplete, yet no downloaders (BEP 21, 48)."""
    decoded = decode(encode_scrape(ScrapeAnswer(files, 900)))
    assert decoded[b"flags"] == {b"min_request_interval": 900}
    assert decoded[b"files"] == {
        info_hash: {
            b"complete": count.seeders,
            b"downloaded": snatches,
            b"downloaders": count.leechers,
            b"incomplete": count.leechers + count.partial_seeds,
        }
        for info_hash, (count, snatches) in files.items()
    }
