"""Saved views on the pages: saved by who may, seen by all, damaged ones said."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.catalog import views
from core.settings import settings
from tests.pages.conftest import Open


def buttons(page: object) -> set[str]:
    return {button.label for button in page.button}  # type: ignore[attr-defined]


def test_all_see_the_views_and_who_may_adds_to_them(
    home: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("home.py")
    assert not page.exception and "Add from a file" in buttons(page)
    assert "Save this view" not in buttons(page)  # Home is no view
    views.save(views.view("<b>Red</b>", "browse", {"dataset": ["shop"]}))
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    page = open_page("home.py")
    assert any(header.value == "Saved views" for header in page.header)
    assert any("&lt;b&gt;Red&lt;/b&gt;" in element.proto.body for element in page.get("html"))
    assert any("shop is not here" in caption.value for caption in page.caption)
    assert not {"Add from a file", "Delete it"} & buttons(page)


def test_a_damaged_list_leaves_home_as_it_is(home: Path, open_page: Open) -> None:
    home.mkdir(exist_ok=True)
    (settings().home / views.FILE).write_text("{cut")
    page = open_page("home.py")
    assert not page.exception and any("cannot be read" in error.value for error in page.error)
    assert any(header.value == "Datasets" for header in page.header)
