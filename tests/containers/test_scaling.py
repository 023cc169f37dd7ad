"""Containers of announce come and go under a load."""

import asyncio

from tests.support.engine.product import Product
from tests.support.engine.traffic import traffic


async def test_no_announce_fails_while_announce_scales_from_one_to_three_and_back(product: Product) -> None:
    sessions = await asyncio.to_thread(product.sessions, 200, first=1)
    async with traffic(product, product.place.port, sessions=sessions) as load:
        for count in ("2", "0"):  # in addition to announce_public
            scale = ["up", "-d", "--wait", "--no-recreate", "--scale", f"announce={count}", "etracker"]
            await asyncio.to_thread(product.compose, *scale)
            assert len(await asyncio.to_thread(product.containers, "announce")) == int(count)
            await load.go_on()
    assert load.failures == {}
    await load.settle()
