"""Searching names: what people type finds what they mean, however uploaders spelled it.

Each table is one kind of difference between a search and a name. Its lines stand for scripts, normal forms and ways to
separate words; the names of all lines are there together.
"""

import asyncio
import unicodedata
from collections.abc import Sequence
from typing import Literal

import asyncpg
from alembic import command
from httpx import AsyncClient

from etracker_migrations.upgrade import alembic_config
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.torrent_lists import PATH, add, names

OTHERS = ("Cupboard upon a cup", "Itinerary of Italian items", "無関係な名前", "Nothing in particular")


async def add_all(database: asyncpg.Connection, named: Sequence[str]) -> None:
    for number, name in enumerate(named):
        await add(database, number, name)


SHORT = [
    ("up", "Up (2009)"),
    ("it 2017", "It.2017.1080p"),
    ("X", "Films/X [2022]"),
    ("k on", "K-On!"),
    ("на", "Война на Западе"),
    ("я", "Это я, Эдичка"),
]


async def test_words_of_one_and_two_letters_are_found_as_words(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    await add_all(database, [*(name for _, name in SHORT), *OTHERS])
    for query, name in SHORT:
        assert await names(client, q=query) == [name], query


async def test_a_short_word_that_no_name_has_finds_words_that_begin_with_it(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    for number, name in enumerate(["Some.Ubuntu.iso", "Übung", "A tuba"]):
        await add(database, number, name)
    assert await names(client, q="ub", sort="name") == ["Some.Ubuntu.iso", "Übung"]
    assert await names(client, q="t", sort="name") == ["A tuba"]


UNSPACED = [
    ("鬼滅", "[G] 鬼滅の刃"),
    ("刃", "[G] 鬼滅の刃"),
    ("滅の刃", "[G] 鬼滅の刃"),
    ("电影", "动作电影合集2023"),
    ("合集 2023", "动作电影合集2023"),
    ("ガンダム", "機動戦士ｶﾞﾝﾀﾞﾑ"),
    ("봄", "서울의 봄"),
    ("울의", "서울의 봄"),
    ("ภาษา", "ในภาษาไทย"),
    ("𠮷野", "牛丼𠮷野家"),
]


async def test_a_part_of_text_without_spaces_is_found_anywhere(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    await add_all(database, [*{name for _, name in UNSPACED}, *OTHERS])
    for query, name in UNSPACED:
        assert await names(client, q=query) == [name], query
        assert await names(client, q=unicodedata.normalize("NFD", query)) == [name], query


async def test_letters_of_such_a_text_have_to_stand_together(client: AsyncClient, database: asyncpg.Connection) -> None:
    await add(database, 1, "東の京")
    await add(database, 2, "京東")
    await add(database, 3, "東 京")
    assert await names(client, q="東京") == []
    assert len(await names(client, q="東 京")) == 3


SPELLED = [
    ("el nino", "El Niño"),
    ("CAFÉ", "café"),
    ("ПРИВЕТ елка", "Привет, Ёлка"),
    ("οδυσσεας", "ΟΔΥΣΣΈΑΣ"),
    ("strasse", "STRAẞE"),
    ("lodz bjork", "Łódź — Bjørk"),
    ("file 42", "ﬁle ４２"),
    ("istanbul", "İSTANBUL"),
    ("nguyen", "Nguyễn"),
]
FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")


async def test_case_accents_and_normal_forms_make_no_difference(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    await add_all(database, [unicodedata.normalize(form, name) for _, name in SPELLED for form in FORMS] + [*OTHERS])
    for query, name in SPELLED:
        for asked in (query, *(unicodedata.normalize(form, name) for form in FORMS)):
            assert len(await names(client, q=asked)) == len(FORMS), asked


SEPARATED = [
    ("the third man", "The.Third.Man.1949.1080p-GRP"),
    ("The.Third.Man.1949.1080p-GRP", "The Third Man (1949) [1080p] GRP"),
    ("the_third_man", "The-Third–Man"),
    ("spider man: no way", "Spider-Man.No.Way.Home"),
    ("don't look up", "Dont.Look.Up.2021"),
    ("dont look", "Don’t Look Up"),
    ("L'Auberge espagnole", "L.Auberge.Espagnole"),
    ("進撃・巨人", "【進撃】巨人"),
    ("100%", "100 Percent"),
]


async def test_what_separates_words_makes_no_difference(client: AsyncClient, database: asyncpg.Connection) -> None:
    for query, name in SEPARATED:
        await database.execute("TRUNCATE infohashes CASCADE")
        await add_all(database, [name, *OTHERS])
        assert await names(client, q=query) == [name], query


async def test_a_search_for_signs_only_finds_names_that_start_with_them(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    signs = ["%", "_", "\\", "÷", "..."]
    await add_all(database, [*(f"{sign} of it" for sign in signs), *OTHERS])
    for sign in signs:
        assert await names(client, q=sign) == [f"{sign} of it"], sign


V1 = bytes(range(20))
V2 = bytes(range(100, 132))


PASTED = [
    V1.hex(),
    V1.hex().upper(),
    "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT",
    "aaaqeayeaudaocajbifqydiob4ibceqt",
    "AAECAwQFBgcICQoLDA0ODxAREhM=",
    V2.hex(),
    V2[:20].hex(),
    f"1220{V2.hex()}",
    "MRSWMZ3INFVGW3DNNZXXA4LSON2HK5TXPB4XU634PV7H7AEBQKBQ",
    f"magnet:?xt=urn:btih:{V1.hex()}&dn=Something+else&tr=" + "http%3A%2F%2Ftracker.example%2Fannounce&tr=" * 40,
    "magnet:?xt=urn:btih:AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT",
    f"MAGNET:?XT=URN:BTIH:{V1.hex().upper()}",
    f"magnet:?dn=x&xt=urn:btmh:1220{V2.hex()}",
    f"magnet:?xt=urn:btih:{'f' * 40}&xt=urn:btmh:1220{V2.hex()}",
    f"magnet%3A%3Fxt%3Durn%3Abtih%3A{V1.hex()}",
    f"  urn:btih:{V1.hex()}\n",
]


async def test_a_pasted_infohash_or_magnet_link_finds_its_torrent(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    add_hybrid = "INSERT INTO infohashes (id, info_hash, name, same_as) VALUES ($1, $2, 'a hybrid', $3)"
    await database.execute(add_hybrid, 1001, V1, None)
    await database.execute(add_hybrid, 1002, V2[:20], 1001)
    await add_all(database, ["Something else"])
    for query in PASTED:
        assert await names(client, q=query) == ["a hybrid"], query


REFUSED = [
    ("magnet:?dn=a+name", "no infohash"),
    (f"magnet:?xt=urn:btih:{'a' * 39}", "no infohash"),
    ("long " * 50, "longer"),
    (" ".join(f"{number:03}" for number in range(40)), "words"),
    ("nul\0", "characters"),
]


async def test_a_search_that_can_t_be_answered_is_refused_with_a_sentence(client: AsyncClient) -> None:
    for query, said in REFUSED:
        response = await client.get(PATH, params={"q": query})
        assert response.status_code == 400, query
        assert said in response.json()["detail"]


async def test_names_changed_by_hand_are_found_at_once(client: AsyncClient, database: asyncpg.Connection) -> None:
    await database.execute(
        "INSERT INTO infohashes (id, info_hash, name) VALUES (1, $1, 'First name'), (2, $2, 'Another')", V1, V2[:20]
    )
    assert await names(client, q="first") == ["First name"]
    await database.execute("UPDATE infohashes SET name = 'Second.name', seeders = 1 WHERE id = 1")
    assert await names(client, q="first") == []
    assert await names(client, q="second name") == ["Second.name"]
    await database.execute("DELETE FROM infohashes WHERE id = 1")
    assert await database.fetchval("SELECT array_agg(info_hash_id) FROM torrent_names") == [2]


async def test_names_from_before_the_upgrade_are_found(
    postgres_settings: PostgresSettings, database: asyncpg.Connection, client: AsyncClient
) -> None:
    configuration = alembic_config(postgres_settings.sqlalchemy_url())
    await asyncio.to_thread(command.downgrade, configuration, "0009")
    await add(database, 1, "Été.à.東京")
    await asyncio.to_thread(command.upgrade, configuration, "head")
    assert await names(client, q="ete 東京") == ["Été.à.東京"]


async def test_somebody_who_may_write_to_infohashes_only_may_add_and_rename(database: asyncpg.Connection) -> None:
    await database.execute("CREATE ROLE namer")
    try:
        await database.execute("GRANT INSERT, SELECT, UPDATE ON infohashes TO namer; SET ROLE namer")
        await add(database, 1, "First")
        await database.execute("UPDATE infohashes SET name = 'Second'")
        await database.execute("RESET ROLE")
        assert await database.fetchval("SELECT words FROM torrent_names") == "  second  "
    finally:
        await database.execute("RESET ROLE; DROP OWNED BY namer; DROP ROLE namer")
