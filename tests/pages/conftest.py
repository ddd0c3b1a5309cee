"""Pages are tested from the main script, so that the frame is tested too."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.planted import make, planted

__all__ = ["make", "open_page", "planted"]

MAIN = Path(__file__).resolve().parents[2] / "pages" / "main.py"


Open = Callable[..., AppTest]


def counted(page: AppTest) -> str:
    """How many products the bar at the top of a page says that the cohort has."""
    bodies = (str(part.proto.body) for part in page.get("html"))
    return next(found[1] for body in bodies if (found := re.search('vitrine-count">([^<]*)<', body)))


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """A page that is run here becomes `__main__`, and processes that later tests start would run it, or miss its file."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """open_page("browse.py", dataset="x", geo=["cz"]) runs a page with the address's parameters."""

    def run(script: str, /, **query: str | list[str]) -> AppTest:
        test = AppTest.from_file(str(MAIN), default_timeout=120)
        for key, value in query.items():
            test.query_params[key] = value
        test.run()
        if script != "home.py":
            test.switch_page(script).run()
        return test

    # A tested page has no connection, so nobody's address either: it is the machine's own visitor.
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: True)
    st.cache_data.clear()
    st.cache_resource.clear()
    yield run
    st.cache_data.clear()
    st.cache_resource.clear()
