"""Every Redis key of etracker. No other code may define one.

A swarm's keys share the hash tag ``{xx}``, the first byte of its infohash in hex, so that a Redis
Cluster keeps them on one node while the 256 tags are spread over all nodes. ``<ih>`` is the infohash as
20 raw bytes, ``<id>`` the first 8 bytes of the key hash, also raw.

==================== ======= ======== =================== =================== ===================================
key                  type    TTL      written by          read by             what it holds
==================== ======= ======== =================== =================== ===================================
``{xx}m<ih>``        hash    none     announce            announce, scoring   counts (``n``), snatches (``d``), slots
                                      (``d``: scoring     worker, admin API   of each member (``<id>``)
                                      worker; removed by
                                      the admin API)
``{xx}s<ih>``        string  none     announce            announce, scoring   packed records of seeders and
                                                          worker, admin API   partial seeds
``{xx}l<ih>``        string  none     announce            announce, scoring   packed records of leechers
                                                          worker, admin API
``{xx}f<ih>``        zset    24 h     announce            announce            ``<id>`` of a key whose last peer left
                                                                              or expired -> when, and its age
``{xx}a<ih>``        hash    none     announce            announce            ports and slots of the peers at each
                                                                              address
``{xx}due``          zset    none     announce            announce, scoring   infohash -> when to sweep it next;
                                                          worker              contains every swarm
``{xx}changed``      zset    none     announce; trimmed   scoring worker      infohash -> when its counts changed
                                      by scoring worker
``{xx}synced``       string  none     scoring worker      scoring worker      Unix seconds of the tag's last counts
                                                                              sync; gone when Redis lost its data
``{xx}totals``       hash    none     announce            admin API, scoring  seeders (``s``), leechers (``l``) and
                                                          worker              swarms (``w``) of this tag
``twice``            hash    none     scoring worker      scoring worker,     peers in both swarms of a hybrid: sums
                                                          admin API           (``s``, ``l``), and infohash ->
                                                                              seeders, leechers
``facts:{n}``        stream  none     announce; trimmed   scoring worker      packed facts (``f``), shard n of 16
                                      by scoring worker
``sweeper``          string  1 s      announce            announce            which replica sweeps now
``newhash:<prefix>`` string  1 h      announce            announce            new hashes of a prefix this hour
                                                                              (allowlist disabled)
``{taken}r<hour>``   zset    1-2 h    scoring worker      scoring worker,     name of a prefix -> torrents it took, and
                                                          admin API           as a fraction when in the hour it did last
``{taken}l<hour>``   hash    1-2 h    scoring worker      admin API           name of a prefix -> lists it took
``{taken}t<hour>``   string  1-2 h    scoring worker      scoring worker      a HyperLogLog of the torrents that the
                                                                              prefix whose name ends the key took
``handed:{<id>}``    hash     24 h     announce            announce, admin API suspects that a key's clients got in
                                                                              their lists -> endpoints and when;
                                                                              what they were told of them, and
                                                                              of their own anomaly (``n``)
``keysat:{<name>}``  zset    24 h     announce            announce, admin API ``<id>`` of up to 4 keys that used a
                                                                              suspect's address -> when; named by a
                                                                              keyed hash
``limit:*``          any     1 h      admin API           admin API           rate limits of key generation, of wrong
                                                                              keys and of downloads
``limit:at_once:*``  zset    5 min    admin API           admin API           downloads in progress of a key or an
                                                                              address -> when they count as ended
==================== ======= ======== =================== =================== ===================================

Fields of hashes and of stream entries are in double backquotes after what they hold. Each is a constant below, and
so is each number of seconds that a script needs. A Lua script gets its keys in ``KEYS`` and touches no other key. It
refers to a constant as ``redis_keys.NAME`` (:mod:`~etracker_shared.plumbing.redis_scripts`).

The sweeper deletes an empty swarm's keys. Of these only ``{xx}f<ih>`` has a TTL, because every announce would have
to renew the others'. So code that writes the snatches of a swarm that may not exist must also add the infohash to
``{xx}due`` (``ZADD NX``): the sweeper visits only swarms in this schedule. ``docs/data.md`` has the layout of the
values.
"""

