"""Take the documentation's screenshots: python docs/screenshots/pages.py URL [NAME...] (of a running app with demo and glami-mini)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parent
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SCREENS = {
    "home": "/",
    "browse": "/browse?dataset=demo&order=Shuffled&seed=3",
    "product": "/browse?dataset=demo&order=Shuffled&seed=3",
    "search": "/search?dataset=demo&by=Likeness&q=červené šaty s proužky",
    "classify": "/classify",
    # After: python -m trainers.embracenet --dataset glami-mini --out VITRINE_HOME/runs/photos, and with --human-only photos-human
    "train": "/train?run=photos",
    "train-comparison": "/train?run=photos&run=photos-human",
    # After: vitrine evaluate embracenet-tiny --keep, and the same with --sees text
    "evaluate": "/evaluate?dataset=demo&model=embracenet-tiny",
    "evaluate-countries": "/evaluate?dataset=demo&model=embracenet-tiny&part=Countries",
    "evaluate-mistakes": "/evaluate?dataset=demo&model=embracenet-tiny&part=Mistakes",
}


def take(page: Page, name: str, url: str, out: Path) -> None:
    """One screen, as a visitor sees it when everything has come."""
    page.goto(url)
    page.wait_for_timeout(8_000)  # never idle: a panel keeps a stream open
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", timeout=120_000)
    if name == "classify":  # one of the panel's examples, answered
        page.frame_locator("iframe").locator(".thumbnail-item, .gallery-item").nth(2).click()
        page.frame_locator("iframe").locator("#reasons .vc-model").wait_for()
        size = dict(page.viewport_size or DESKTOP)
        page.set_viewport_size({**size, "height": 1_500 if size == DESKTOP else 2_400})  # type: ignore[typeddict-item]
        page.wait_for_timeout(3_000)
        page.mouse.move(0, 0)
    if name.startswith("evaluate-"):  # below the figures
        page.get_by_text("Papers", exact=True).evaluate("button => button.scrollIntoView({block: 'start'})")
        page.mouse.wheel(0, -90)
        page.wait_for_timeout(8_000)
    if name == "product":
        page.locator(".grid [role=listitem]").nth(3).click()
        page.get_by_role("dialog").wait_for()
        page.wait_for_timeout(1_500)
    png = out.with_suffix(".png")
    page.screenshot(path=png)
    Image.open(png).convert("RGB").save(out, "WEBP", quality=80, method=6)
    png.unlink()
    page.set_viewport_size(PHONE if (page.viewport_size or DESKTOP)["width"] < 600 else DESKTOP)  # type: ignore[arg-type]


def main(base: str, only: list[str]) -> None:
    OUT.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for theme in ("light", "dark"):
            for width, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
                page = browser.new_page(viewport=viewport, color_scheme=theme)  # type: ignore[arg-type]
                for name, path in SCREENS.items():
                    if only and name not in only:
                        continue
                    take(page, name, base + path, OUT / f"{name}-{width}-{theme}.webp")
                page.close()
        browser.close()
    # The map's own is of map_screenshots.py.
    names = ["home-desktop-light", "map-desktop-light", "search-desktop-light", "classify-desktop-dark"]
    pictures = [
        Image.open(OUT / f"{name}.webp").crop((0, 0, 1440, 900)).resize((960, 600), Image.Resampling.LANCZOS)
        for name in names
    ]
    sheet = Image.new("RGB", (1920, 1200))
    for place, picture in enumerate(pictures):
        sheet.paste(picture, (place % 2 * 960, place // 2 * 600))
    sheet.save(OUT / "overview.webp", "WEBP", quality=78, method=6)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2:])
