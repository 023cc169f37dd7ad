"""The experiment with real clients, but for the clients: who takes part, and what is made of their times."""

import json
from ipaddress import ip_address
from pathlib import Path

import libtorrent
import pytest

from etracker_shared.language.identity import address_prefix
from lab.real.network import address_of
from lab.real.people import Kind, make_people, make_torrent
from lab.real.report import rows, write_docs
from lab.real.results import Results, Run, summarize
from lab.real.swarm import Outcome


def run(contributors: list[float], free_riders: list[float], stranded: int = 0) -> Run:
    outcome = Outcome({Kind.CONTRIBUTOR: contributors, Kind.FREE_RIDER: free_riders}, stranded)
    return summarize(outcome, limit_seconds=300.0)


def results(*equilibrium: Run) -> Results:
    plain = [run([10.0, 40.0], [20.0, 20.0]) for _ in equilibrium]
    world: dict[str, float] = {"uplink_bits": 4e6, "length_bytes": 2**25, "tau_seconds": 30, "people": 20}
    return Results(world, {"phi": 0.2}, {"random": plain, "equilibrium": list(equilibrium)})


def test_fr_over_c_is_a_quotient_of_geometric_means() -> None:
    assert run([10.0, 40.0], [30.0, 30.0]).fr_over_c == pytest.approx(1.5)
    assert run([10.0, 40.0], [], stranded=2).fr_over_c == pytest.approx(15.0)


def test_the_goal_is_about_the_median_pair_and_nobody_may_be_stranded() -> None:
    slow, slower, slowest = (run([20.0], [seconds]) for seconds in (25.0, 31.0, 60.0))
    assert results(slow, slower, slowest).met
    assert not results(slow, slow, slowest).met
    assert not results(slower, slowest, run([20.0], [60.0], stranded=1)).met


def test_everybody_has_an_address_in_a_prefix_of_their_own_and_a_key() -> None:
    people = make_people()
    prefixes = {address_prefix(address_of(person.number)) for person in people}
    assert len(prefixes) == len({person.key for person in people}) == len(people)
    assert all(ip_address(address_of(person.number)).is_private for person in people)
    assert {person.tier for person in people if person.kind is Kind.FREE_RIDER} == {0}
    assert min(person.tier for person in people if person.kind is Kind.CONTRIBUTOR) == 3


def test_a_torrent_is_private_and_what_clients_announce_is_its_infohash(tmp_path: Path) -> None:
    torrent = make_torrent(tmp_path, "some", 200_000)
    parameters = libtorrent.load_torrent_buffer(torrent.announcing_to("http://198.18.0.1/key/announce"))
    assert parameters.ti is not None
    assert parameters.ti.info_hashes().v1.to_bytes() == torrent.info_hash
    assert (parameters.ti.priv(), parameters.ti.total_size()) == (True, 200_000)
    assert parameters.trackers == ["http://198.18.0.1/key/announce"]


def test_what_was_found_is_kept_as_json_table_page_and_picture(tmp_path: Path) -> None:
    found = results(run([20.0], [40.0]), run([20.0], [50.0]))
    found.write(tmp_path / "build" / "real.json")
    summary = json.loads((tmp_path / "build" / "real.json").read_text())["summary"]
    assert summary["equilibrium"]["over_random"] == pytest.approx(2.25)
    assert rows(found)[1] == ("equilibrium", "2.25 (2.00 to 2.50)", "2.25 (2.00 to 2.50)", "20 s", "45 s")
    found.keep(tmp_path / "kept.json")
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert (kept["world"], kept["parameters"]) == (found.world, {"phi": 0.2})
    assert kept["runs"]["equilibrium"] == [{"fr_over_c": 2.0}, {"fr_over_c": 2.5}]
    write_docs(found, tmp_path)
    assert "| equilibrium | 2.25 (2.00 to 2.50) |" in (tmp_path / "equilibrium-real.md").read_text()
    assert (tmp_path / "equilibrium" / "real.svg").read_text().startswith("<?xml")
