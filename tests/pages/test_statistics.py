"""The Statistics page from its address: every subject, every dataset, a cohort, and a chart that opens its products."""

from __future__ import annotations

import json

import pytest

from core.statistics.overview import SUBJECTS
from tests.pages.conftest import Open


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test waits for charts that a visitor would see come later."""
    monkeypatch.setattr("pages.components.shared.chart.WAIT_S", 60.0)


@pytest.mark.parametrize("subject", [subject.title for subject in SUBJECTS])
def test_every_subject_is_reached_by_its_address(subject: str, glami_mini: str, open_page: Open) -> None:
    test = open_page(
        "dataset_statistics.py", dataset=glami_mini, subject=subject, geo=["cz"], split=["train"]
    )
    assert not test.exception, test.exception
    assert not test.error
    assert test.button_group(key="subject").value in (subject, [subject])
    assert test.button(key="chip-geo") and test.button(key="chip-split")
    charts = [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]
    assert charts or test.info
    for figure in charts:
        assert figure["layout"]["title"]["text"]
        assert "glami-mini: split train; geo cz" in figure["layout"]["title"]["subtitle"]["text"]


def test_a_dataset_without_countries_says_so(glami_mini: str, open_page: Open) -> None:
    test = open_page(
        "dataset_statistics.py", dataset=glami_mini, subject="Shift", geo=["cz"], text="unfindable"
    )
    assert not test.exception
    assert any("match the filter" in info.value for info in test.info)


def test_choices_are_in_the_address(glami_mini: str, open_page: Open) -> None:
    test = open_page(
        "dataset_statistics.py", dataset=glami_mini, subject="Shift", of="label source", against="country"
    )
    assert not test.exception
    figure = json.loads(test.get("plotly_chart")[0].proto.spec)
    assert {trace["name"] for trace in figure["data"]} >= {"cz", "sk"}
    test = open_page("dataset_statistics.py", dataset=glami_mini, subject="Hierarchy", shape="sunburst")
    assert json.loads(test.get("plotly_chart")[0].proto.spec)["data"][0]["type"] == "sunburst"


def test_without_datasets_it_leads_home(home, open_page: Open) -> None:
    test = open_page("dataset_statistics.py")
    assert not test.exception and "no dataset" in test.info[0].value
