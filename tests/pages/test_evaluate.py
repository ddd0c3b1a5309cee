"""The Evaluate page from its address: every part, nothing evaluated yet, and what vanishes while somebody looks."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.embeddings.seen import Exposure
from core.evaluation import cache
from core.evaluation.choice import Choice
from core.evaluation.status import working
from core.models.registry import model
from tests.pages.conftest import Open

PARTS = (
    "Figures",
    "Countries",
    "Priors",
    "Calibration",
    "Confusions",
    "Classes",
    "Mistakes",
    "Compare",
    "Papers",
)


def words(test: object) -> str:
    """All that the page says."""
    kinds = ("markdown", "caption", "info", "warning", "error", "subheader", "code")
    return "\n".join(element.value for kind in kinds for element in getattr(test, kind))


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_reached_by_its_address(part: str, evaluated: Path, open_page: Open) -> None:
    test = open_page("evaluate.py", dataset="toy", model="toy-run", sees="Text", part=part)
    assert not test.exception, test.exception
    assert not test.error and not test.warning
    assert "toy\\-run on toy, test · 23 products · inputs\\: the text alone" in words(test)
    assert [metric.label for metric in test.metric][:2] == ["Top-1", "Top-5"]
    if part == "Compare":
        said = words(test)
        assert "only with “text alone”" in said and "McNemar" in said
    if part == "Papers":
        first = test.dataframe[0].value
        assert first["from"].tolist()[:2] == ["measured here"] * 2 and "paper" in first["from"].tolist()
        assert first["Top-1"].max() <= 100 and "toy test, 23 products" in first["on"].tolist()
        zero_shot = test.dataframe[1].value
        assert "measured here" not in zero_shot["from"].tolist(), (
            "no trained model beside those that never were"
        )
        assert "cited" in test.dataframe[-1].value["from"].tolist(), "the paper of incorrect pairs"
    if part == "Figures":
        assert test.dataframe[1].value["top-1"].tolist()[0] == pytest.approx(
            float(test.metric[0].value.rstrip("%")), abs=0.06
        )


def test_the_filters_of_the_page_before_have_a_line_of_their_own(evaluated: Path, open_page: Open) -> None:
    test = open_page("evaluate.py", dataset="toy", model="toy-run", sees="Text", geo="cz")
    assert not test.exception and not test.error, test.exception
    assert test.button(key="chip-geo").label == "country cz"
    assert re.search(r"Of the filtered products, \d+ were evaluated: top-1 ", words(test).replace("\\", ""))
    nothing = open_page(
        "evaluate.py", dataset="toy", model="toy-run", sees="Text", split="train", part="Mistakes"
    )
    assert "None of these products is among those that were evaluated" in words(nothing)


def test_a_products_dialog_says_what_the_newest_evaluation_predicted(
    evaluated: Path, open_page: Open
) -> None:
    row = Products.open("toy").rows(Cohort("toy", split=("test",)), limit=1)[0]
    test = open_page("browse.py", dataset="toy", product=f"{row['item_id']}~{row['row_id']}")
    assert not test.exception, test.exception
    leads = next(
        str(part.proto.body) for part in test.get("html") if 'class="vitrine-leads"' in str(part.proto.body)
    )
    assert "What the classifier says" in leads and ("as labelled" in leads or "unlike its label" in leads)
    assert f"/classify?dataset=toy&amp;product={row['item_id']}~{row['row_id']}" in leads.replace("%7E", "~")
    assert "Its duplicates" in leads and "not searched yet" in leads


def test_a_prompted_model_that_saw_the_classes_is_called_so(
    evaluated: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundled encoder was trained on hats and shoes; one that was not stands beside the paper's figures."""
    name = "zero-shot-clip-tiny@toy"
    cache.evaluate_and_store(model(name), Choice("toy"), workers=1)

    def shown(part: str) -> tuple[str, list[str]]:
        test = open_page("evaluate.py", dataset="toy", model=name, part=part)
        assert not test.exception, test.exception
        tables = [table.value for table in test.dataframe]
        return words(test).replace("\\", ""), tables[1]["from"].tolist() if part == "Papers" else []

    said, origins = shown("Papers")
    assert "Not zero-shot: CLIP tiny (bundled) was trained on other pictures of 2 of the 3 categories" in said
    assert "is left out of this table" in said
    assert "measured here" not in origins
    unseen = Exposure("none", "CLIP tiny", "toy", 3)
    monkeypatch.setattr("core.models.registry.exposure_of", lambda *_: unseen)
    said, origins = shown("Papers")
    assert "Not zero" not in said and origins.count("measured here") == 1
    cache.path_of(model(name), Choice("toy")).unlink()


