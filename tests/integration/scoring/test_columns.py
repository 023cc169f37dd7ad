"""Rows that become values by position: their columns are named as the fields they become, in the same order."""

import asyncpg
import pytest

from etracker_scoring.api.account_query import accounts_query
from etracker_scoring.api.holders import PARTICIPATIONS
from etracker_scoring.api.reports import Participation
from etracker_scoring.scores.formula import KeyHistory, TorrentHistory
from etracker_scoring.scores.list_policies import History
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_scoring.stored.keys import FIND_NEIGHBOURS, KEY_WIDTH
from etracker_scoring.worker import known
from etracker_scoring.worker.readers.scores import statements
from etracker_scoring.worker.readers.sessions import INSERT_SESSIONS, UPDATE_SESSIONS
from etracker_scoring.worker.readers.torrents import ADD_TO_TORRENTS
from etracker_scoring.worker.records import Membership, Session, Torrent
from etracker_shared.agreements.policies import PolicyName

RENAMED = {"snatched_ms": "snatched_time", "first_seen_ms": "first_seen", "last_seen_ms": "last_seen"}
KEY = (
    "id",
    "key_hash",
    *KeyHistory._fields,
    *HeldTier._fields,
    *(field for field in Origin._fields if field != "highest"),
    "undelivered_since",
    "frozen",
    "confirmed",
)
MEMBER = ("key_id", "info_hash_id")
SESSION = (*MEMBER, "peer_id", *(RENAMED.get(field, field) for field in Session._fields))


async def columns_of(database: asyncpg.Connection, statement: str) -> tuple[str, ...]:
    prepared = await database.prepare(statement)
    return tuple(column.name for column in prepared.get_attributes())


@pytest.mark.parametrize(
    ("statement", "fields"),
    [
        (known.FIND_KEYS, KEY),
        (FIND_NEIGHBOURS, (*KEY, "prefix", "last_seen")),
        (known.FIND_TORRENTS, ("info_hash", *Torrent._fields)),
        (known.LOAD_SESSIONS, SESSION),
        (known.LOAD_GUESTS_SESSIONS, SESSION),
        (
            known.LOAD_MEMBERSHIPS,
            (
                *MEMBER,
                *(RENAMED.get(field, field) for field in Membership._fields),
                *TorrentHistory._fields,
                "credited_by",
            ),
        ),
    ],
)
async def test_what_the_worker_loads_has_the_fields_it_becomes(
    database: asyncpg.Connection, statement: str, fields: tuple[str, ...]
) -> None:
    assert await columns_of(database, statement) == fields


@pytest.mark.parametrize("policy", PolicyName)
async def test_what_the_api_looks_up_has_the_fields_it_becomes(
    database: asyncpg.Connection, policy: PolicyName
) -> None:
    columns = await columns_of(database, accounts_query(policy, 1800))
    assert columns == (*KEY, "notice", *History._fields)
    assert len(KEY) == KEY_WIDTH


async def test_what_a_holder_sees_has_the_fields_it_becomes(database: asyncpg.Connection) -> None:
    assert await columns_of(database, PARTICIPATIONS) == Participation._fields


def names_of(statement: str) -> list[str]:
    """Return the names that a statement gives to the columns of its arrays."""
    listed = statement[statement.rindex("(", 0, statement.rindex(")") + 1) :]
    return [name.strip(" ()\n") for name in listed[: listed.index(")")].split(",")]


def test_what_the_worker_writes_takes_the_fields_in_their_order() -> None:
    base = [{"left": "amount_left"}.get(field, field) for field in Session._fields[3:]]
    assert names_of(INSERT_SESSIONS) == ["key_id", "info_hash_id", "peer_id", "began", "ended", *base]
    assert names_of(UPDATE_SESSIONS.partition("WHERE")[0]) == ["id", "last_seen", *base]
    added = ["id", "snatches", "uploaded_bytes", "downloaded_bytes", "seeding_seconds", "last_seen", "demand"]
    assert names_of(ADD_TO_TORRENTS.partition("WHERE")[0]) == added
    sums = ["snatches", "uploaded", "downloaded", "seeding_seconds", "last_seen"]
    scored = ["new_seeded_until", "new_time", *KeyHistory._fields[1:7], "new_tier", "new_falling_since", "new_score"]
    assert names_of(statements.ADD_TO_KEYS.partition("WHERE")[0]) == ["id", *sums, *scored]
