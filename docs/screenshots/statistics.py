"""Take the pictures of docs/guide/statistics.md: python docs/screenshots/statistics.py URL (of a running app with demo)."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import sync_playwright

OUT = Path(__file__).parent / "statistics"
SUBJECTS = (
    "Columns",
    "Long tail",
    "Shift",
    "Text",
    "Label sources",
    "Pictures",
    "Hierarchy",
    "Words",
    "Beside others",
)
OTHERS = {"Hierarchy": ("&shape=sunburst", "&shape=icicle")}
WIDTH = 880  # pixels of a chart in the documentation


def main(base: str) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 1000}, color_scheme="light")
        for subject in SUBJECTS:
            for more in ("", *OTHERS.get(subject, ())):
                page.goto(f"{base}/statistics?dataset=demo&subject={quote(subject)}{more}")
                page.wait_for_selector("[class*=st-key-chart-]")
                page.wait_for_timeout(3_000)
                page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", timeout=60_000)
                page.wait_for_timeout(3_000)
                page.mouse.move(5, 5)
                for card in page.locator("[class*=st-key-chart-]").all():
                    classes = (card.get_attribute("class") or "").split()
                    name = next(c for c in classes if c.startswith("st-key-chart-")).removeprefix(
                        "st-key-chart-"
                    )
                    card.scroll_into_view_if_needed()
                    page.wait_for_timeout(300)
                    picture = Image.open(io.BytesIO(card.screenshot())).convert("RGB")
                    picture.thumbnail((WIDTH, 2_000), Image.Resampling.LANCZOS)
                    picture.save(OUT / f"{name}.webp", "WEBP", quality=72, method=6)
                    print(name, picture.size)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
