"""The tracker as it is after the first start."""

from tests.support.engine.product import ANNOUNCE_PORT, Product


def test_the_first_start_brings_up_pages_api_and_announces(product: Product) -> None:
    assert product.is_healthy()
    assert "<div id=" in product.get("/").text
    assert product.get("/api/stats").json() == {"hashcount": 0, "seeders": 0, "leechers": 0}
    url = product.get("/api/v1/announce-url")
    assert url.status_code < 500
    key = product.get("/api/generate").json()["announce_key"]
    assert len(key) == 30
    assert product.place.tracker
    assert ANNOUNCE_PORT


def test_migrate_has_ended_and_everything_else_is_healthy(product: Product) -> None:
    (migrate,) = product.containers("migrate")
    assert (migrate["State"]["Status"], migrate["State"]["ExitCode"]) == ("exited", 0)
    running = ["announce_public", "scoring", "scoring_worker", "admin_api", "postgres", "redis", "etracker"]
    for name in running:
        (container,) = product.containers(name)
        assert container["State"]["Health"]["Status"] == "healthy", name
