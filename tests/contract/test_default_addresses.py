"""Services started on one host without any settings find each other."""

from etracker_admin_api.settings import AdminSettings
from etracker_announce.settings import AnnounceSettings
from etracker_scoring.settings import ScoringSettings, WorkerSettings


def test_every_service_has_a_port_of_its_own() -> None:
    ports = [kind().listen_port for kind in (AnnounceSettings, ScoringSettings, AdminSettings, WorkerSettings)]
    assert [*ports, AnnounceSettings().observation_port] == [8080, 8081, 8082, 8083, 8090]


def test_each_service_is_looked_for_where_it_can_be_observed() -> None:
    announce, scoring, worker = AnnounceSettings(), ScoringSettings(), WorkerSettings()
    assert announce.scoring_url == f"http://localhost:{scoring.listen_port}"
    assert AdminSettings().services == {
        "announce": f"http://localhost:{announce.observation_port}",
        "scoring": f"http://localhost:{scoring.listen_port}",
        "scoring_worker": f"http://localhost:{worker.listen_port}",
    }
