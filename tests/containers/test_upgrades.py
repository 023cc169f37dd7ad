"""Upgrades and rollbacks under a load, from the last release to this checkout."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.engine.product import BUILD_SECONDS, Product
from tests.support.engine.traffic import traffic
from tests.support.versions import check_out, copy_checkout, last_release

Deploy = Callable[[str, Callable[[Path], None]], Product]
UPGRADE = ("sh", "deploy/upgrade.sh")
REFUSED = {"ConnectionRefusedError", "ConnectionResetError"}
"""What clients of a port get while the container that publishes it is replaced."""
FAILING = '''"""Fails."""

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    raise RuntimeError("this migration fails")


def downgrade() -> None:
    pass
'''


@pytest.fixture(scope="module")
def release(deploy: Deploy) -> Product:
    """The last release, with its images built under a tag of their own where it has any."""
    product = deploy("last-release", lambda directory: check_out(last_release(), directory))
    product.configure(ETRACKER_VERSION="last-release")
    product.build()
    return product


@pytest.fixture
def installed(release: Product, built: Product) -> Iterator[Product]:
    """The last release, running on empty data."""
    built.remove()
    release.up()
    yield release
    built.compose("logs", "--tail", "100", check=False)
    built.remove()


@pytest.fixture(scope="module")
def broken(deploy: Deploy) -> Product:
    """A version with a migration that fails."""

    def copy_and_break(directory: Path) -> None:
        copy_checkout(directory)
        versions = directory / "migrations/etracker_migrations/versions"
        head = max(path.name[:4] for path in versions.glob("0*.py"))
        (versions / "9999_fails.py").write_text(FAILING.format(head=head))

    product = deploy("broken", copy_and_break)
    product.configure(ETRACKER_VERSION="broken")
    product.build()  # a build during the load would compete with it for the processors
    return product


async def upgrade(product: Product, expected: int = 0) -> str:
    done = await asyncio.to_thread(product.finish, *UPGRADE, seconds=BUILD_SECONDS)
    assert done.returncode == expected, done.stdout[-6000:]
    return str(done.stdout)


async def test_an_upgrade_from_the_last_release_refuses_connections_only_while_the_gateway_is_replaced(
    installed: Product, built: Product
) -> None:
    sessions = await asyncio.to_thread(installed.sessions, 100, first=1)
    async with traffic(installed, installed.place.port, sessions=sessions) as load:
        await upgrade(built)
        await load.go_on()
    assert set(load.failures) <= REFUSED
    await load.settle()


async def test_an_upgrade_whose_migration_fails_leaves_the_old_tracker_serving(
    product: Product, broken: Product
) -> None:
    before = await asyncio.to_thread(product.started_at)
    sessions = await asyncio.to_thread(product.sessions, 100, first=1)
    async with traffic(product, product.place.port, sessions=sessions) as load:
        told = await upgrade(broken, expected=1)
        await load.go_on()
    assert load.failures == {}
    await load.settle()
    assert "the migration failed" in told
    assert await asyncio.to_thread(product.started_at) == before


async def test_compose_ends_with_an_error_when_a_migration_fails(product: Product, broken: Product) -> None:
    """The kind: a container that is restarted without end keeps compose waiting for it."""
    done = await asyncio.to_thread(broken.finish, "docker", "compose", "up", "-d", "etracker", seconds=240)
    assert done.returncode != 0
    (migrate,) = await asyncio.to_thread(broken.containers, "migrate")
    assert migrate["State"]["Status"] == "exited"
    product.up()  # the way back


async def test_announces_wait_at_the_gateway_during_a_plain_compose_upgrade(product: Product) -> None:
    """Compose removes all old containers before it starts the first new one."""
    sessions = await asyncio.to_thread(product.sessions, 100, first=2_000)
    async with traffic(product, product.place.port, sessions=sessions) as load:
        product.configure(ETRACKER_LOG_LEVEL="warning")  # changes every container
        await asyncio.to_thread(product.up)
        await load.go_on()
    assert load.failures == {}

    await load.settle()


async def test_replacing_the_container_of_the_public_port_loses_nothing_but_refused_connections(
    product: Product,
) -> None:
    sessions = await asyncio.to_thread(product.sessions, 100, first=3_000)
    recreate = ["up", "-d", "--wait", "--no-deps", "--force-recreate", "announce_public"]
    async with traffic(product, product.place.announce_port, sessions=sessions) as load:
        await asyncio.to_thread(product.compose, *recreate)
        await load.go_on()
    assert set(load.failures) <= REFUSED
    await load.settle()


def test_scaling_survives_an_upgrade(product: Product) -> None:
    product.configure(ETRACKER_ANNOUNCE_SCALE="1", ETRACKER_SCORING_WORKER_SCALE="2")
    product.up()
    product.configure(ETRACKER_LOG_LEVEL="info")
    product.up()
    assert [len(product.containers(name)) for name in ("announce", "scoring_worker")] == [1, 2]
    product.configure(ETRACKER_ANNOUNCE_SCALE="0", ETRACKER_SCORING_WORKER_SCALE="1")
    product.up()


async def test_a_rollback_to_the_last_release_works_on_the_newest_schema(installed: Product, built: Product) -> None:
    sessions = await asyncio.to_thread(installed.sessions, 100, first=4_000)
    async with traffic(installed, installed.place.port, sessions=sessions) as load:
        await upgrade(built)
        await asyncio.to_thread(built.compose, "stop", "announce", "announce_public")
        await asyncio.to_thread(built.run, "sh", "deploy/settle.sh")
        await asyncio.to_thread(built.compose, "rm", "--force", "announce_public")
        back = ["postgres", "redis", "scoring", "scoring_worker", "admin_api", "announce", "etracker"]
        await asyncio.to_thread(installed.compose, "up", "-d", "--wait", "--no-deps", *back)
        await load.go_on()
    await load.settle()
