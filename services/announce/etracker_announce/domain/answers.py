"""Bencode what a BitTorrent client is told. Keys are written in sorted order, numbers as integers.

Bytes are put together directly: the dictionaries are small and their keys fixed, and a general encoder
would sort them anew for every announce. Source: BEP 3, 7, 21, 23, 24, 48.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple

from etracker_announce.domain.candidates import FAMILY4, FAMILY6, Family
from etracker_announce.domain.swarm import Counts, Records
from etracker_shared.identity import InfoHash


class PeerList(NamedTuple):
    """Peers to hand out: those with an IPv4 endpoint, those with an IPv6 endpoint (None: not asked over IPv6)."""

    peers4: Records
    peers6: Records | None


_ANNOUNCE = (
    b"d8:completei%de10:downloadedi%de11:external ip%d:%b10:incompletei%de8:intervali%de12:min intervali%de%b%be"
)


def encode_announce(
    *,
    counts: Counts,
    snatches: int,
    external_ip: bytes,
    interval_seconds: int,
    min_interval_seconds: int,
    peers: bytes,
    warning: bytes = b"",
) -> bytes:
    """Encode the answer to an announce; ``peers`` as one of the two encoders of lists made it."""
    return _ANNOUNCE % (
        counts.seeders,
        snatches,
        len(external_ip),
        external_ip,
        counts.leechers + counts.partial_seeds,
        interval_seconds,
        min_interval_seconds,
        peers,
        b"15:warning message" + _string(warning) if warning else b"",
    )


def compact_peers(chosen: PeerList) -> bytes:
    """Encode ``peers`` (6 bytes a peer, BEP 23) and, if asked over IPv6, ``peers6`` (18 bytes a peer, BEP 7)."""
    peers = b"5:peers" + _string(chosen.peers4["endpoint4"].tobytes())
    if chosen.peers6 is None:
        return peers
    return peers + b"6:peers6" + _string(chosen.peers6["endpoint6"].tobytes())


def listed_peers(chosen: PeerList, *, with_peer_ids: bool) -> bytes:
    """Encode ``peers`` as a list of dictionaries; it holds the peers of both families (BEP 3 and 7)."""
    peers = _dictionaries(chosen.peers4, FAMILY4, with_peer_ids=with_peer_ids)
    if chosen.peers6 is not None:
        peers += _dictionaries(chosen.peers6, FAMILY6, with_peer_ids=with_peer_ids)
    return b"5:peersl%be" % peers


def encode_scrape(files: Mapping[InfoHash, tuple[Counts, int]], min_interval_seconds: int) -> bytes:
    """Encode the answer to a scrape; ``files``: counts and snatches of each torrent."""
    entries = b"".join(b"20:%b%b" % (info_hash, _file(*files[info_hash])) for info_hash in sorted(files))
    return b"d5:filesd%be5:flagsd20:min_request_intervali%deee" % (entries, min_interval_seconds)


def encode_failure(text: bytes, interval_seconds: int, min_interval_seconds: int) -> bytes:
    """Encode a failure, which tells when to come back: libtorrent and rtorrent obey the interval in it."""
    return b"d14:failure reason%b8:intervali%de12:min intervali%dee" % (
        _string(text),
        interval_seconds,
        min_interval_seconds,
    )


def _file(counts: Counts, snatches: int) -> bytes:
    return b"d8:completei%de10:downloadedi%de11:downloadersi%de10:incompletei%dee" % (
        counts.seeders,
        snatches,
        counts.leechers,
        counts.leechers + counts.partial_seeds,
    )


def _dictionaries(records: Records, family: Family, *, with_peer_ids: bool) -> bytes:
    entries = []
    for record in records:
        endpoint = record[family.endpoint].tobytes()
        address = str(ip_address(endpoint[:-2])).encode()
        peer_id = b"7:peer id20:" + record["peer_id"].tobytes() if with_peer_ids else b""
        entries.append(b"d2:ip%b%b4:porti%dee" % (_string(address), peer_id, int.from_bytes(endpoint[-2:], "big")))
    return b"".join(entries)


def _string(value: bytes) -> bytes:
    return b"%d:%b" % (len(value), value)
