"""A real server on a port of its own, and a real Chromium that may talk to nobody else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

PROJECT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
EXPECT_MS = 30_000  # how long an expectation waits: a busy machine is no failure


@dataclass
class Server:
    url: str
    home: Path
    log: Path
    outside: list[str] = field(default_factory=list)  # requests that left this machine
    violations: list[str] = field(default_factory=list)  # of the content security policy


# Told by an event, since a script may catch the error that a violation is.
VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) => window.noteViolation(
  [event.effectiveDirective, event.blockedURI, event.sourceFile, event.lineNumber, location.pathname].join(" ")))"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(home: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the app as `make run` does and wait until it is up."""
    port = free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=PROJECT,
            env={**os.environ, "VITRINE_HOME": str(home), "VITRINE_WARM": "0"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    for _ in range(240):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:
                if answer.status == 200:
                    return process, url
        except OSError:
            time.sleep(0.25)
    process.kill()
    raise RuntimeError(f"The server did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[Server]:
    """The app over glami-mini and a small dataset that tests may remove."""
    home = tmp_path_factory.mktemp("browser-home")
    for arguments in (
        ["glami", str(shared_data / "glami-mini.zip"), "--name", "glami-mini"],
        ["table", str(shared_data / "magento" / "products.csv"), "--name", "magento"],
    ):
        subprocess.run(
            [sys.executable, "-m", "core", "import", *arguments],
            cwd=PROJECT,
            env={**os.environ, "VITRINE_HOME": str(home), "VITRINE_WARM": "0"},
            check=True,
            capture_output=True,
        )
    log = tmp_path_factory.mktemp("browser-log") / "server.log"
    process, url = start_server(home, log)
    served = Server(url, home, log)
    yield served
    process.terminate()
    process.wait(20)
    assert not served.violations, served.violations


@pytest.fixture(scope="module")  # a playwright that lives on keeps its event loop in the way of other tests
def chromium() -> Iterator[Browser]:
    path = next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    if path is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1 but there is no Chromium on the PATH")
        pytest.skip("no Chromium on the PATH: apt-get install chromium")
    expect.set_options(timeout=EXPECT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def watch(context: BrowserContext, server: Server) -> None:
    """Note every request that leaves this machine, and whatever a page's security policy forbids it."""

    def note(request: Request) -> None:
        if not request.url.startswith(
            (server.url, server.url.replace("http", "ws"), "data:", "blob:", "about:")
        ):
            server.outside.append(request.url)

    context.on("request", note)
    context.expose_binding("noteViolation", lambda _, said: server.violations.append(said))
    context.add_init_script(VIOLATIONS)


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser, server: Server) -> Iterator[Page]:
    """A page at desktop and at phone width; a screenshot is kept when the test fails."""
    phone = request.param == "phone"
    context = chromium.new_context(
        viewport=PHONE if phone else DESKTOP,
        is_mobile=phone,
        has_touch=phone,
        color_scheme="light",  # type: ignore[arg-type]
    )
    context.set_default_timeout(20_000)
    watch(context, server)
    page = context.new_page()
    yield page
    artifacts = PROJECT / "test-artifacts"
    artifacts.mkdir(exist_ok=True)
    page.screenshot(path=artifacts / f"{request.node.name.replace('/', '-')}.png")
    context.close()


def is_phone(page: Page) -> bool:
    return bool(page.viewport_size and page.viewport_size["width"] < 600)


def open_sidebar(page: Page) -> None:
    """On a phone the filters are behind a button."""
    if is_phone(page):
        page.get_by_test_id("stExpandSidebarButton").click()


def close_sidebar(page: Page) -> None:
    if is_phone(page):
        page.get_by_test_id("stSidebarCollapseButton").locator("button").click()
