"""The Languages page as a visitor sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from core.commands.app import app
from tests.spoken import told

Open = Callable[..., AppTest]


def shown(test: AppTest) -> str:
    """All words and markup of the page."""
    parts = [*test.markdown, *test.caption, *test.info, *test.error, *test.get("html")]
    return " ".join(str(getattr(part, "value", "") or getattr(part.proto, "body", "")) for part in parts)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, ("9 pairs: 3 with two texts", "from=Czechia", "Published: GLAMI", "9.2k")),
        ({"view": "Counts", "geo": ["cz"]}, ("No two products of this cohort", "Published: GLAMI")),
        ({"view": "Pairs", "from": "Czechia", "to": "Slovakia"}, ("4 pairs of Czechia and Slovakia", "Boty na každý den", "the same text in both")),
        ({"view": "Pairs", "from": "Spain", "to": "Hungary", "kind": "Text missing"}, ("1 pair of Spain and Hungary", "no text")),
        ({"view": "Pairs", "from": "Czechia", "to": "Czechia"}, ("Choose two different countries",)),
        ({"view": "One product"}, ("1 of 3 pictures", "Chaqueta", "no description")),
        ({"view": "One product", "page": "2"}, ("2 of 3 pictures", "Not sold in Hungary, Spain")),
        ({"view": "Translation"}, ("told has no translations yet", "vitrine translate told")),
        ({"view": "Search"}, ("vitrine languages told --search",)),
        ({"view": "In use"}, ("Spain", "en 1", "an example")),
    ],
)  # fmt: skip
def test_views(
    home: Path, tmp_path: Path, open_page: Open, query: dict[str, str], says: tuple[str, ...]
) -> None:
    told(tmp_path)
    test = open_page("languages.py", dataset="told", **query)
    assert not test.exception and not test.error
    words = shown(test) + " ".join(code.value for code in test.code)
    for part in says:
        assert part.replace(" ", "") in words.replace("\\", "").replace(" ", ""), part


def test_translations_and_a_measured_search(home: Path, tmp_path: Path, open_page: Open) -> None:
    told(tmp_path)
    run = CliRunner()
    assert (
        run.invoke(app, ["translate", "told", "--from", "cz", "--to", "sk,es", "--model", "copy"]).exit_code
        == 0
    )
    assert run.invoke(app, ["languages", "told", "--search"]).exit_code == 0
    test = open_page(
        "languages.py", dataset="told", view="Translation", **{"from": "Czechia", "to": "Slovakia"}
    )
    words = shown(test)
    assert (
        not test.exception and "3 pairs" in words and "machine translation" in words and "9.96" not in words
    )
    test = open_page("languages.py", dataset="told", view="Translation", which="Every pair", measure="chrF")
    assert not test.exception and "4 pairs" in shown(test)
    test = open_page("languages.py", dataset="told", view="One product", page="2")
    assert "Translate for the other countries" in [button.label for button in test.button]
    test = open_page("languages.py", dataset="told", view="Search")
    assert not test.exception and [metric.label for metric in test.metric] == ["By words"]


def test_texts_are_shown_as_they_are(home: Path, tmp_path: Path, open_page: Open) -> None:
    evil = "<script>alert(1)</script>"
    told(tmp_path, [("p", "cz", evil, evil, "train"), ("p", evil, evil, evil + " sk", "train")], "evil")
    for view in ("Counts", "Pairs", "One product", "In use"):
        test = open_page("languages.py", dataset="evil", view=view)
        assert not test.exception and "<script>alert" not in shown(test)
