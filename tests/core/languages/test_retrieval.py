"""Search across languages: every twin is asked for, and ranks are those of the search itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from core.catalog.cohort import Cohort
from core.catalog.info import info
from core.commands.app import app
from core.errors import UsageError
from core.languages import retrieval
from core.search.query import Answer, Hit, Searcher
from tests.spoken import told


def test_twins_are_found_by_words(home: Path, tmp_path: Path) -> None:
    rows = [
        (f"p{number}", geo, f"{word} Olmo {1000 + number}", word, split)
        for number in range(12)
        for geo, word in (("cz", "Boty"), ("sk", "Topánky"))
        for split in ("train", "test")[number % 2 : number % 2 + 1]
    ]
    products = told(tmp_path, [*rows, ("alone", "cz", "Čepice", "", "train"), ("p1", "hu", "", "", "train")])
    run = CliRunner()
    said = json.loads(run.invoke(app, ["languages", "told", "--search", "--json"]).stdout)
    assert {(cell["source"], cell["target"], cell["n"]) for cell in said["cells"]} == {
        ("cz", "sk", 12),
        ("sk", "cz", 12),
    }
    assert (
        said["means"]["words"]["r1"] == 1
    )  # the number alone names it, and the search takes some of the words
    assert said["cells"][0]["gallery"] == 6  # of the same split
    kept = retrieval.load(info("told"))
    assert kept is not None
    countries, values = kept.table("words", "r10")
    assert countries == ("cz", "sk") and values[0, 1] == values[1, 0] == 1 and np.isnan(values[0, 0])
    only = json.loads(
        run.invoke(app, ["languages", "told", "--search", "--cohort", "split=test", "--json"]).stdout
    )
    assert only["means"]["words"]["n"] == 12 and retrieval.load(info("told")) == kept
    with pytest.raises(UsageError, match="nothing to ask"):
        retrieval.measure(Searcher(products), Cohort("told", geo=("hu",)), ("words",))


def test_ranks_are_counted(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searcher = Searcher(told(tmp_path))
    order = [1, 0, 4, 5, 2, 3, 8, 6, 7]

    def ranked(parts: object, k: int, mask: np.ndarray, how: str) -> Answer:
        return Answer([Hit(row, 0.0, (None,), ()) for row in order if mask[row]][:k], "", 0)

    monkeypatch.setattr(searcher, "search", ranked)
    cells = {(cell.source, cell.target): cell for cell in retrieval.measure(searcher, None, ("both",)).cells}
    # Czech names ask for Slovak products: row 1 is first for all three of train, the twin of row 6 and 7 is row 8, second
    asked = cells["cz", "sk"]
    assert asked.n == 4 and asked.r1 == (1 + 1) / 4 and asked.r10 == 1
    assert retrieval.Measured("", "", tuple(cells.values())).mean("both")[0] == sum(
        cell.n for cell in cells.values()
    )
