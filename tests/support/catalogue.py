"""A catalogue of many torrents, as of a large tracker: skewed frequencies of words, skewed swarm sizes, most idle.

Of ten names seven are in Latin script, half of those as releases are named; two are in Chinese or Japanese, one in
Russian.
"""

import asyncpg

WORDS = tuple(
    "linux debian ubuntu fedora server desktop amd64 arm64 live netinst symphony concerto sonata lecture history "  # noqa: SIM905
    "physics geology atlas dataset corpus survey archive volume season chapter concert recording remaster field notes "
    "garden a of the it up x 1080p x264".split()
)
CYRILLIC = "Ночной дозор Брат война и мир в на Россия ёлка привет история концерт осень".split()  # noqa: SIM905
UNSPACED = (
    "东京 物语 电影 合集 动作 喜剧 北京 大学 讲座 历史 音乐 会 全集 版 第 季 の 物語 ガンダム ナルト "  # noqa: SIM905
    "鬼滅 刃 進撃 巨人 完全 版 一 二 三 上 下 新 日本 中国 世界 大戦 探偵 学園 アニメ ドラマ 音楽 祭".split()
)
RARE_EVERY = 5000
"""One torrent in so many has the word ``rare`` in its name."""

_FILL = """
INSERT INTO infohashes (info_hash, name, length, created_time, downloaded, seeders, leechers, last_seen, counted_time)
SELECT substring(sha256(n::text::bytea) FROM 1 FOR 20),
    CASE WHEN n % 10 < 7 THEN
        concat_ws(CASE WHEN n % 2 = 0 THEN '.' ELSE ' ' END, initcap(words[1 + floor(power(random(), 3) * $2)::int]),
            words[1 + floor(power(random(), 2) * $2)::int], words[1 + floor(random() * $2)::int], 1970 + n % 57,
            CASE WHEN n % $4 = 0 THEN 'rare' END, CASE WHEN n > $1 * 0.95 THEN 'bygone' END,
            substring(md5(n::text) FROM 1 FOR 6))
    WHEN n % 10 = 7 THEN
        concat_ws(' ', cyrillic[1 + floor(random() * cardinality(cyrillic))::int],
            cyrillic[1 + floor(random() * cardinality(cyrillic))::int],
            cyrillic[1 + floor(random() * cardinality(cyrillic))::int], 1970 + n % 57)
    ELSE
        concat_ws('', unspaced[1 + floor(random() * cardinality(unspaced))::int],
            unspaced[1 + floor(power(random(), 2) * cardinality(unspaced))::int],
            unspaced[1 + floor(random() * cardinality(unspaced))::int], '第' || n % 400 || '話')
    END,
    CASE WHEN n % 10 > 0 THEN (power(random(), 4) * 1e11)::bigint END,
    now() - n * interval '37 seconds',
    floor(power(random(), 6) * 10000)::bigint,
    CASE WHEN n % 10 < 2 THEN floor(power(random(), 5) * 500)::int ELSE 0 END,
    CASE WHEN n % 10 < 3 THEN floor(power(random(), 7) * 200)::int ELSE 0 END,
    now(), now()
FROM generate_series(1, $1::int) n,
    (SELECT $3::text[] AS words, $5::text[] AS cyrillic, $6::text[] AS unspaced) vocabulary
"""


async def fill_catalogue(connection: asyncpg.Connection, torrents: int) -> None:
    """Insert torrents, build the index of names as the migration does, and tell the planner about them."""
    index = await connection.fetchval("SELECT pg_get_indexdef('ix_torrent_names_pieces'::regclass)")
    await connection.execute("DROP INDEX ix_torrent_names_pieces")
    await connection.execute(_FILL, torrents, len(WORDS), WORDS, RARE_EVERY, CYRILLIC, UNSPACED, timeout=1800)
    await connection.execute(index, timeout=1800)
    await connection.execute("VACUUM ANALYZE infohashes, torrent_names", timeout=600)
