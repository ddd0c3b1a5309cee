"""Take the screenshots of docs/guide/map.md: python docs/screenshots/map.py URL [DATASET] (a running app, a dataset with a map)."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parent
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
WAIT_MS = 120_000


def save(page: Page, name: str) -> None:
    page.wait_for_timeout(1_500)
    png = OUT / f"{name}.png"
    page.screenshot(path=png)
    Image.open(png).convert("RGB").save(OUT / f"{name}.webp", "WEBP", quality=80, method=6)
    png.unlink()


def ready(page: Page, url: str) -> dict[str, float]:
    page.goto(url)
    page.locator(".map[data-painted]").wait_for(timeout=WAIT_MS)
    page.locator(".label.seen").first.wait_for(timeout=WAIT_MS)
    box = page.locator(".surface").bounding_box()
    assert box
    return dict(box)


def hover(page: Page, box: dict[str, float]) -> None:
    """Somewhere in the upper left quarter lies a point."""
    for step in range(60):
        page.mouse.move(box["x"] + box["width"] * (0.3 + step / 400), box["y"] + box["height"] * 0.45)
        page.wait_for_timeout(200)
        if page.locator(".card.seen img").count():
            return


def lasso(page: Page, box: dict[str, float]) -> None:
    page.get_by_label("Draw a lasso (L)").click()
    middle, radius = (box["x"] + box["width"] * 0.42, box["y"] + box["height"] * 0.47), box["height"] * 0.2
    for at in range(50):
        angle = at / 50 * math.tau
        wobble = radius * (1 + 0.15 * math.sin(3 * angle))
        page.mouse.move(middle[0] + wobble * math.cos(angle), middle[1] + wobble * math.sin(angle))
        if at == 0:
            page.mouse.down()
    page.mouse.up()
    page.locator(".chosen .first").wait_for(timeout=WAIT_MS)


def main(base: str, dataset: str) -> None:
    url = f"{base}/map?dataset={dataset}"
    chromium = shutil.which("chromium") or sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for theme in ("light", "dark"):
            page = browser.new_page(viewport=DESKTOP, color_scheme=theme)  # type: ignore[arg-type]
            box = ready(page, url)
            if theme == "light":
                lasso(page, box)
            else:
                hover(page, box)
            save(page, f"map-desktop-{theme}")
            if theme == "dark":
                ready(page, f"{url}&layer=Density")
                save(page, "map-density-dark")
            page.close()
            page = browser.new_page(viewport=PHONE, color_scheme=theme, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
            ready(page, url)
            page.locator(".surface").evaluate("surface => surface.scrollIntoView({ block: 'end' })")
            box = dict(page.locator(".surface").bounding_box() or {})
            page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            save(page, f"map-phone-{theme}")
            page.close()
        browser.close()
        browser = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, "--disable-3d-apis"])
        page = browser.new_page(viewport=DESKTOP, color_scheme="light")  # type: ignore[arg-type]
        page.goto(url)
        page.locator(".js-plotly-plot .nsewdrag").first.wait_for(timeout=WAIT_MS)
        save(page, "map-plain-light")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2] if len(sys.argv) > 2 else "demo")
