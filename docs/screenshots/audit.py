"""Take the screenshots of audits: python docs/screenshots/audit.py URL DATASET PLAN (of a running app; PLAN has answers)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parent / "audit"
LOOKED = 12  # products, at most, until one of each kind of question came
READY = {
    "Progress": "[data-testid=stDataFrame]", "Estimates": ".js-plotly-plot .main-svg", "Confusion": ".grid [role=listitem]",
    "Agreement": ".js-plotly-plot .main-svg",
}  # fmt: skip
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

LOOKS = (
    ("desktop-light", DESKTOP, "light"), ("desktop-dark", DESKTOP, "dark"),
    ("phone-light", PHONE, "light"), ("phone-dark", PHONE, "dark"),
)  # fmt: skip


def shoot(page: Page, name: str) -> None:
    png = OUT / f"{name}.png"
    page.screenshot(path=png)
    Image.open(png).convert("RGB").save(png.with_suffix(".webp"), "WEBP", quality=78, method=6)
    png.unlink()


def review(page: Page, base: str, plan: str, look: str) -> None:
    """The two questions: blind, and after its label is revealed."""
    page.goto(f"{base}/review/{plan}?who=Guide")
    page.get_by_role("button", name="Begin").or_(page.locator("#item:not([hidden])")).first.wait_for()
    if page.get_by_role("button", name="Begin").count():
        page.get_by_label("Your name").fill("Guide")
        page.get_by_role("button", name="Begin").click()
    page.locator("body[data-shown]").wait_for()
    for _ in range(LOOKED):
        stage = page.locator("#ask").get_attribute("data-stage")
        page.wait_for_timeout(400)
        shoot(page, f"review-{stage}-{look}")
        if stage == "choose":
            page.locator("#typed").fill("sh")
            page.wait_for_timeout(200)
            shoot(page, f"review-typing-{look}")
            page.locator("#matches button").first.click()
            page.wait_for_timeout(300)
            shoot(page, f"review-judge-{look}")
            page.get_by_role("button", name="Ambiguous").click()
        else:
            return


def part(page: Page, base: str, dataset: str, plan: str, name: str, look: str) -> None:
    """A part of a plan, once it is drawn."""
    page.goto(f"{base}/audit?dataset={dataset}&plan={plan}&part={name}")
    page.locator(READY[name]).last.wait_for(timeout=90_000)
    page.wait_for_timeout(2_500)
    shoot(page, f"{name.lower()}-{look}")


def main(base: str, dataset: str, plan: str) -> None:
    OUT.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for look, size, theme in LOOKS:
            phone = size is PHONE
            context = browser.new_context(viewport=size, color_scheme=theme, is_mobile=phone, has_touch=phone)  # type: ignore[arg-type]
            page = context.new_page()
            page.set_default_timeout(60_000)
            review(page, base, plan, look)
            for name in READY if look == "desktop-light" else ("Estimates",):
                part(page, base, dataset, plan, name, look)
            if look == "desktop-light":
                page.goto(f"{base}/audit?dataset={dataset}")
                page.get_by_text("New plan").click(timeout=90_000)
                page.get_by_text("Draw the sample").wait_for()
                page.wait_for_timeout(2_500)
                shoot(page, f"plan-{look}")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), *sys.argv[2:4])
