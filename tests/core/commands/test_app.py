"""The command line as a person uses it: one clear line on error, JSON where asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.commands.app import LAYOUTS
from core.commands.fetch import DATASETS
from core.sources import SOURCES
from core.sources.publications import BY_HAND, PUBLICATIONS

PROJECT = Path(__file__).resolve().parents[3]


def core(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "core", *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "nothing", "x.zip", "--name", "a"], "There is no source 'nothing'"),
        (["import", "glami", "/nowhere.zip", "--name", "a"], "There is no GLAMI archive at /nowhere.zip"),
        (["import", "table", "x.csv", "--name", "a", "--map", "name"], "write OURS=YOURS"),
        (
            ["import", "table", "x.csv"],
            "No name for the dataset: give --name NAME, or preview with --dry-run.",
        ),
        (["import", "table", "x.csv", "--name", "../a"], "cannot be a dataset's name"),
        (["info", "nobody"], "There is no dataset named 'nobody'"),
        (["remove", "nobody", "--yes"], "There is no dataset named 'nobody'"),
        (["demo", "--items", "0"], "items is 0"),
        (["classify"], "nothing to classify"),
        (["evaluate", "nobody"], "nobody"),
    ],
)
def test_an_error_is_one_clear_line(home: Path, arguments: list[str], said: str) -> None:
    answer = core(*arguments)
    assert answer.returncode != 0
    assert said in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1, answer.stderr
    assert answer.stdout == ""


def test_a_dataset_from_import_to_removal(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "shop.csv"
    table.write_text("title,kind\nBoots,Shoes > Boots\nHat,Hats\n", encoding="utf-8")
    mapped = ["--map", "name=title", "--map", "category=kind"]
    seen = json.loads(core("import", "table", str(table), "--dry-run", *mapped, "--json").stdout)
    assert seen["columns"] == {"name": "title", "category": "kind"} and seen["encoding"] == "utf-8"
    assert [product["category_path"] for product in seen["products"]] == [["Shoes", "Boots"], ["Hats"]]
    assert (
        "columns: name=title, category=kind"
        in core("import", "table", str(table), "--dry-run", *mapped).stdout
    )
    assert json.loads(core("datasets", "--json").stdout) == []
    made = json.loads(core("import", "table", str(table), "--name", "shop", *mapped, "--json").stdout)
    assert made["rows"] == 2 and made["rejected"] == {} and made["fingerprint"] and made["seconds"] >= 0
    assert json.loads(core("datasets", "--json").stdout) == [{"name": "shop", "rows": 2, "source": "table"}]
    described = json.loads(core("info", "shop", "--json").stdout)
    assert described["fingerprint"] == made["fingerprint"] and described["splits"] == {"none": 2}
    unasked = core("remove", "shop")
    assert unasked.returncode != 0 and "--yes" in unasked.stderr
    assert json.loads(core("remove", "shop", "--yes", "--json").stdout) == {"removed": "shop"}
    assert json.loads(core("datasets", "--json").stdout) == []


def test_every_command_explains_itself() -> None:
    listed = core("--help").stdout
    for command in (
        "import",
        "demo",
        "datasets",
        "info",
        "remove",
        "stats",
        "models",
        "classify",
        "evaluate",
        "doctor",
    ):
        assert command in listed


def test_help_names_every_layout_and_dataset() -> None:
    assert [spec.name for spec in SOURCES] == LAYOUTS.split(", ")
    assert [*(each.name for each in PUBLICATIONS), *BY_HAND] == DATASETS.split(", ")
