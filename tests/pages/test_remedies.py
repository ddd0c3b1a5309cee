"""Label remedies and the part Priors of Evaluate, from their addresses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.catalog.products import Products
from core.embeddings.imported import import_vectors
from core.evaluation import prior_reports
from core.evaluation.choice import Choice
from core.evaluation.prior_shift import prior_report
from core.labels import machine_report
from core.models.registry import model
from pages.panels import product_classifier
from tests.pages.conftest import Open


def test_the_experiments_are_shown(evaluated: Path, open_page: Open) -> None:
    page = open_page("remedies.py", dataset="toy")
    assert not page.exception, page.exception
    assert [one.value for one in page.subheader] == [
        "Prior shift", "Long tail", "Noisy labels", "Machine labels, estimated and planted",
    ]  # fmt: skip


def test_machine_labels_are_offered_estimated_and_shown(
    evaluated: Path, open_page: Open, tmp_path: Path
) -> None:
    page = open_page("remedies.py", dataset="toy", view="Machine labels")
    assert not page.exception and any("not compared" in one.value for one in page.info)
    products = Products.open("toy")
    frame = products.frame("SELECT row_id, category FROM cohort ORDER BY row_id")
    codes = np.unique(frame.category, return_inverse=True)[1]
    np.savez(tmp_path / "v.npz", row_id=frame.row_id.to_numpy(), vectors=np.eye(3, dtype=np.float32)[codes])
    import_vectors(products, tmp_path / "v.npz", "made", "row_id")
    found = machine_report.estimate(products, repeats=5)
    assert found.countries[-1]["wrong"] < 0.05 and found.human > found.machine
    page = open_page("remedies.py", dataset="toy", view="Machine labels")
    assert not page.exception and "Machine labels by country" in [one.value for one in page.subheader]
    (products.info.folder / machine_report.FILE).write_text('{"version": 1, "countries": 7}')
    assert machine_report.load(products.info) is None


def test_priors_are_offered_kept_shown_and_used(
    evaluated: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer products of a country than an estimate wants, the report says which were left out."""
    monkeypatch.setattr("core.evaluation.prior_shift.FEWEST", 10)
    monkeypatch.setattr("core.labels.prior_shift.FEWEST", 5)
    page = open_page("evaluate.py", dataset="toy", model="toy-run", sees="Text", part="Priors")
    assert not page.exception and any("Nobody has estimated" in one.value for one in page.info)
    spec = model("toy-run")
    made = prior_reports.report_and_store(spec, Choice("toy"), "em", repeats=5)
    names = [group["name"] for group in made["groups"]]
    assert names and set(names) <= {"cz", "sk"} and made["calibrated_on"] == "others"
    for group in made["groups"]:
        assert sum(row["prior"] for row in group["classes"]) == pytest.approx(1)
        assert (
            0 <= group["top1_estimated"] <= 1
            and group["gain_interval"][0] <= group["gain"] <= group["gain_interval"][1]
        )
    kept = prior_reports.shop_priors(spec, "toy")
    assert set(kept) == set(names)
    adjust, note = product_classifier._adjust("toy-run", names[0])
    assert adjust is not None and "without labels (EM)" in note
    given = adjust(np.float32([[0.2, 0.3, 0.5]]))
    assert given.shape == (1, 3) and given.sum() == pytest.approx(1, abs=1e-5)
    one = prior_report("toy-run", method="scm-m", dataset="toy", repeats=3)
    assert one["method"] == "scm-m"
    prior_reports.path_of(spec, Choice("toy"), "em").write_text("{}")
    assert prior_reports.find(spec, Choice("toy"), "em") is None
