"""One damaged dataset or run takes nothing else away, is named, and can be removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.catalog import info as catalog
from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.commands import doctor
from core.commands.app import app
from core.errors import DamagedDatasetError, DamagedRunError
from core.models.registry import damaged_runs, models
from core.training.jobs import delete, read_run
from core.training.runs import RunConfig

FILES = ("products.parquet", "search.arrow", "name_rank.npy", "pictures.parquet")
CONFIG = {
    "architecture": "embracenet", "model": {"text": {}}, "training": {}, "classes": ["a", "b"], "dataset": "good",
    "fingerprint": "0", "licence": "", "preset": "toy",
}  # fmt: skip


@pytest.fixture
def two(home: Path, tmp_path: Path) -> Path:
    """Two datasets: `bad`, to be damaged, and `good`."""
    table = tmp_path / "shop.csv"
    rows = "".join(f"i{number},Boty {number},Shoes\n" for number in range(30))
    table.write_text("item_id,name,category\n" + rows, encoding="utf-8")
    for name in ("bad", "good"):
        import_dataset("table", [str(table)], name)
    return home


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "missing":
        path.unlink()
    elif how == "nested":
        path.write_text("[" * 100_000)
    else:
        path.write_text(json.dumps(json.loads(data) | {"rows": None}))


CASES = [(name, how) for name in FILES for how in ("cut", "empty", "missing")]
CASES += [("dataset.json", how) for how in ("cut", "empty", "nested", "rows")]


@pytest.mark.parametrize(("name", "how"), CASES)
def test_a_damaged_dataset_is_named_passed_over_and_removable(two: Path, name: str, how: str) -> None:
    damage(two / "bad" / name, how)
    assert [info.name for info in catalog.datasets()] == ["good"]
    assert Products.open("good").count() == 30
    with pytest.raises(DamagedDatasetError, match="vitrine remove bad"):
        Products.open("bad")
    ok, said = doctor._datasets()
    assert not ok and "'bad' is damaged" in said and "good (30)" in said
    listed = CliRunner().invoke(app, ["datasets", "--json"])
    assert [entry["name"] for entry in json.loads(listed.stdout)] == ["good", "bad"]
    removed = CliRunner().invoke(app, ["remove", "bad", "--yes"])
    assert removed.exit_code == 0, removed.output
    assert not (two / "bad").exists() and not catalog.damaged()


def test_damage_between_the_ends_of_a_file_is_said_when_it_is_read(two: Path) -> None:
    path = two / "bad" / "products.parquet"
    data = bytearray(path.read_bytes())
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    data[4:footer] = bytes(footer - 4)
    path.write_bytes(data)
    products = Products.open("bad")
    with pytest.raises(DamagedDatasetError, match="'bad' is damaged"):
        products.count()


@pytest.mark.parametrize(
    "change",
    [{"products": None}, {"products": {"training": "x"}}, {"model": []}, {"classes": [1]}, {"result": 0},
     {"datasets": [1]}, {"unheard": 1}, {"architecture": None}],
    ids=str,
)  # fmt: skip
def test_a_damaged_run_is_named_passed_over_and_removable(two: Path, change: dict[str, object]) -> None:
    folder = two / "runs" / "bad-run"
    RunConfig(**CONFIG).write(folder)  # type: ignore[arg-type]
    (folder / "model.safetensors").write_bytes(b"")
    assert "bad-run" in [spec.name for spec in models()]
    (folder / "config.json").write_text(json.dumps(CONFIG | change))
    assert "bad-run" not in [spec.name for spec in models()] and models()
    assert list(damaged_runs()) == ["bad-run"]
    with pytest.raises(DamagedRunError, match="Train it again"):
        RunConfig.read(folder)
    listed = CliRunner().invoke(app, ["models", "--json"])
    assert {"bad-run"} == {entry["name"] for entry in json.loads(listed.stdout) if "damaged" in entry}
    run = read_run("bad-run")
    assert run.state == "failed" and "damaged" in run.error
    delete("bad-run")
    assert not folder.exists()
