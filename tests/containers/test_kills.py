"""Every container comes back by itself when its process is killed, and nothing that was acknowledged is lost."""

import asyncio

import pytest

from tests.support.engine.product import Product
from tests.support.engine.traffic import traffic

UNAFFECTED = ["scoring", "scoring_worker", "admin_api"]
AFFECTED = ["announce_public", "postgres", "etracker"]


@pytest.mark.parametrize("service", UNAFFECTED + AFFECTED)
async def test_a_killed_service_comes_back_and_every_acknowledged_announce_is_counted(
    product: Product, service: str
) -> None:
    first = 10_000 + 1_000 * (UNAFFECTED + AFFECTED).index(service)
    sessions = await asyncio.to_thread(product.sessions, 100, first=first)
    async with traffic(product, product.place.port, sessions=sessions) as load:
        await asyncio.to_thread(product.kill, service)
        await load.go_on()
    if service in UNAFFECTED:
        assert load.failures == {}
    await load.settle()


async def test_announces_work_again_after_redis_was_killed(product: Product) -> None:
    """The last two seconds before the kill may be lost until the clients' next announces."""
    sessions = await asyncio.to_thread(product.sessions, 100, first=20_000)
    async with traffic(product, product.place.port, sessions=sessions) as load:
        await asyncio.to_thread(product.kill, "redis")
        await load.go_on()
    await load.settle()
