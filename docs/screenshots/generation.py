"""Take the screenshots of Generate: python docs/screenshots/generation.py URL (of a running app)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parent / "generation"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
TAKEN = [
    (DESKTOP, "desktop", "light"),
    (PHONE, "phone", "light"),
    (DESKTOP, "desktop", "dark"),
    (PHONE, "phone", "dark"),
]


def take(page: Page, out: Path) -> None:
    png = out.with_suffix(".png")
    page.screenshot(path=png)
    Image.open(png).convert("RGB").save(out, "WEBP", quality=80, method=6)
    png.unlink()


def main(base: str) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for viewport, width, theme in TAKEN:
            page = browser.new_page(viewport=viewport, color_scheme=theme)  # type: ignore[arg-type]
            page.set_default_timeout(120_000)
            page.goto(f"{base}/generate")
            panel = page.frame_locator("iframe")
            panel.get_by_label("Phrase").fill("červené šaty")
            panel.get_by_role("button", name="Draw", exact=True).click()
            panel.get_by_text("Step ").first.wait_for()
            if width == "desktop":
                take(page, OUT / f"emerging-{width}-{theme}.webp")
            panel.get_by_text("Generated pictures, not").first.wait_for()
            if width == "phone":
                panel.locator("#drawn").scroll_into_view_if_needed()
            page.wait_for_timeout(1_500)
            take(page, OUT / f"drawn-{width}-{theme}.webp")
            if (width, theme) == ("desktop", "light"):
                panel.get_by_role("button", name="In 13 languages").click()
                panel.get_by_text("in thirteen languages, translated").wait_for()
                page.wait_for_timeout(1_000)
                take(page, OUT / f"languages-{width}-{theme}.webp")
            wide = page.evaluate("document.documentElement.scrollWidth")
            print(width, theme, "scrolls sideways" if wide > viewport["width"] else "")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__))
