"""The Duplicates page as a visitor sees it."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.products import Products
from core.duplicates import finding, judging
from core.duplicates.lookalikes import LookAlikes
from pages.components.duplicates.duplicates_pairs import similarity_text
from tests.planted import picture

Open = Callable[..., AppTest]
VIEWS = ("Overview", "Pairs", "Judge", "Leakage", "Look-alikes", "Twins")


def shown(test: AppTest) -> str:
    """All words and markup of the page."""
    parts = [*test.markdown, *test.caption, *test.info, *test.error, *test.get("html")]
    return " ".join(str(getattr(part, "value", "") or getattr(part.proto, "body", "")) for part in parts)


def test_before_anybody_looked_it_says_what_to_do(planted: Products, open_page: Open) -> None:
    test = open_page("duplicates.py", dataset="planted")
    assert not test.exception and "Duplicates of planted are not computed yet" in test.info[0].value.replace(
        "\\", ""
    )
    assert [button.label for button in test.button] == ["Find duplicates"]


def test_a_visitor_from_elsewhere_starts_nothing(
    planted: Products, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    assert not open_page("duplicates.py", dataset="planted").button
    finding.find(planted, ["hash"])
    assert not open_page("duplicates.py", dataset="planted", view="Judge").button


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens(planted: Products, open_page: Open, view: str) -> None:
    finding.find(planted, ["bytes", "pixels", "hash", "text"])
    LookAlikes(planted, None)
    test = open_page("duplicates.py", dataset="planted", view=view)
    assert not test.exception and not test.error


def test_the_overview_counts_what_leaks(planted: Products, open_page: Open) -> None:
    finding.find(planted, ["bytes", "pixels", "text"])
    test = open_page("duplicates.py", dataset="planted")
    assert {metric.label: metric.value for metric in test.metric} == {
        "Same file": "1",
        "Same picture": "3",
        "Text": "1",
    }


def test_a_threshold_in_the_address_takes_its_pairs(planted: Products, open_page: Open) -> None:
    finding.find(planted, ["bytes", "hash"])
    test = open_page("duplicates.py", dataset="planted", view="Pairs", by="Look (hash)", hash="0")
    assert test.slider(key="hash").value == 0
    strict = shown(test)
    test.slider(key="hash").set_value(16).run()
    assert not test.exception and "pairs are within the threshold" in strict
    assert test.slider(key="hash").value == 16 and "Facing left" in shown(test)


def test_words_of_a_dataset_are_not_markup(make: Callable[..., Products], open_page: Open) -> None:
    bad = "<img src=x onerror=alert(1)>"
    products = make(
        [{"name": bad, "description": "d", "split": split, "category": bad} for split in ("train", "test")]
    )
    finding.find(products, ["text"])
    for view in ("Pairs", "Judge"):
        test = open_page("duplicates.py", dataset="planted", view=view)
        assert not test.exception
        assert "<img src=x" not in shown(test) and "&lt;img src=x" in shown(test)


def test_a_yes_is_kept_and_the_next_pair_comes(planted: Products, open_page: Open) -> None:
    finding.find(planted, ["pixels"])
    test = open_page("duplicates.py", dataset="planted", view="Judge", by="Same picture")
    test.text_input[0].set_value("Ana")
    next(button for button in test.button if button.label == "Yes").click().run()
    (answer,) = judging.judgements(planted.info, "pixels").values()
    assert (answer.answer, answer.who) == ("yes", "Ana")
    assert test.metric[0].value == "100%" and not test.exception
    assert "not simply averaged" in shown(test)


def test_leakage_offers_what_to_drop(planted: Products, open_page: Open) -> None:
    finding.find(planted, ["bytes", "pixels", "text"])
    test = open_page("duplicates.py", dataset="planted", view="Leakage")
    assert {metric.label: metric.value for metric in test.metric}["Products to drop"] == "4"
    assert 'target="_self">Open 3 leaking from test</a>' in shown(test)


def test_likeness_is_said_in_the_detectors_own_words() -> None:
    assert (
        similarity_text("hash", 124) == "4 of 128 bits differ"
        and similarity_text("hash", 128) == "the same hash"
    )
    assert similarity_text("pixels", np.float32(252.5)) == "pixel difference 2.5"
    assert similarity_text("recoloured", np.float32(253.5)) == "after colour correction, pixel difference 1.5"
    assert (
        similarity_text("vectors", 0.9871) == "similarity 0.987"
        and similarity_text("text", 1.0) == "the same text"
    )


def test_filters_of_the_page_before_are_said_to_be_left_out(planted: Products, open_page: Open) -> None:
    finding.find(planted, ["bytes", "text"])
    assert "in the whole dataset" not in shown(open_page("duplicates.py", dataset="planted"))
    by_link = open_page("duplicates.py", dataset="planted", split="test")
    assert "in the whole dataset" in shown(by_link)
    assert by_link.button(key="chip-split").label == "split test"
    test = open_page("browse.py", dataset="planted", text="left", split="test")
    del test.query_params["dataset"]  # as a link of the menu does
    test.switch_page("duplicates.py").run()
    assert not test.exception and not test.error
    chips = [button.label for button in test.button if str(button.key).startswith("chip-")]
    assert chips == ["split test", "“left”", "Clear"]
    test.button(key="chip-split").click().run()
    assert [button.label for button in test.button if str(button.key).startswith("chip-")] == [
        "“left”",
        "Clear",
    ]


def test_of_twins_a_label_is_marked_where_most_say_another(
    make: Callable[..., Products], open_page: Open
) -> None:
    listed = [("cz", "boots", 1), ("sk", "boots", 1), ("hu", "hats", 1), ("cz", "cap", 2), ("sk", "coat", 2)]
    make(
        [{"geo": geo, "category": label, "image_id": str(image), "image": picture(image)} for geo, label, image in listed]
    )  # fmt: skip
    finding.find(Products.open("planted"), ["bytes"])
    marked = re.findall(
        "<mark>(.*?)</mark>", shown(open_page("duplicates.py", dataset="planted", view="Twins"))
    )
    assert sorted(marked) == ["cap", "coat", "hats"], "where as many say one as the other, both are marked"
