"""Files of predictions: scored as scikit-learn and GLAMI's code do, or refused with a line that says what to do."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score

from core.answers.database import Database
from core.benchmark.predictions import read_predictions
from core.benchmark.records import Card, Closed
from core.benchmark.scores import score
from core.benchmark.store import Submissions
from core.benchmark.submit import submit_evaluation, submit_file
from core.benchmark.truth import Task, Truth
from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.errors import BenchmarkError
from core.evaluation import cache
from core.evaluation.choice import Choice
from core.models.registry import model
from tests.databases import Postgres

CLASSES = ["Hats", "Shoes > Boots", "Shoes > Sandals", "Skirt", "Tops > Shirts", "Tops > Vests"]
TASK = Task("shop")


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """300 test and 200 training products of six classes; ids begin with zeros."""
    folder = tmp_path_factory.mktemp("benchmark")
    rng = np.random.default_rng(0)
    table = pd.DataFrame({
        "item_id": [f"{number:05d}" for number in range(500)],
        "split": ["test"] * 300 + ["train"] * 200,
        "title": "x", "country": rng.choice(["cz", "sk", "ro"], 500), "label_kind": rng.choice(["human", "machine"], 500),
        "category": rng.choice(CLASSES, 500, p=[0.62, 0.2, 0.1, 0.04, 0.03, 0.01]),
    })  # fmt: skip
    table.to_csv(folder / "shop.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(folder / "home"))
        import_dataset("table", [str(folder / "shop.csv")], "shop")
        return Truth(Products.open("shop"), TASK)


def probabilities(truth: Truth, seed: int = 1) -> np.ndarray:
    """Of a middling model, in 32nds, so that there are ties and sums are exact."""
    rng = np.random.default_rng(seed)
    share = (
        rng.dirichlet(np.ones(len(truth.classes)), len(truth))
        + 0.4 * np.eye(len(truth.classes))[truth.labels]
    )
    counts = rng.multinomial(32, share / share.sum(axis=1, keepdims=True))
    return (counts / 32).astype(np.float32)


def glami_top(given: np.ndarray, labels: np.ndarray, k: int) -> float:
    """As GLAMI's code has it: an ascending argsort, reversed."""
    best = given.argsort(axis=1, kind="stable")[:, ::-1][:, :k]
    return float((best == labels[:, None]).any(axis=1).mean())


def write(path: Path, table: pd.DataFrame) -> Path:
    table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    return path


def test_scores_are_scikit_learns_and_glamis(truth: Truth, tmp_path: Path) -> None:
    given = probabilities(truth)
    table = pd.DataFrame(
        {"item_id": truth.frame.item_id, **{f"p:{name}": given[:, c] for c, name in enumerate(truth.classes)}}
    )
    shuffled = table.sample(frac=1, random_state=0)
    report, scored = score(truth, read_predictions(write(tmp_path / "p.parquet", shuffled), truth))
    labels, first = truth.labels, given.shape[1] - 1 - given[:, ::-1].argmax(axis=1)
    assert report["top1"] == glami_top(given, labels, 1) != float((given.argmax(axis=1) == labels).mean())
    assert report["top5"] == glami_top(given, labels, 5)
    cz = (truth.frame.geo == "cz").to_numpy()
    assert report["per_geo"]["cz"]["top1"] == pytest.approx(glami_top(given[cz], labels[cz], 1))
    assert report["balanced"] == pytest.approx(balanced_accuracy_score(labels, first))
    for average in ("macro", "weighted"):
        assert report[f"f1_{average}"] == pytest.approx(f1_score(labels, first, average=average))
    for average in ("macro", "weighted", "micro"):
        assert report[f"ap_{average}"] == pytest.approx(
            average_precision_score(np.eye(6)[labels], given, average=average)
        )
    per_part = report["per_part"]
    assert per_part["head"]["n"] + per_part["middle"]["n"] + per_part["tail"]["n"] == len(truth)
    assert min(part["n"] for part in per_part.values()) > 0
    assert report["per_kind"]["machine"]["n"] + report["per_kind"]["human"]["n"] == len(truth)
    assert report["calibration_error"] > 0 and scored.hit.mean() == pytest.approx(report["top1"])


