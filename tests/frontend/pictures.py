"""``python -m tests.frontend.pictures``: take the screenshots in ``docs/pictures``, on a tracker made for them."""

import asyncio
import io
from pathlib import Path
from typing import NamedTuple

import httpx
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.frontend.a_catalogue import FEATURED, announce_swarms, store_catalogue
from tests.frontend.a_past import make_key_with_a_past
from tests.support.browser import ARGUMENTS, CHROMIUM, Look, remember_keys
from tests.support.postgres import TEMPLATE, running_postgres
from tests.support.stack import StackRun, running_stack

DOCS = Path(__file__).parents[2] / "docs" / "pictures"
SETTLED_MS = 45_000
"""Until the minute's samples and rates include the announced swarms."""
DRAWN_MS = 1000
GAP = 20
_SETTINGS = {"ETRACKER_COUNTS_SYNC_SECONDS": "1", "ETRACKER_SAMPLE_SECONDS": "1"}


class Photographer:
    """Takes pictures of pages with an announce key and the API key stored."""

    def __init__(self, browser: Browser, stack: StackRun) -> None:
        self._browser = browser
        self._stack = stack

    def take(self, address: str, look: Look, height: int, announce_key: str) -> Image.Image:
        """Return a picture of the top of a page."""
        scheme, width = look
        context = self._browser.new_context(
            base_url=self._stack.base_url, color_scheme=scheme, viewport={"width": width, "height": height}
        )
        remember_keys(context, announce_key, self._stack.api_key)
        page = context.new_page()
        page.goto(address, wait_until="networkidle")
        page.wait_for_timeout(DRAWN_MS)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        context.close()
        return picture


class Keys(NamedTuple):
    """Announce keys: one that was just generated, and one that has been used for months."""

    new: str
    old: str


def take_all(photographer: Photographer, featured: str, keys: Keys) -> dict[str, Image.Image]:
    """Return every picture by its name."""
    torrent = f"/infohashes/{featured}"
    phones: tuple[tuple[str, Look], ...] = (
        ("/", ("light", 360)),
        ("/infohashes", ("dark", 360)),
        ("/operator/keys", ("light", 360)),
        (torrent, ("dark", 360)),
    )
    return {
        "home": photographer.take("/", ("light", 1440), 1100, keys.new),
        "torrents": photographer.take("/infohashes", ("dark", 1440), 900, keys.new),
        "torrent": photographer.take(torrent, ("light", 1440), 1000, keys.new),
        "standing": photographer.take("/standing", ("light", 1320), 1410, keys.old),
        "phone": side_by_side([photographer.take(address, look, 780, keys.new) for address, look in phones]),
    }


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """Join pictures of one size into a row with gaps."""
    width, height = pictures[0].size
    row = Image.new("RGB", (len(pictures) * (width + GAP) - GAP, height), "gray")
    for place, picture in enumerate(pictures):
        row.paste(picture, (place * (width + GAP), 0))
    return row


def main() -> None:
    """Start a tracker, fill it, and write the pictures."""
    with running_postgres() as postgres:
        where = postgres.settings(TEMPLATE)
        server = {"PGHOST": where.pghost, "PGPORT": str(where.pgport), "PGDATABASE": TEMPLATE, "PGUSER": where.pguser}
        with running_stack({**_SETTINGS, **server}) as stack:
            created = httpx.post(f"{stack.base_url}/api/v1/keys", trust_env=False).raise_for_status().json()
            keys = Keys(created["announce_key"], make_key_with_a_past(postgres))
            info_hashes = asyncio.run(store_catalogue(stack))
            announce_swarms(stack, info_hashes)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                browser.new_page().wait_for_timeout(SETTLED_MS)
                pictures = take_all(Photographer(browser, stack), info_hashes[FEATURED], keys)
                browser.close()
    for name, picture in pictures.items():
        # A palette makes them a third as large, and these pages have few colours.
        picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            DOCS / f"{name}.png", optimize=True
        )


if __name__ == "__main__":
    main()
