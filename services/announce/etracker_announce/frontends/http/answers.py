"""Write answers in bencode. Keys are sorted, numbers are integers. Source: BEP 3, 7, 21, 23, 24, 48.

The dictionaries are small and their keys fixed, so they are written directly: a general encoder would sort the keys
again for every announce.
"""

from ipaddress import ip_address

from etracker_announce.domain.answers import AnnounceAnswer, Peers, ScrapeAnswer
from etracker_announce.domain.candidates import FAMILY4, FAMILY6, Family
from etracker_announce.domain.swarm import Counts, PeerFlag, Records
from etracker_announce.frontends.http.failures import one_line

_GUEST = int(PeerFlag.GUEST)
_ANNOUNCE = (
    b"d8:completei%de10:downloadedi%de11:external ip%d:%b10:incompletei%de8:intervali%de12:min intervali%de%b%be"
)


def encode_announce(
    answer: AnnounceAnswer, external_ip: bytes, *, compact: bool, with_peer_ids: bool, warning: bytes = b""
) -> bytes:
    """Encode the answer to an announce. ``external_ip``: the asker's own address, 4 or 16 bytes (BEP 24).

    ``warning``: the text of the answer's message, empty without one.
    """
    if answer.notice and not warning:
        warning = one_line(answer.notice)
    counts, peers = answer.counts, answer.peers
    return _ANNOUNCE % (
        counts.seeders,
        answer.snatches,
        len(external_ip),
        external_ip,
        counts.leechers + counts.partial_seeds,
        answer.interval_seconds,
        answer.min_interval_seconds,
        _compact_peers(peers) if compact else _listed_peers(peers, with_peer_ids=with_peer_ids),
        b"15:warning message" + _string(warning) if warning else b"",
    )


def encode_scrape(answer: ScrapeAnswer) -> bytes:
    """Encode the answer to a scrape."""
    torrents = answer.torrents
    entries = b"".join(b"20:%b%b" % (info_hash, _file(*torrents[info_hash])) for info_hash in sorted(torrents))
    return b"d5:filesd%be5:flagsd20:min_request_intervali%deee" % (entries, answer.min_interval_seconds)


def encode_failure(
    text: bytes, interval_seconds: int, min_interval_seconds: int, retry_minutes: int | None = None
) -> bytes:
    """Encode a failure, with an interval: libtorrent and rtorrent obey it in failures too. Source: BEP 31."""
    return b"d14:failure reason%b8:intervali%de12:min intervali%de%be" % (
        _string(text),
        interval_seconds,
        min_interval_seconds,
        b"" if retry_minutes is None else b"8:retry ini%de" % retry_minutes,
    )


def _compact_peers(peers: Peers) -> bytes:
    """Encode ``peers`` (6 bytes per peer, BEP 23) and, if there is an IPv6 list, ``peers6`` (18 per peer, BEP 7)."""
    over4 = b"5:peers" + _string(peers.over4["endpoint4"].tobytes())
    if peers.over6 is None:
        return over4
    return over4 + b"6:peers6" + _string(peers.over6["endpoint6"].tobytes())


def _listed_peers(peers: Peers, *, with_peer_ids: bool) -> bytes:
    """Encode ``peers`` as a list of dictionaries, which holds both families (BEP 3 and 7)."""
    entries = _dictionaries(peers.over4, FAMILY4, with_peer_ids=with_peer_ids)
    if peers.over6 is not None:
        entries += _dictionaries(peers.over6, FAMILY6, with_peer_ids=with_peer_ids)
    return b"5:peersl%be" % entries


def _dictionaries(records: Records, family: Family, *, with_peer_ids: bool) -> bytes:
    entries = []
    for record in records:
        endpoint = record[family.endpoint].tobytes()
        address = str(ip_address(endpoint[:-2])).encode()
        # Anybody who knows a guest's peer_id could announce as that guest.
        named = with_peer_ids and not record["flags"] & _GUEST
        peer_id = b"7:peer id20:" + record["peer_id"].tobytes() if named else b""
        entries.append(b"d2:ip%b%b4:porti%dee" % (_string(address), peer_id, int.from_bytes(endpoint[-2:], "big")))
    return b"".join(entries)


def _file(counts: Counts, snatches: int) -> bytes:
    return b"d8:completei%de10:downloadedi%de11:downloadersi%de10:incompletei%dee" % (
        counts.seeders,
        snatches,
        counts.leechers,
        counts.leechers + counts.partial_seeds,
    )


def _string(value: bytes) -> bytes:
    return b"%d:%b" % (len(value), value)
