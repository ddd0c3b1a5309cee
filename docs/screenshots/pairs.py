"""Take the screenshots of Pairs: python docs/screenshots/pairs.py URL (of a running app with demo, its pairs generated)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parent / "pairs"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
VIEWS = ("Overview", "Pairs", "Clusters", "Partners", "Judge")
TAKEN = [
    (DESKTOP, "desktop", "light", VIEWS),
    (PHONE, "phone", "light", ("Pairs", "Judge")),
    (DESKTOP, "desktop", "dark", ("Overview",)),
    (PHONE, "phone", "dark", ("Overview",)),
]
READY = """() => document.querySelector("h1") && !document.querySelector("[data-testid=stSkeleton]")
  && !document.querySelector("[data-testid=stStatusWidget]")
  && [...document.images].every(i => i.getBoundingClientRect().top > innerHeight || i.complete)"""


def take(page: Page, url: str, out: Path) -> None:
    """One view, when everything has come."""
    page.goto(url)
    page.wait_for_timeout(2_500)
    page.wait_for_function(READY, timeout=120_000)
    page.wait_for_timeout(
        6_000 if "Clusters" in url or "Partners" in url else 1_500
    )  # a grid's pictures are inside its component
    png = out.with_suffix(".png")
    page.screenshot(path=png)
    Image.open(png).convert("RGB").save(out, "WEBP", quality=80, method=6)
    png.unlink()


def main(base: str) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for viewport, width, theme, views in TAKEN:
            page = browser.new_page(viewport=viewport, color_scheme=theme)  # type: ignore[arg-type]
            page.set_default_timeout(120_000)
            for view in views:
                place = f"{base}/pairs?dataset=demo&view={view}"
                take(page, place, OUT / f"{view.lower()}-{width}-{theme}.webp")
                wide = page.evaluate("document.documentElement.scrollWidth")
                print(view, width, theme, "scrolls sideways" if wide > viewport["width"] else "")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__))
