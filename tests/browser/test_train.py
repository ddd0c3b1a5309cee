"""A run from its form to its end, through the death of the server."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.training import jobs
from core.training.process import Process
from core.training.runs import runs_folder
from tests.browser.conftest import DESKTOP, start_server
from tests.toy import import_toy

pytestmark = pytest.mark.browser
SLOW = 90_000  # ms: a machine that does other things as well
NAME = "single-lstm-tiny-toy"
STEPS = 3_000  # seconds on a quick machine, so that there is something to stop


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    context.set_default_timeout(SLOW)
    yield context.new_page()
    context.close()


@pytest.fixture
def toy(home: Path, tmp_path: Path) -> Iterator[Path]:
    import_toy(tmp_path)
    yield home
    process = Process.read(runs_folder() / NAME)
    if process and (found := process.find()):
        found.kill()


def end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(20)


def test_a_run_is_started_stopped_resumed_and_outlives_the_server(
    page: Page, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    server, url = start_server(toy, tmp_path / "server.log")
    try:
        page.goto(f"{url}/train")
        page.get_by_role("button", name="New run").click()
        form = page.get_by_role("dialog")
        expect(form.get_by_label("Model")).to_be_visible(timeout=SLOW)  # the presets load torch
        form.get_by_label("Model").click()
        page.get_by_role("option", name="LSTM", exact=True).click()
        expect(form.get_by_text("--preset lstm-tiny")).to_be_visible(timeout=SLOW)
        form.get_by_text("More settings").last.click()
        form.get_by_label("Steps instead of epochs").fill(str(STEPS))
        form.get_by_label("Steps instead of epochs").press("Enter")
        expect(form.get_by_text(f"--steps {STEPS}")).to_be_visible(timeout=SLOW)
        form.get_by_role("button", name="Start").click()
        page.wait_for_url(re.compile(f"run={NAME}"))
        expect(page.get_by_text(re.compile(rf"Step [1-9][\d,]* of {STEPS:,}"))).to_be_visible(timeout=SLOW)
        expect(page.get_by_text("Time left")).to_be_visible(timeout=SLOW)
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text(re.compile("is saved: Resume continues from there"))).to_be_visible(
            timeout=SLOW
        )
        saved = jobs.read_run(NAME).saved
        assert 0 < saved < STEPS
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible(timeout=SLOW)
    finally:
        end(server)

    for _ in range(600):  # nobody serves, and it goes on
        if jobs.read_run(NAME).state == "done":
            break
        time.sleep(0.5)
    assert jobs.read_run(NAME).state == "done", jobs.log_tail(runs_folder() / NAME)

    server, url = start_server(toy, tmp_path / "again.log")
    try:
        page.goto(f"{url}/train?run={NAME}")
        expect(page.get_by_text("Done", exact=True).first).to_be_visible(timeout=SLOW)
        expect(page.get_by_role("heading", name="On the test split")).to_be_visible(timeout=SLOW)
        main = page.get_by_test_id("stMainBlockContainer")
        expect(main.get_by_role("link", name="Evaluate")).to_have_attribute("href", f"evaluate?model={NAME}")
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("button", name="Delete it").click()
        expect(page.get_by_text("Shipped", exact=True).first).to_be_visible(
            timeout=SLOW
        )  # no other run is left
        for _ in range(300):
            if not (runs_folder() / NAME).exists():
                break
            time.sleep(0.2)
        assert not (runs_folder() / NAME).exists()
    finally:
        end(server)
