"""Take the retrieval panel's screenshots: python docs/screenshots/retrieval.py URL MODEL... (of a running app, whose dataset
demo has vectors of these models; they are put beside the first one of the panel).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

OUT = Path(__file__).parent / "retrieval"
SIZES = {
    "desktop": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
}


def main(base: str, models: list[str]) -> None:
    """One sentence, several models, on a desktop in both themes and on a phone."""
    OUT.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size, theme in (("desktop", "light"), ("desktop", "dark"), ("phone", "light")):
            page = browser.new_page(viewport=SIZES[size], color_scheme=theme)  # type: ignore[arg-type]
            page.set_default_timeout(90_000)
            page.goto(
                f"{base}/panels/retrieval/?dataset=demo&q=Black and white striped sneaker.&__theme={theme}"
            )
            page.locator("#answers img, .gallery-item img, .thumbnail-item img").first.wait_for()
            for model in models:
                page.get_by_label("Compare with").first.click()
                page.get_by_role("option", name=f"demo, {model}", exact=True).click()
                page.wait_for_timeout(2_000)
            page.keyboard.press("Escape")
            page.wait_for_timeout(12_000)
            page.mouse.move(0, 0)
            png = OUT / f"{size}-{theme}.png"
            page.screenshot(path=png, full_page=size == "phone")
            Image.open(png).convert("RGB").crop(
                (0, 0, SIZES[size]["width"], 1800 if size == "phone" else 900)
            ).save(png.with_suffix(".webp"), "WEBP", quality=80, method=6)
            png.unlink()
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2:])