def test_the_three_formats_and_three_kinds_say_the_same(truth: Truth, tmp_path: Path) -> None:
    given, ids = probabilities(truth), truth.frame.item_id.tolist()
    order = given.argsort(axis=1, kind="stable")[:, ::-1]
    names = np.array(truth.classes)
    first, five = names[order[:, 0]], [names[row[:5]].tolist() for row in order]
    sparse = [{truth.classes[c]: float(p) for c, p in enumerate(row) if p} for row in given]
    wide = {name: given[:, c] for c, name in enumerate(truth.classes)}
    lines = {
        "label.jsonl": [{"item_id": i, "label": p} for i, p in zip(ids, first, strict=True)],
        "ranked.jsonl": [{"item_id": i, "labels": p} for i, p in zip(ids, five, strict=True)],
        "probabilities.jsonl": [{"item_id": i, "probabilities": p} for i, p in zip(ids, sparse, strict=True)],
    }
    for name, rows in lines.items():
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    leaves = [str(name).split(" > ")[-1] for name in first]
    write(tmp_path / "label.csv", pd.DataFrame({"item_id": ids, "prediction": leaves}))
    write(tmp_path / "ranked.csv", pd.DataFrame({"item_id": ids, "labels": ["|".join(row) for row in five]}))
    write(tmp_path / "ranked.parquet", pd.DataFrame({"item_id": ids, "labels": five}))
    write(tmp_path / "wide.csv", pd.DataFrame({"item_id": ids, **wide}))
    reports = {
        path.name: score(truth, read_predictions(path, truth))[0]
        for path in tmp_path.iterdir()
    }  # fmt: skip
    for name, report in reports.items():
        assert report["top1"] == reports["wide.csv"]["top1"], name
        assert report["f1_macro"] == reports["wide.csv"]["f1_macro"], name
        assert report["per_geo"]["sk"]["top1"] == reports["wide.csv"]["per_geo"]["sk"]["top1"], name
        expected = None if name.startswith("label") else reports["wide.csv"]["top5"]
        assert report["top5"] == expected, name
    assert reports["probabilities.jsonl"]["ap_micro"] == pytest.approx(reports["wide.csv"]["ap_micro"])
    assert reports["label.csv"]["ap_macro"] is None and reports["label.csv"]["calibration_error"] is None