def test_a_model_of_one_input_is_only_offered_what_it_can(evaluated: Path) -> None:
    def script() -> None:
        from dataclasses import replace

        from core.catalog import info as catalog
        from core.evaluation import cache
        from core.evaluation.choice import Choice
        from core.models.registry import model
        from pages.components.evaluate import comparison

        spec = model("toy-run")
        found = cache.find(spec, Choice("toy"))
        assert found is not None
        alone = replace(spec, inputs=("text",))
        comparison._say_nothing_there(catalog.info("toy"), alone, found, [alone, model("embracenet-tiny")])

    test = AppTest.from_function(script, default_timeout=120).run()
    assert not test.exception
    assert test.info[0].value.endswith("evaluate another model on the test products of toy.")
    link = test.get("link_button")[0].proto
    assert link.url == "evaluate?dataset=toy&model=embracenet-tiny&evaluated=test"


def test_who_comes_without_an_address_sees_the_first_model_on_its_own_data(
    evaluated: Path, open_page: Open
) -> None:
    test = open_page("evaluate.py")
    assert not test.exception and not test.error
    assert (test.query_params["dataset"], test.query_params["model"]) == ("toy", "toy-run")
    assert test.metric[0].label == "Top-1"


def test_what_was_not_evaluated_is_offered(
    evaluated: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(cache, "start", lambda spec, choice: started.append((spec.name, choice)))
    test = open_page("evaluate.py", dataset="toy", model="toy-run", sees="Picture", inference="Sampled")
    assert not test.exception and "is not evaluated yet" in test.info[0].value
    assert "EmbraceNet" in test.info[0].value and "test products of toy (27)" in test.info[0].value.replace(
        "\\", ""
    )
    command = "vitrine evaluate toy-run --dataset toy --sees picture --inference sampled --keep"
    assert test.code[0].value == command
    test.button[0].click().run()
    assert started == [("toy-run", Choice("toy", sees="picture", inference="sampled"))]
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    test = open_page("evaluate.py", dataset="toy", model="toy-run", sees="Picture")
    assert not test.button and "on the machine that serves" in words(test)


def test_one_that_runs_shows_how_far_it_is(evaluated: Path, open_page: Open) -> None:
    spec, choice = model("toy-run"), Choice("toy", labels="human")
    with working(cache.path_of(spec, choice), lambda *_: None) as tell:
        tell(10, 20, "Classifying")
        test = open_page("evaluate.py", dataset="toy", model="toy-run", labels="By a person")
        assert not test.exception and not test.button
        assert "Classifying 10 of 20" in test.get("progress")[0].proto.text
    with pytest.raises(RuntimeError), working(cache.path_of(spec, choice), lambda *_: None):
        raise RuntimeError("out of memory")
    test = open_page("evaluate.py", dataset="toy", model="toy-run", labels="By a person")
    assert "out of memory" in test.error[0].value and test.button[0].label == "Evaluate"


def test_a_model_that_is_gone_is_said(evaluated: Path, open_page: Open) -> None:
    test = open_page("evaluate.py", dataset="toy", model="<b>gone</b>")
    assert not test.exception
    assert "no model named" in test.warning[0].value and "<b>" not in test.warning[0].value
    assert test.metric[0].label == "Top-1"


def test_outdated_figures_are_shown_with_a_warning(
    evaluated: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "weights_of", lambda spec: "another")
    test = open_page("evaluate.py", dataset="toy", model="toy-run")
    assert not test.exception
    assert "trained further" in test.warning[0].value and test.metric[0].label == "Top-1"
    assert test.button[0].label == "Evaluate"


def test_a_run_deleted_while_looked_at(evaluated: Path, open_page: Open) -> None:
    shutil.copytree(evaluated / "runs" / "toy-run", evaluated / "runs" / "other-run")
    test = open_page("evaluate.py", dataset="toy", model="other-run", part="Mistakes")
    assert not test.exception and test.metric
    shutil.rmtree(evaluated / "runs" / "other-run")
    test.run()
    assert not test.exception
    assert "no model named other\\-run any more" in test.warning[0].value


def test_a_dataset_of_other_classes_is_warned_of(evaluated: Path, open_page: Open) -> None:
    test = open_page("evaluate.py", dataset="toy", model="embracenet-tiny")
    assert not test.exception
    assert "2 of the 3 categories of toy are not among this model's classes" in words(test)


def test_without_datasets_or_models_it_says_what_to_do(
    home: Path, evaluated: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_HOME", str(home))
    test = open_page("evaluate.py")
    assert not test.exception and "no dataset" in test.info[0].value
    monkeypatch.setenv("VITRINE_HOME", str(evaluated))
    monkeypatch.setattr("core.models.registry.models", lambda: [])
    test = open_page("evaluate.py")
    assert not test.exception and "no model yet" in test.info[0].value
    assert "python -m trainers" in test.code[0].value
