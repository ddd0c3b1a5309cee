"""Take the screenshots of Languages: python docs/screenshots/languages.py URL [FOLDER] (of a running app with demo, translated and
its search measured)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, sync_playwright

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
VIEWS = {
    "counts": {"view": "Counts"},
    "pairs": {"view": "Pairs", "from": "Czechia", "to": "Hungary"},
    "product": {"view": "One product"},
    "in-use": {"view": "In use"},
    "translation": {"view": "Translation", "from": "Czechia", "to": "Slovakia"},
    "search": {"view": "Search"},
}
TAKEN = [
    (DESKTOP, "desktop", "light", tuple(VIEWS)),
    (PHONE, "phone", "light", ("counts", "product", "in-use", "translation")),
    (DESKTOP, "desktop", "dark", ("counts", "product", "translation")),
    (PHONE, "phone", "dark", ("counts", "pairs")),
]
READY = """() => document.querySelector("h1") && !document.querySelector("[data-testid=stSkeleton]")
  && !document.querySelector("[data-testid=stStatusWidget]")
  && [...document.images].every(i => i.getBoundingClientRect().top > innerHeight || i.complete)"""


def take(page: Page, url: str, out: Path) -> None:
    """One view, when everything has come."""
    page.goto(url)
    page.wait_for_timeout(2_000)
    page.wait_for_function(READY, timeout=120_000)
    page.wait_for_timeout(800)
    png = out.with_suffix(".png")
    page.screenshot(path=png)
    Image.open(png).convert("RGB").save(out, "WEBP", quality=80, method=6)
    png.unlink()


def main(base: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for viewport, width, theme, views in TAKEN:
            page = browser.new_page(viewport=viewport, color_scheme=theme)  # type: ignore[arg-type]
            page.set_default_timeout(120_000)
            for view in views:
                place = f"{base}/languages?{urlencode({'dataset': 'demo', **VIEWS[view]})}"
                take(page, place, folder / f"{view}-{width}-{theme}.webp")
                wide = page.evaluate("document.documentElement.scrollWidth")
                print(view, width, theme, "scrolls sideways" if wide > viewport["width"] else "", flush=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "languages")