def refused(truth: Truth, path: Path, table: pd.DataFrame | str | bytes, **options: bool) -> str:
    if isinstance(table, pd.DataFrame):
        write(path, table)
    else:
        path.write_bytes(table.encode() if isinstance(table, str) else table)
    with pytest.raises(BenchmarkError) as error:
        read_predictions(path, truth, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_does_not_fit_is_said(truth: Truth, tmp_path: Path) -> None:
    ids, file = truth.frame.item_id.tolist(), tmp_path / "p.csv"
    good = pd.DataFrame({"item_id": ids, "label": [CLASSES[0]] * len(ids)})
    assert "10 of 300 products" in refused(truth, file, good[10:]) and "--missing-as-errors" in refused(
        truth, file, good[10:]
    )
    assert "comes twice" in refused(truth, file, pd.concat([good, good[:1]]))
    lost = good.assign(item_id=good.item_id.str.lstrip("0"))
    assert "lost their leading zeros: " in refused(truth, file, lost)
    other = good.assign(item_id=[f"{number:05d}" for number in range(300, 500)] + ids[200:])
    assert "of the train split, such as item_id 00300" in refused(truth, file, other)
    assert "a file of another dataset?" in refused(
        truth, file, good.assign(item_id=[f"z{one}" for one in ids])
    )
    assert "'hats' → 'Hats'" in refused(truth, file, good.assign(label="hats"))
    assert "'sukně' → 'Skirt'" in refused(truth, file, good.assign(label="sukně")) and "--match" in refused(
        truth, file, good.assign(label="sukně")
    )
    assert "unknown: 'Trousers'" in refused(truth, file, good.assign(label="Trousers"))
    assert "(empty)" in refused(truth, file, good.assign(label=[None] * 300))
    assert "no column item_id" in refused(truth, file, "id,label\n1,Hats\n")
    assert "no predictions" in refused(truth, file, "item_id,colour\n1,red\n")
    assert "has no rows" in refused(truth, file, "item_id,label\n")
    assert "not UTF-8" in refused(truth, file, b"item_id,label\xff\n1,Hats\n")
    assert "pickle" in refused(truth, tmp_path / "p.pkl", pickle.dumps({"a": 1}))
    assert "damaged" in refused(truth, tmp_path / "p.parquet", b"PAR1" + b"\0" * 50)
    assert "line 1: no JSON" in refused(truth, tmp_path / "p.jsonl", "{nonsense\n")
    assert "longer than 1 MB" in refused(truth, tmp_path / "p.jsonl", '{"item_id": "' + "x" * 2**20 + '"}')
    assert "is twice in the list" in refused(
        truth, file, good.rename(columns={"label": "labels"}).assign(labels="Hats|Hats")
    )
    wide = pd.DataFrame({"item_id": ids, **dict.fromkeys(truth.classes, 1 / 6)})
    assert "300 rows do not sum to 1" in refused(truth, file, wide.assign(Hats=0.9)).replace(
        "The probabilities of ", ""
    )
    assert "NaN" in refused(truth, file, wide.assign(Hats=[np.nan] * 299 + [0.2]))
    assert "negative" in refused(truth, file, wide.assign(Hats=-0.1))
    too_large = tmp_path / "large.csv"
    with too_large.open("wb") as hole:  # sparse: it takes no room on the disk
        hole.truncate(5 * 2**30)
    with pytest.raises(BenchmarkError, match=r"has 5\.0 GB; 4 GB are read at most"):
        read_predictions(too_large, truth)


def test_what_was_allowed_is_said_on_the_card(truth: Truth, tmp_path: Path) -> None:
    ids = truth.frame.item_id.tolist()
    path = write(tmp_path / "p.csv", pd.DataFrame({"item_id": ids, "label": "HATS"})[30:])
    predicted = read_predictions(path, truth, take_matches=True, missing_as_errors=True)
    report, _ = score(truth, predicted)
    right = (truth.labels[30:] == truth.number_of["Hats"]).sum()
    assert report["top1"] == right / 300 and report["missing"] == 30
    assert (
        "30 of 300 products have no prediction" in predicted.notes[0] and "HATS → Hats" in predicted.notes[1]
    )


def test_submissions_in_both_databases(truth: Truth, tmp_path: Path, postgres: Postgres) -> None:
    path = write(tmp_path / "p.csv", pd.DataFrame({"item_id": truth.frame.item_id, "label": "Hats"}))
    for url in (f"sqlite:///{tmp_path / 'a.sqlite'}", postgres.url()):
        store = Submissions(Database(url))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VITRINE_HOME", str(truth.info.folder.parent))
            name = "<b>Ours</b> & 50%"
            made = submit_file(TASK, path, name, Card(authors="A. B.", paper="https://example.org/p"), store)
            assert [one.name for one in store.list(TASK)] == [name] and made.report == store.list(TASK)[
                0
            ].report
            assert store.predictions(made.id).hit.mean() == made.report["top1"]
            with pytest.raises(BenchmarkError, match="There is a submission named"):
                submit_file(TASK, path, name, Card(), store)
            with pytest.raises(BenchmarkError, match="There is a submission named"):
                store.add(made, store.predictions(made.id))  # two at once: the database has the last word
            with pytest.raises(BenchmarkError, match="no web address"):
                submit_file(TASK, path, "other", Card(paper="javascript:alert(1)"), store)
            store.close(Closed("shop", per_day=2))
            for number in range(2):
                submit_file(TASK, path, f"mine {number}", Card(), store, "me", owner=False)
            with pytest.raises(BenchmarkError, match="takes 2 submissions of one person"):
                submit_file(TASK, path, "mine 3", Card(), store, "me", owner=False)
            store.withdraw(TASK, name)
            assert len(store.list(TASK)) == 2


def test_an_evaluation_keeps_its_figures_to_the_last_digit(evaluated: Path, tmp_path: Path) -> None:
    made = cache.find(model("toy-run"), Choice("toy"))
    assert made is not None
    store = Submissions(Database(f"sqlite:///{tmp_path / 'a.sqlite'}"))
    stored = submit_evaluation(made, "", store=store)
    assert {key: stored.report[key] for key in made.report} == json.loads(json.dumps(made.report))
    assert stored.report == store.list(stored.task)[0].report and stored.name == "toy-run"
