"""Kept evaluations: found again by exactly what was asked, never half there, and honest about what changed."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.catalog import info as catalog
from core.commands.app import app
from core.errors import StorageError, UsageError, VitrineError
from core.evaluation import cache, charts, class_charts
from core.evaluation.cache import Evaluation
from core.evaluation.choice import Choice
from core.evaluation.evaluate import evaluate
from core.evaluation.published import PER_COUNTRY, TABLES, measured
from core.evaluation.status import working
from core.models.registry import model
from core.training.runs import find_run


def toy(sees: str = "both") -> Evaluation:
    found = cache.find(model("toy-run"), Choice("toy", sees=sees))
    assert found is not None
    return found


def test_what_is_kept_is_what_the_command_says(evaluated: Path) -> None:
    report = evaluate("toy-run", "test", workers=1)
    assert toy().report == json.loads(json.dumps(cache.without_nan(report)))
    table = toy().predictions()
    assert len(table) == report["n"] and table.correct.mean() == report["top1"]
    assert {"row_id", "label_source", "probability", "rank"} <= set(table.columns)
    assert toy().path.is_relative_to(evaluated / "runs" / "toy-run" / "evaluations")
    assert not list(toy().path.parent.glob(".*")) and not list(toy().path.parent.glob("*.lock"))


def test_every_choice_is_another_evaluation(evaluated: Path) -> None:
    spec = model("toy-run")
    assert toy().path != toy("text").path and toy("text").report["n"] < toy().report["n"]
    for other in ({"split": "train"}, {"labels": "human"}, {"inference": "sampled"}, {"ties": "fair"}):
        assert cache.find(spec, replace(Choice("toy"), **other)) is None
    assert [made.choice.sees for _, made in cache.evaluations([spec], "toy")] != []
    assert len(cache.evaluations([spec], "toy")) == 2
    with pytest.raises(UsageError, match="not one of"):
        Choice("toy", split="dev")
    with pytest.raises(VitrineError, match="no dataset named"):
        cache.find(spec, Choice("nowhere"))


def test_what_came_with_vitrine_is_found_on_the_same_products_alone(
    evaluated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "toy-run"
    shutil.copytree(evaluated / "runs" / "toy-run", shipped)
    spec, choice = replace(model("toy-run"), weights="bundled", folder=shipped), Choice("toy")
    here = catalog.info("toy")
    monkeypatch.setattr(catalog, "info", lambda name: replace(here, fingerprint="drawn on another machine"))
    found = cache.find(spec, choice)
    assert found is not None and found.path.parent == shipped / cache.FOLDER
    assert cache.find(spec, choice, shipped=False) is None
    assert [made.path for _, made in cache.evaluations([spec], "toy")] == [found.path]
    monkeypatch.setattr(cache, "weights_of", lambda spec: "another")
    assert cache.find(spec, choice) is None
    monkeypatch.undo()
    monkeypatch.setenv("VITRINE_HOME", str(evaluated))
    monkeypatch.setattr(
        cache.Products, "by_row", lambda self, rows: [{"item_id": "x", "category_path": ()}] * len(rows)
    )
    cache._same_products.cache_clear()
    assert cache.shipped_with(spec, choice) is None
    cache._same_products.cache_clear()


def test_new_weights_and_a_new_import_make_it_outdated(
    evaluated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, choice, info = model("toy-run"), Choice("toy"), catalog.info("toy")
    old = toy()
    assert old.stale(spec, info) == ""
    monkeypatch.setattr(cache, "weights_of", lambda spec: "another")
    assert cache.find(spec, choice) is None
    outdated = cache.outdated(spec, choice)
    assert outdated is not None and outdated.path == old.path
    assert outdated.stale(spec, info) == "the model was trained further"
    assert "imported again" in old.stale(spec, replace(info, fingerprint="another"))
    assert cache.evaluations([spec], "toy") == []


def test_a_damaged_file_is_no_evaluation(evaluated: Path, tmp_path: Path) -> None:
    whole = toy().path.read_bytes()
    for name, data in (("cut", whole[: len(whole) // 2]), ("other", b"PAR1"), ("empty", b"")):
        (tmp_path / name).write_bytes(data)
        assert cache.read(tmp_path / name) is None
    assert cache.read(tmp_path / "absent") is None
    gone = replace(toy(), path=tmp_path / "absent")
    with pytest.raises(StorageError, match="Evaluate again"):
        gone.predictions()


def test_how_far_it_is_and_why_it_ended_can_be_seen(evaluated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, choice = model("toy-run"), Choice("toy", sees="picture")
    assert cache.status_of(spec, choice) is None
    monkeypatch.setattr("core.evaluation.status.UPDATE_EVERY_S", 0.0)
    seen = []

    def look(done: int, total: int, what: str) -> None:
        seen.append(cache.status_of(spec, choice))

    cache.evaluate_and_store(spec, choice, look, workers=1)
    running = [state for state in seen if state is not None]
    assert running and all(state.state == "running" for state in running)
    assert running[0].left_s is None, "nothing was counted yet"
    assert cache.status_of(spec, choice) is None and cache.find(spec, choice) is not None

    def stumble(*_: object, **__: object) -> None:
        raise UsageError("No product of the test split has what is needed (picture).")

    monkeypatch.setattr("core.evaluation.evaluate.evaluate", stumble)
    choice = replace(choice, labels="human")
    with pytest.raises(UsageError):
        cache.evaluate_and_store(spec, choice)
    state = cache.status_of(spec, choice)
    assert state is not None and state.state == "failed" and "No product" in state.error
    assert cache.find(spec, choice) is None
    with working(cache.path_of(spec, choice), look), pytest.raises(StorageError, match="already running"):
        cache.evaluate_and_store(spec, choice)


def test_a_process_evaluates_and_the_page_only_starts_it(evaluated: Path) -> None:
    spec, choice = model("toy-run"), Choice("toy", sees="both", ties="fair")
    cache.start(spec, choice)
    cache.start(spec, choice)  # a second click changes nothing
    assert choice.options() == ["--dataset", "toy", "--ties", "fair"]
    until = time.monotonic() + 120
    while (state := cache.status_of(spec, choice)) and state.state == "running" and time.monotonic() < until:
        time.sleep(0.1)
    assert cache.find(spec, choice) is not None, state


def test_a_deleted_run_keeps_nothing(evaluated: Path, tmp_path: Path) -> None:
    shutil.copytree(find_run("toy-run"), evaluated / "runs" / "short-lived")
    spec = model("short-lived")
    shutil.rmtree(evaluated / "runs" / "short-lived")
    assert cache.find(spec, Choice("toy")) is None and cache.status_of(spec, Choice("toy")) is None
    with pytest.raises(StorageError, match="does not exist any more"):
        cache.evaluate_and_store(spec, Choice("toy"))
    assert not (evaluated / "runs" / "short-lived").exists()
    with pytest.raises(VitrineError):
        cache.start(spec, Choice("toy"))


def test_charts_say_what_was_measured(evaluated: Path) -> None:
    made, table = toy(), toy().predictions()
    country = charts.by_country(made)
    assert set(country.table["group"]) == {"cz", "sk"} and country.table.n.sum() == 27
    assert country.table.set_index("group").paper_top1.to_dict() == {"cz": 0.592, "sk": 0.805}
    assert "GLAMI-1M test, 116,004 products" in country.explanation
    assert (country.table.top1_low <= country.table.top1).all()
    for display in (
        country,
        charts.by_label_source(made),
        charts.reliability(made),
        class_charts.confusions(made, table),
    ):
        figure = display.figure()
        assert figure.layout.title.text and "toy-run on toy, test" in figure.layout.title.subtitle.text
    weak = toy("text")
    heat = class_charts.confusions(weak, weak.predictions())
    assert heat.values.get("wrong", 0) == int((~weak.predictions().correct).sum())
    classes = class_charts.classes_table(made, {"bags": 9})
    assert classes.n.sum() == 27 and classes.set_index("label").training.to_dict()["bags"] == 9
    tail = class_charts.long_tail(made, {"bags": 300, "hats": 10, "shoes": 150})
    assert "below 20 training products" in tail.title and tail.figure().data
    figures = {row["figure"]: row for row in charts.figures(made)}
    assert figures["Top-1"]["low"] <= figures["Top-1"]["value"] <= figures["Top-1"]["high"]


def test_without_countries_and_mistakes_charts_say_so(evaluated: Path) -> None:
    made = toy()
    bare = replace(made, report=made.report | {"per_geo": {"(none)": {"top1": 1.0, "top5": 1.0, "n": 27}}})
    assert "no countries" in charts.by_country(bare).cannot
    table = made.predictions()
    assert "No misclassified products" in class_charts.confusions(made, table[table.correct]).cannot
    one = replace(made, report=made.report | {"per_class": made.report["per_class"][:1]})
    assert "Fewer than two classes" in class_charts.long_tail(one, {"bags": 3}).cannot
    empty = replace(made, report=made.report | {"reliability": [], "calibration_error": None})
    assert "There are no predictions" in charts.reliability(empty).cannot


def test_the_papers_are_as_printed() -> None:
    glami, _, mep = TABLES
    best = max(glami.rows, key=lambda row: row.figures["top1"])
    assert (best.sees, best.trained_on, best.figures) == (
        "both",
        "all labels",
        {"top1": 0.697, "top5": 0.940},
    )
    assert {row.model: row.figures["f1"] for row in mep.rows}["LMF"] == 0.9125
    values = [top1 for top1, _ in PER_COUNTRY.values()]
    assert len(values) == 13 and round(max(values) - min(values), 3) == 0.216
    report = {"top1": 0.5, "top5": 0.9, "ap_macro": 0.4, "f1_weighted": 0.6}
    assert measured(report, mep) == {"top1": 0.5, "top5": 0.9, "ap": 0.4, "f1": 0.6}


def test_the_command_keeps_and_saves(evaluated: Path, tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        app,
        ["evaluate", "toy-run", "--sees", "text", "--keep", "--json", "--save", str(tmp_path / "p.parquet")],
    )
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout) == toy("text").report
    assert cache.read(tmp_path / "p.parquet") is not None


def test_brief_names_are_all_different() -> None:
    labels = [
        "Shoes > Women's shoes > Sneakers", "Shoes > Men's shoes > Sneakers", "Men > Tops > T-shirts",
        "Women > Tops > T-shirts", "Bags > Wallets", "womens-boots", "A > B > C", "B > A > C",
    ]  # fmt: skip
    names = class_charts.brief_names(labels)
    assert [names[label] for label in labels] == [
        "Women's shoes › Sneakers", "Men's shoes › Sneakers", "Men › T-shirts", "Women › T-shirts", "Wallets",
        "womens-boots", "A › B › C", "B › A › C",
    ]  # fmt: skip
    assert names["never seen"] == "never seen" and names[None] == "(none)"  # type: ignore[index]


def test_the_time_left_is_by_the_pace_of_counting_alone(
    evaluated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, choice = model("toy-run"), Choice("toy", split="train")
    monkeypatch.setattr("core.evaluation.status.UPDATE_EVERY_S", 0.0)
    clock = [100.0]  # seconds that loading took before anything was counted
    monkeypatch.setattr("core.evaluation.status.time.monotonic", lambda: clock[0])
    with working(cache.path_of(spec, choice), lambda *_: None) as tell:
        for done, left in ((10, None), (20, 8.0), (60, 2.4)):
            tell(done, 100, "Classifying")
            state = cache.status_of(spec, choice)
            assert state is not None and state.left_s == (left and pytest.approx(left))
            clock[0] += done / 10  # a second for ten products
        tell(1, 3, "Decoding")
        state = cache.status_of(spec, choice)
        assert state is not None and state.left_s is None, "another thing is counted"


@pytest.mark.parametrize("option", [("--inference", "x"), ("--ties", "x"), ("--sees", "x"), ("--split", "x")])
def test_the_command_takes_no_unknown_choice(evaluated: Path, option: tuple[str, str]) -> None:
    answer = CliRunner().invoke(app, ["evaluate", "toy-run", *option])
    assert answer.exit_code == 1 and "'x' is not one of the" in str(answer.exception)


def test_the_command_says_what_was_never_taught(evaluated: Path) -> None:
    """A model of other classes: every product counts as a mistake, and what is not defined is null."""
    answer = CliRunner().invoke(app, ["evaluate", "embracenet-tiny", "--dataset", "toy", "--json"])
    assert answer.exit_code == 0 and "not among the model's classes" in answer.stderr
    json.loads(answer.stdout, parse_constant=pytest.fail)


def test_a_configuration_of_something_else_is_refused(evaluated: Path, tmp_path: Path) -> None:
    for text in ("{}", "[]", '{"model": 1}'):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(VitrineError, match="does not describe a classifier"):
            evaluate(tmp_path)
