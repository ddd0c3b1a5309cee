"""The Alignment page as a visitor sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.build import import_dataset
from core.catalog.info import datasets
from core.labels import alignment, decisions

Open = Callable[..., AppTest]
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def shops(home: Path, tmp_path: Path) -> None:
    for name, subs in (("one", ("Mugs", "Lamp")), ("two", (f"Mugs {EVIL}", "Lamps"))):
        rows = [{"item_id": f"{name}{at}", "name": f"{sub} {at}", "category": f"Home > {sub}"} for sub in subs for at in range(3)]  # fmt: skip
        pd.DataFrame(rows).to_csv(tmp_path / f"{name}.csv", index=False)
        import_dataset("table", [str(tmp_path / f"{name}.csv")], name)


def shown(test: AppTest) -> str:
    """All words and markup of the page."""
    parts = [*test.markdown, *test.caption, *test.info, *test.success, *test.error, *test.get("html")]
    return " ".join(str(getattr(part, "value", "") or getattr(part.proto, "body", "")) for part in parts)


def press(test: AppTest, label: str) -> None:
    next(button for button in test.button if button.label == label).click().run()
    assert not test.exception


@pytest.mark.usefixtures("shops")
def test_pairs_are_decided_undone_named_and_merged(open_page: Open) -> None:
    test = open_page("alignment.py", dataset="one", **{"with": "two"})
    assert not test.exception and "Are these two one class?" in [part.value for part in test.subheader]
    found = alignment.align("one", "two")
    press(test, "Pass")
    assert "&lt;img src=x" in shown(test) and EVIL not in shown(test)
    press(test, "Same")
    assert [one.answer for one in decisions.decisions(found).values()] == ["same"]
    press(test, "Undo")
    assert not decisions.decisions(found)
    named = next(field for field in test.text_input if field.label == "Same, under a new name")
    named.set_value("Lights").run()
    assert [one.name for one in decisions.decisions(found).values()] == ["Lights"]
    test = open_page("alignment.py", dataset="one", view="Candidates", **{"with": "two"})
    assert not test.exception and len(test.dataframe[0].value) == len(found.candidates())
    test = open_page("alignment.py", dataset="one", view="Merge", **{"with": "two"})
    press(test, "Write the merged dataset")
    assert "one-two-aligned" in [one.name for one in datasets()]


@pytest.mark.usefixtures("shops")
def test_a_visitor_only_looks_and_bad_addresses_are_told(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = open_page("alignment.py", dataset="one", **{"with": "its sources, by split"})
    assert not test.exception and "one source only" in shown(test)
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    test = open_page("alignment.py", dataset="one", **{"with": "two"})
    assert not [button for button in test.button if button.label == "Same"]
