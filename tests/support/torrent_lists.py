"""Torrents in Postgres, and the lists that the admin API makes of them."""

import asyncpg
from httpx import AsyncClient

PATH = "/api/v1/infohashes"


async def add(database: asyncpg.Connection, number: int, name: str, **columns: object) -> None:
    names = ["id", "info_hash", "name", *columns]
    places = ", ".join(f"${position}" for position in range(1, len(names) + 1))
    info_hash = number.to_bytes(4, "big") + bytes(16)
    await database.execute(
        f"INSERT INTO infohashes ({', '.join(names)}) VALUES ({places})", number, info_hash, name, *columns.values()
    )


async def names(client: AsyncClient, **parameters: str) -> list[str]:
    response = await client.get(PATH, params=parameters)
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json()["items"]]
