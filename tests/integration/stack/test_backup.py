"""A backup holds the tracker's data, a restore brings it back, and no backup holds an announce key."""

import hashlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

import httpx
import pytest
from alembic import command
from fastbencode import bencode

from etracker_migrations.upgrade import alembic_config, upgrade
from etracker_shared.language.identity import hash_announce_key
from tests.support.processes import wait_until
from tests.support.stack import StackRun
from tests.support.torrent_files import torrent, v1_info

DUMP = ("pg_dump", "--format=custom")


def _run(stack: StackRun, *arguments: str, given: bytes = b"") -> bytes:
    return _python(stack, "etracker_stack.postgres_tools", *arguments, given=given)


def _restore(stack: StackRun, backup: bytes) -> None:
    _python(stack, "etracker_stack.restore", given=backup)


def _python(stack: StackRun, module: str, *arguments: str, given: bytes) -> bytes:
    variables = {**os.environ, "ETRACKER_DATA_DIR": str(stack.data)}
    program = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(program, env=variables, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def _psql(stack: StackRun, statement: str) -> str:
    return _run(stack, "psql", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", given=statement.encode()).decode().strip()


def test_a_restore_brings_back_what_was_deleted_after_the_backup(stack: StackRun) -> None:
    _run(stack, "psql", "-c", "INSERT INTO infohashes (info_hash, name) VALUES (repeat('x', 20)::bytea, 'saved')")
    backup = _run(stack, *DUMP)
    _run(stack, "psql", "-c", "DELETE FROM infohashes")
    _restore(stack, backup)
    assert _run(stack, "psql", "-A", "-t", "-c", "SELECT name FROM infohashes") == b"saved\n"


def test_a_backup_of_an_earlier_release_is_restored_and_its_keys_go_on_working(
    stack: StackRun, site: httpx.Client
) -> None:
    key, newer = secrets.token_hex(15), secrets.token_hex(15)
    _restore(stack, _backup_of_an_earlier_release(stack, key))
    upgrade(stack.postgres_settings())
    assert _psql(stack, "SELECT announce_key FROM peers") == key
    _use(stack, site, key)
    backup = _run(stack, *DUMP)
    _psql(stack, f"DELETE FROM peers; INSERT INTO peers (announce_key) VALUES ('{newer}')")
    _restore(stack, backup)
    found = {name: site.post("/api/v1/keys/lookup", json={"announce_key": name}).status_code for name in (key, newer)}
    assert found == {key: 200, newer: 404}


def _backup_of_an_earlier_release(stack: StackRun, key: str) -> bytes:
    """Return a backup that lacks tables of the newest release, made next to the tracker's own database."""
    database = stack.postgres_settings().model_copy(update={"pgdatabase": "earlier"})
    _psql(stack, "CREATE DATABASE earlier")
    command.upgrade(alembic_config(database.sqlalchemy_url()), "0010")
    _run(stack, "psql", "-d", "earlier", "-c", f"INSERT INTO peers (announce_key) VALUES ('{key}')")
    backup = _run(stack, *DUMP, "earlier")
    _psql(stack, "DROP DATABASE earlier")
    return backup


def test_a_damaged_backup_changes_nothing(stack: StackRun) -> None:
    _psql(stack, "INSERT INTO infohashes (info_hash, name) VALUES (repeat('y', 20)::bytea, 'kept')")
    backup = _run(stack, *DUMP)
    for damaged in (b"", backup[: len(backup) // 2], backup[:-100], b"no backup"):
        with pytest.raises(AssertionError, match="The database is as it was before"):
            _restore(stack, damaged)
    assert _psql(stack, "SELECT count(*) FROM infohashes WHERE name = 'kept'") == "1"


@pytest.fixture
def site(stack: StackRun) -> Iterator[httpx.Client]:
    headers = {"Authorization": stack.api_key}
    with httpx.Client(base_url=stack.base_url, headers=headers, trust_env=False) as client:
        yield client


def test_no_table_of_a_dump_contains_a_key_whatever_was_done_with_it(stack: StackRun, site: httpx.Client) -> None:
    working, replaced = _keys_of_every_origin(stack, site)
    for key in working:
        _use(stack, site, key)
    hashes = ", ".join(f"'\\x{hash_announce_key(key).hex()}'" for key in working)
    settled = f"SELECT count(last_seen) FROM peers WHERE key_hash IN ({hashes})"
    wait_until(lambda: _psql(stack, settled) == str(len(working)), "every key's announce is settled")
    dump = _run(stack, "pg_dump").decode()
    assert [key for key in working if hash_announce_key(key).hex() not in dump] == []
    assert [key for key in (*working, *replaced) if key in dump or key.encode().hex() in dump] == []


def _keys_of_every_origin(stack: StackRun, site: httpx.Client) -> tuple[list[str], list[str]]:
    """Return working keys, one of each origin, and the keys that were replaced on the way."""
    inserted, copied, before, after = (secrets.token_hex(15) for _ in range(4))
    _psql(stack, f"INSERT INTO peers (announce_key) VALUES ('{inserted}'), ('{before}');")
    _psql(stack, f"UPDATE peers SET announce_key = '{after}' WHERE key_hash = '\\x{hash_announce_key(before).hex()}';")
    _psql(stack, f"COPY peers (announce_key) FROM STDIN;\n{copied}\n\\.\n")
    generated = site.get("/api/generate").json()["announce_key"]
    by_holder, by_operator = (site.post("/api/v1/keys").json()["announce_key"] for _ in range(2))
    rotated_by_holder = site.post("/api/v1/key/rotate", headers={"X-Announce-Key": by_holder}).json()["announce_key"]
    row = site.post("/api/v1/keys/lookup", json={"announce_key": by_operator}).json()["id"]
    rotated_by_operator = site.post(f"/api/v1/keys/{row}/rotate").json()["announce_key"]
    working = [inserted, copied, after, generated, rotated_by_holder, rotated_by_operator]
    return working, [before, by_holder, by_operator]


def _use(stack: StackRun, site: httpx.Client, key: str) -> None:
    """Upload a torrent file with this key's announce URL, download it again, and announce it."""
    info = v1_info(name=key[:4].encode())
    file = torrent(info, announce=f"{stack.base_url}/{key}/announce".encode())
    site.post("/api/torrentfile", files={"file": ("a.torrent", file)}).raise_for_status()
    info_hash = hashlib.sha1(bencode(info), usedforsecurity=False).digest()
    query = {"announce_key": key, "info_hash": info_hash.hex()}
    assert f"/{key}/".encode() in site.get("/api/torrentfile", params=query).raise_for_status().content
    announced = f"info_hash={quote_from_bytes(info_hash)}&peer_id={'p' * 20}&port=6881&left=0&uploaded=0&downloaded=0"
    assert b"failure" not in site.get(f"/{key}/announce?{announced}").content


def test_the_tools_say_that_no_tracker_is_running(tmp_path: os.PathLike[str]) -> None:
    program = [sys.executable, "-m", "etracker_stack.postgres_tools", "psql"]
    variables = {**os.environ, "ETRACKER_DATA_DIR": str(tmp_path)}
    done = subprocess.run(program, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "No tracker runs on" in done.stderr
