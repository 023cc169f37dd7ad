"""The tracker as it is after the first start."""

from tests.support.engine.product import Product

RUNNING = ("announce_public", "scoring", "scoring_worker", "admin_api", "postgres", "redis", "etracker")


def test_the_first_start_brings_up_pages_the_api_and_keys(product: Product) -> None:
    assert product.get("/healthz").text == "ok"
    assert "<script" in product.get("/").text
    assert product.get("/api/stats").json() == {"hashcount": 0, "seeders": 0, "leechers": 0}
    assert len(product.get("/api/generate").json()["announce_key"]) == 30
    assert product.get("/api/v1/system").status_code == 200


def test_migrate_has_ended_and_everything_else_is_healthy(product: Product) -> None:
    (migrate,) = product.containers("migrate")
    assert (migrate["State"]["Status"], migrate["State"]["ExitCode"]) == ("exited", 0)
    for name in RUNNING:
        (container,) = product.containers(name)
        assert container["State"]["Health"]["Status"] == "healthy", name


def test_the_images_are_labelled_with_the_version(product: Product) -> None:
    labels = [product.containers(name)[0]["Config"]["Labels"] for name in ("announce_public", "etracker")]
    assert {label["org.opencontainers.image.version"] for label in labels} == {product.version}
