"""A backup is restored with the commands of docs/operations.md."""

import asyncio
import re

from tests.support.engine.product import Product
from tests.support.engine.traffic import traffic
from tests.support.versions import ROOT

DUMP = "pg_dump -U etracker --format=custom etracker"


def documented(beginning: str) -> str:
    """Return a command of the documentation's section about backups, without its comment."""
    text = (ROOT / "docs/operations.md").read_text()
    found = re.search(rf"^{re.escape(beginning)}.*?(?=\s+# containers$)", text, re.MULTILINE | re.DOTALL)
    assert found, beginning
    return found[0]


async def test_a_backup_is_restored_into_a_tracker_without_data(product: Product) -> None:
    sessions = await asyncio.to_thread(product.sessions, 50, first=1)
    async with traffic(product, product.place.port, sessions=sessions) as load:
        await load.go_on()
    await load.settle()
    expected = product.credited(sessions)
    product.run("sh", "-c", documented("docker compose exec -T postgres pg_dump"))
    product.remove()
    product.up()
    product.run("sh", "-c", documented("docker compose exec -T postgres sh -c"))
    # The stream belongs to another database.
    product.compose("down")
    product.remove_volume("valkey")
    product.up()
    assert product.credited(sessions) == expected
    async with traffic(product, product.place.port, sessions=sessions) as load:
        await load.go_on()
    assert load.failures == {}
