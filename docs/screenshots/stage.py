"""Take the screenshots of the stage: python docs/screenshots/stage.py URL PHOTO (of a running app over the prepared dataset `demo`).

URL by the machine's address in a network, so that the code of the phones' page is there.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

OUT = Path(__file__).parent / "stage"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
DESKTOP, PHONE, PROJECTOR = (
    {"width": 1440, "height": 900},
    {"width": 390, "height": 844},
    {"width": 800, "height": 600},
)


def shoot(page: Page, name: str) -> None:
    png = OUT / f"{name}.png"
    page.screenshot(path=png)
    Image.open(png).convert("RGB").save(png.with_suffix(".webp"), "WEBP", quality=78, method=6)
    png.unlink()


def opened(browser: Browser, size: dict[str, int], look: str, address: str, locale: str = "en-GB") -> Page:
    phone = size is PHONE
    context = browser.new_context(
        viewport=size, color_scheme=look, locale=locale, is_mobile=phone, has_touch=phone
    )  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    page.wait_for_timeout(1_500)
    return page


def main(base: str, photo: str) -> None:
    OUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        phone = opened(browser, PHONE, "light", f"{base}/phone", "cs-CZ")
        shoot(phone, "phone-begin")
        for word in ("červené šaty", "kabelka", "tenisky"):
            phone.fill("#word", word)
            phone.keyboard.press("Enter")
            phone.wait_for_selector("#found:not([hidden])", timeout=60_000)
            phone.click("#again")
        phone.set_input_files("#photo", photo)
        phone.wait_for_selector("#found:not([hidden])", timeout=60_000)
        phone.wait_for_timeout(1_500)
        shoot(phone, "phone")
        phone.click("#agree")
        dark = opened(browser, PHONE, "dark", f"{base}/phone", "el-GR")
        shoot(dark, "phone-dark")
        desk = opened(
            browser,
            DESKTOP,
            "light",
            f"{base.replace(base.split('//')[1].split(':')[0], '127.0.0.1')}/stage/demo/story/notes",
        )
        desk.wait_for_timeout(1_500)
        shoot(desk, "notes")
        desk.get_by_role("button", name="Show", exact=True).click()
        for look in ("light", "dark"):
            wall = opened(browser, DESKTOP, look, f"{base}/wall")
            wall.wait_for_timeout(2_500)
            shoot(wall, "wall" if look == "light" else "wall-dark")
        for name, size, look, view in (("tour", DESKTOP, "light", 6), ("tour-dark", DESKTOP, "dark", 5), ("tour-projector", PROJECTOR, "light", 1), ("tour-phone", PHONE, "light", 1)):  # fmt: skip
            stage = opened(browser, size, look, f"{base}/stage/demo/story#{view}")
            stage.wait_for_selector("iframe.front", state="attached", timeout=60_000)
            stage.wait_for_timeout(6_000)
            shoot(stage, name)
        present = opened(
            browser,
            DESKTOP,
            "light",
            f"{base.replace(base.split('//')[1].split(':')[0], '127.0.0.1')}/presenter",
        )
        present.get_by_role("heading", name="The room").wait_for(timeout=60_000)
        present.wait_for_timeout(5_000)
        shoot(present, "present")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
