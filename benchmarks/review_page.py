"""How long the review page makes an annotator wait: python -m benchmarks.review_page [--items 200] [--dataset glami-mini]

The real page and server in headless Chromium over a dataset in VITRINE_HOME, every answer by key 60 ms after its product
is painted (the page takes the same key within 50 ms for one press). A wait is the time from the key to the next product's painted picture, measured by the page itself (User
Timing, "next"); nobody could answer so quickly, so that pictures are fetched ahead under more pressure than in use.
Prints Markdown; makes a plan of its own in a copy of the database of answers.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.map_paint import ARGUMENTS, server
from core.answers.database import Database
from core.audit.plan import Wish, draw
from core.audit.store import Store
from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.settings import settings

TARGET_MS = 150


def waits(url: str, plan: str, items: int, pause_ms: int) -> list[float]:
    """Milliseconds from each key to the next painted product."""
    chromium = shutil.which("chromium") or sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/review/{plan}?who=bench")
        page.locator("body[data-shown]").wait_for()
        page.wait_for_timeout(2_000)  # somebody looks at the first product
        for _ in range(items - 1):
            before = page.evaluate("document.body.dataset.shown")
            if pause_ms:
                page.wait_for_timeout(pause_ms)
            page.keyboard.press("0")
            page.locator(f"body:not([data-shown='{before}'])").wait_for()
        page.get_by_text("All saved").wait_for()
        found = page.evaluate("performance.getEntriesByName('next').map((entry) => entry.duration)")
        browser.close()
    return [float(one) for one in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--dataset", default="glami-mini")
    parser.add_argument("--pause-ms", type=int, nargs="*", default=[60, 500])
    asked = parser.parse_args()
    print(
        "| pause before each answer | answers | wait p50, ms | p95 | most | target |\n|--:|--:|--:|--:|--:|--:|"
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / asked.dataset).symlink_to(settings().home / asked.dataset)
        os.environ["VITRINE_HOME"] = str(home)
        products = Products.open(asked.dataset)
        store = Store(Database(f"sqlite:///{home / 'answers.sqlite'}"))
        with server(home) as url:
            for number, pause in enumerate(asked.pause_ms):
                wish = Wish(size=asked.items, anchoring=0.2, seed=number)
                plan, items = draw(products, Cohort(asked.dataset), wish)
                store.create_plan(plan, items)
                store.assign(plan.plan, ["bench"])
                began = time.monotonic()
                found = sorted(waits(url, plan.plan, asked.items, pause))
                assert len(store.current(plan.plan)) == asked.items - 1, "an answer was lost"
                p50, p95 = found[len(found) // 2], found[int(0.95 * len(found))]
                print(
                    f"| {pause} ms | {len(found)} | {p50:.0f} | {p95:.0f} | {found[-1]:.0f} | {TARGET_MS} |"
                    f" <!-- {time.monotonic() - began:.0f} s -->"
                )


if __name__ == "__main__":
    main()
