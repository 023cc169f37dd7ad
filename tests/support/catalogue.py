"""A catalogue of many torrents, as a large tracker's might be: skewed words, skewed swarms, most of them idle."""

import asyncpg

WORDS = tuple(
    "linux debian ubuntu fedora server desktop amd64 arm64 live netinst symphony concerto sonata lecture history "  # noqa: SIM905
    "physics geology atlas dataset corpus survey archive volume season chapter concert recording remaster field notes "
    "garden".split()
)
RARE_EVERY = 5000
"""One torrent in so many has the word ``rare`` in its name."""

_FILL = """
INSERT INTO infohashes (info_hash, name, length, created_time, downloaded, seeders, leechers, last_seen, counted_time)
SELECT substring(sha256(n::text::bytea) FROM 1 FOR 20),
    concat_ws(' ', initcap(words[1 + floor(power(random(), 3) * $2)::int]),
        words[1 + floor(power(random(), 2) * $2)::int], words[1 + floor(random() * $2)::int], 1970 + n % 57,
        CASE WHEN n % $4 = 0 THEN 'rare' END,
        substring(md5(n::text) FROM 1 FOR 6)),
    CASE WHEN n % 10 > 0 THEN (power(random(), 4) * 1e11)::bigint END,
    now() - n * interval '37 seconds',
    floor(power(random(), 6) * 10000)::bigint,
    CASE WHEN n % 10 < 2 THEN floor(power(random(), 5) * 500)::int ELSE 0 END,
    CASE WHEN n % 10 < 3 THEN floor(power(random(), 7) * 200)::int ELSE 0 END,
    now(), now()
FROM generate_series(1, $1::int) n, (SELECT $3::text[] AS words) vocabulary
"""


async def fill_catalogue(connection: asyncpg.Connection, torrents: int) -> None:
    """Insert torrents, and tell the planner about them."""
    await connection.execute(_FILL, torrents, len(WORDS), WORDS, RARE_EVERY, timeout=600)
    await connection.execute("VACUUM ANALYZE infohashes", timeout=600)