TAGS = tuple(b"{%02x}" % tag for tag in range(256))
SWEEPER_LOCK = b"sweeper"
TWICE = b"twice"
LIMIT_PREFIX = "limit:"

DOWNLOADS_PREFIX = LIMIT_PREFIX + "at_once:"

COUNTS_FIELD = b"n"
SNATCHES_FIELD = b"d"
SEEDERS_FIELD = b"s"
LEECHERS_FIELD = b"l"
SWARMS_FIELD = b"w"
ENTRY_FIELD = b"f"
TOLD_FIELD = b"n"

FIRST_SEEN_SECONDS = 86_400
PREFIX_NAME_BYTES = 7
"""The size of the keyed hash that names an address prefix; a page's cursor has room for a number of 63 bits."""


def tag(info_hash: bytes) -> bytes:
    """Return the hash tag of a swarm's keys, for example ``b"{a7}"``."""
    return TAGS[info_hash[0]]


def members(info_hash: bytes) -> bytes:
    """Return the key of the hash of counts and member slots."""
    return TAGS[info_hash[0]] + b"m" + info_hash


def seeders(info_hash: bytes) -> bytes:
    """Return the key of the packed table of seeders and partial seeds."""
    return TAGS[info_hash[0]] + b"s" + info_hash


def leechers(info_hash: bytes) -> bytes:
    """Return the key of the packed table of leechers."""
    return TAGS[info_hash[0]] + b"l" + info_hash


def first_seen(info_hash: bytes) -> bytes:
    """Return the key of the zset that remembers the ages of departed announce keys in the swarm."""
    return TAGS[info_hash[0]] + b"f" + info_hash


def addresses(info_hash: bytes) -> bytes:
    """Return the key of the hash that maps addresses to the peers there."""
    return TAGS[info_hash[0]] + b"a" + info_hash


def due(info_hash: bytes) -> bytes:
    """Return the key of the sweeper's schedule for this swarm's tag."""
    return TAGS[info_hash[0]] + b"due"


def changed(info_hash: bytes) -> bytes:
    """Return the key of the zset of swarms with this swarm's tag whose counts have changed."""
    return TAGS[info_hash[0]] + b"changed"


def totals(info_hash: bytes) -> bytes:
    """Return the key of the totals of this swarm's tag."""
    return TAGS[info_hash[0]] + b"totals"


ALL_DUE = tuple(tag + b"due" for tag in TAGS)
ALL_CHANGED = tuple(tag + b"changed" for tag in TAGS)
ALL_SYNCED = tuple(tag + b"synced" for tag in TAGS)
ALL_TOTALS = tuple(tag + b"totals" for tag in TAGS)


def facts(shard: int) -> bytes:
    """Return the key of one shard of the fact stream."""
    return b"facts:{%d}" % shard


def new_hashes(prefix: bytes) -> bytes:
    """Return the key that counts the new infohashes from an address prefix in this hour."""
    return b"newhash:" + prefix.hex().encode()


def prefixes_ranked(hour: int) -> bytes:
    """Return the key of the zset that ranks prefixes by the torrents they took in an hour (Unix seconds / 3600)."""
    return b"{taken}r%d" % hour


def lists_taken(hour: int) -> bytes:
    """Return the key of the hash that counts the lists that prefixes took in an hour."""
    return b"{taken}l%d" % hour


def torrents_taken(hour: int, name: bytes) -> bytes:
    """Return the key of the HyperLogLog of the torrents that a prefix took in an hour."""
    return b"{taken}t%d" % hour + name


def handed(identity: bytes) -> bytes:
    """Return the key of the hash of suspects handed to the clients of a key or to a guest (8 bytes of the key hash)."""
    return b"handed:{" + identity + b"}"


def keys_at(name: bytes) -> bytes:
    """Return the key of the zset of keys at a suspect's address; see :mod:`~etracker_shared.agreements.block_lists`."""
    return b"keysat:{" + name + b"}"


def takings_expire_at(hour: int) -> int:
    """Return when the counts of an hour expire (Unix seconds): once it is no longer the newest full hour."""
    return 3600 * (hour + 2)
