"""Maps of small sets of vectors: what is made, what is kept, and what bad input gets."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from typer.testing import CliRunner

from core.catalog.build import import_dataset
from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo, info
from core.catalog.map_files import Region, folder_of, in_progress, maps, read_map, version
from core.catalog.products import Products
from core.catalog.where import rows_where
from core.commands.app import app
from core.embeddings.store import Description, unit, writing
from core.errors import EmbeddingError, MapError, UsageError
from core.maps.projection import place, project
from core.maps.quality import measure
from core.maps.regions import clusters, disambiguated
from core.search.neighbours import different, graph
from core.storage import alone

N = 240
KINDS = ("hats", "bags", "shoes", "shirts")
EVERYWHERE = ((-2.0, -2.0), (2.0, -2.0), (2.0, 2.0), (-2.0, 2.0))
NOWHERE = ((3.0, 3.0), (4.0, 3.0), (4.0, 4.0))
PROJECT = Path(__file__).resolve().parents[3]


def crowds(n: int = N, seed: int = 0) -> np.ndarray:
    """(n, 16) vectors around four centres, row i around centre i % 4."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((4, 16))[np.arange(n) % 4] + 0.25 * rng.standard_normal((n, 16))


def make_dataset(folder: Path, n: int = N, name: str = "shop") -> DatasetInfo:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "name", "category", "geo"])
        for row in range(n):
            kind = KINDS[row % 4]
            writer.writerow([f"i{row}", f"{kind}word plain {row}", kind, ("cz", "sk")[row // 4 % 2]])
    import_dataset("table", [str(folder / f"{name}.csv")], name)
    return info(name)


def keep(
    dataset: DatasetInfo, vectors: np.ndarray, present: np.ndarray | None = None, name: str = "v"
) -> None:
    """Store vectors as an embedding would."""
    n, d = vectors.shape
    plan = Description(name, "imported", d, dataset.fingerprint, n)
    with writing(dataset, name, plan, 1, restart=True) as writer:
        writer.write(0, np.arange(n), vectors, np.ones(n, bool) if present is None else present)


@pytest.fixture(scope="module")
def mapped_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a shop of 240 products and its map: four crowds, ten rows without a vector, a shared vector."""
    folder = tmp_path_factory.mktemp("mapped")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(folder / "home"))
        dataset = make_dataset(folder)
        vectors, present = unit(crowds())[0], np.ones(N, bool)
        present[:10] = False
        vectors[13] = vectors[17]
        vectors[20] = np.nan  # has no direction
        keep(dataset, vectors, present)
        project(dataset, "v")
    return folder / "home"


@pytest.fixture
def shop(mapped_home: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetInfo:
    monkeypatch.setenv("VITRINE_HOME", str(mapped_home))
    return info("shop")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_map_of_four_crowds(shop: DatasetInfo) -> None:
    found = read_map(shop, "v")
    described, points = found.description, np.asarray(found.points)
    assert (points.shape, points.dtype, found.clusters.shape) == ((N, 2), np.float32, (N,))
    assert np.isnan(points[:10]).all() and np.isnan(points[20]).all() and np.isnan(points).sum() == 22
    assert np.nanmax(np.abs(points)) == pytest.approx(1)
    assert (points[13] == points[17]).all()
    assert (described.rows, described.present, described.different, described.fitted) == (N, 229, 228, 228)
    assert described.method == "umap" and described.fingerprint == shop.fingerprint
    quality = described.quality["fitted"]
    assert quality.trustworthiness > 0.9 and quality.neighbour_recall > 0.3
    assert (found.clusters[:10] == -1).all()
    named = {region.label: region for region in described.regions}
    assert set(named) == set(KINDS)
    for kind, region in named.items():
        members = np.flatnonzero(found.clusters == region.cluster)
        assert region.size == len(members) > 40 and region.share == 1 and region.category == kind
        assert {KINDS[row % 4] for row in members} == {kind}
        assert region.words[0] == f"{kind}word" and "plain" not in region.words
        x, y = np.median(points[members], axis=0)
        assert abs(region.x - x) < 0.2 and abs(region.y - y) < 0.2
    assert [entry.name for entry in maps(shop)] == ["v"]


def test_the_same_seed_gives_the_same_map_and_another_one_another(shop: DatasetInfo) -> None:
    before = np.array(read_map(shop, "v").points)
    made = version(shop, "v")
    project(shop, "v")
    assert version(shop, "v") == made  # it is there already
    project(shop, "v", again=True)
    assert version(shop, "v") != made
    assert np.array_equal(before, read_map(shop, "v").points, equal_nan=True)


def test_beyond_the_sample_the_rest_is_placed_among_its_neighbours(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = 1_600
    dataset = make_dataset(tmp_path, n)
    keep(dataset, crowds(n))
    told: list[tuple[int, int, str]] = []
    described = project(dataset, "v", progress=lambda *what: told.append(what), sample=1_000)
    assert (described.fitted, described.different) == (1_000, n)
    assert set(described.quality) == {"fitted", "placed"}
    assert described.quality["placed"].n == 600
    assert described.quality["placed"].trustworthiness > 0.9
    points = np.asarray(read_map(dataset, "v").points)
    assert np.isfinite(points).all()
    kind = np.arange(n) % 4
    middles = np.stack([np.median(points[kind == each], axis=0) for each in range(4)])
    nearest = ((points[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == kind).mean() > 0.99
    done = [each[0] for each in told if each[1]]
    assert done == sorted(done) and done[-1] <= 1_000
    assert {"Finding neighbours", "Projecting", "Placing the other vectors", "Measuring"} <= {
        each[2].split(",")[0] for each in told
    }


def test_an_area_is_the_same_products_everywhere(shop: DatasetInfo) -> None:
    products = Products(shop)
    found = read_map(shop, "v")
    region = found.description.regions[0]
    area = tuple(
        (region.x + dx, region.y + dy) for dx, dy in ((-0.2, -0.2), (0.2, -0.2), (0.2, 0.2), (-0.2, 0.2))
    )
    cohort = Cohort("shop", geo=("cz",), map="v", area=area)
    assert Cohort.from_query(parse_qs(urlencode(cohort.to_query(), doseq=True))) == cohort
    (left, low), (right, high) = cohort.area[0], cohort.area[2]
    expected = [
        row for row, (x, y) in enumerate(found.points.tolist())
        if left < x < right and low < y < high and row // 4 % 2 == 0
    ]  # fmt: skip
    assert expected
    assert np.flatnonzero(products.mask(cohort)).tolist() == expected
    assert products.count(cohort) == len(expected)
    assert products.table("SELECT row_id FROM cohort ORDER BY 1", cohort).column(0).to_pylist() == expected
    assert [row["row_id"] for row in products.rows(cohort, limit=N)] == expected
    assert sum(products.facet("geo", cohort).values()) == products.count(cohort.with_(geo=()))
    assert np.flatnonzero(rows_where(products, "row_id < 100", cohort)).tolist() == [
        row for row in expected if row < 100
    ]
    assert cohort.describe() == "geo cz; 4-corner area of the map v"
    assert products.count(Cohort("shop", map="v", area=EVERYWHERE)) == 229
    empty = Cohort("shop", map="v", area=NOWHERE)
    assert products.count(empty) == 0 and products.rows(empty) == []
    assert products.table("SELECT row_id FROM cohort", empty).num_rows == 0
    with pytest.raises(MapError, match=r"no map 'w'.*vitrine map shop --encoder w"):
        products.count(Cohort("shop", map="w", area=EVERYWHERE))


def test_a_map_that_no_longer_fits_says_what_to_run(home: Path, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, 60)
    with pytest.raises(EmbeddingError, match="vitrine embed shop --encoder v"):
        project(dataset, "v")
    with pytest.raises(MapError, match=r"none yet.*vitrine map shop --encoder v --dense"):
        read_map(dataset, "v.dense")
    keep(dataset, np.ones((60, 4)))
    project(dataset, "v")
    products, cohort = Products(dataset), Cohort("shop", map="v", area=EVERYWHERE)
    assert products.count(cohort) == 60
    path = folder_of(dataset, "v") / "map.json"
    whole = path.read_text()
    keep(dataset, crowds(60))
    with pytest.raises(MapError, match=r"older than its vectors v.*vitrine map shop --encoder v$"):
        read_map(dataset, "v")
    with pytest.raises(MapError, match="older"):  # what was counted before is not believed
        products.count(cohort)
    assert maps(dataset) == []
    path.write_text(whole.replace(dataset.fingerprint, "another"))
    with pytest.raises(MapError, match=r"earlier version of the dataset.*vitrine map shop"):
        read_map(dataset, "v")
    for broken in ("", "{}", "[]", whole[:-20], whole.replace('"quality": {', '"quality": 3, "x": {')):
        path.write_text(broken)
        with pytest.raises(MapError, match=r"broken.*Make it again: vitrine map shop"):
            read_map(dataset, "v")
        assert maps(dataset) == []
    path.write_text(whole)
    np.save(path.with_name("points.npy"), np.zeros((59, 2), np.float32))
    with pytest.raises(MapError, match="Make it again"):
        read_map(dataset, "v")
    assert project(dataset, "v").method == "umap"
    assert products.count(cohort) == 60
    for name in ("../v", "", ".hidden", "x" * 81):
        with pytest.raises(UsageError):
            read_map(dataset, name)


@pytest.mark.parametrize(
    ("vectors", "points"),
    [(crowds(3), 3), (np.ones((40, 8)), 40), (np.eye(1, 5), 1), (np.repeat(crowds(5), 8, axis=0), 40)],
    ids=["three rows", "all alike", "one product", "five that differ"],
)
def test_too_few_for_umap_are_mapped_all_the_same(
    home: Path, tmp_path: Path, vectors: np.ndarray, points: int
) -> None:
    dataset = make_dataset(tmp_path, len(vectors))
    keep(dataset, vectors)
    described = project(dataset, "v")
    found = read_map(dataset, "v")
    assert described.method == "pca" and described.present == points
    assert np.isfinite(found.points).all() and np.abs(found.points).max() <= 1
    assert len(np.unique(found.points, axis=0)) == described.different


def test_no_vectors_at_all(home: Path, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, 12)
    keep(dataset, np.full((12, 4), np.nan))
    with pytest.raises(MapError, match="No product of shop has a vector"):
        project(dataset, "v")
    for wrong in ({"neighbours": 1}, {"min_dist": np.nan}, {"sample": 10}):
        with pytest.raises(UsageError):
            project(dataset, "v", **wrong)  # type: ignore[arg-type]


KILLED = """
import os, signal, sys
import core.search.neighbours
from core.catalog.info import info
from core.maps.projection import project
core.search.neighbours.CHUNK = 64
def progress(done, total, what):
    if what.startswith("Finding neighbours") and done > 0:
        os.kill(os.getpid(), signal.SIGKILL)
project(info("shop"), "v", progress=progress, again=True, seed=5)
"""


def test_killed_in_the_middle_and_again(shop: DatasetInfo, mapped_home: Path) -> None:
    before = version(shop, "v")
    run = subprocess.run([sys.executable, "-c", KILLED], cwd=PROJECT, check=False)
    assert run.returncode == -signal.SIGKILL
    assert version(shop, "v") == before and read_map(shop, "v").description.seed == 0
    left = shop.folder / "maps" / ".making-v"
    assert np.load(left / "done.npy")[0] == 64
    first = np.array(np.load(left / "neighbours.npy")[:64])
    assert in_progress(shop) is None
    project(shop, "v", seed=5)
    continued = np.array(read_map(shop, "v").points)
    assert not left.exists()
    assert sorted(path.name for path in folder_of(shop, "v").iterdir()) == [
        "clusters.npy",
        "map.json",
        "points.npy",
    ]
    assert (first[:, 0] == np.arange(64)).all()
    project(shop, "v", seed=5, again=True)
    assert np.array_equal(continued, read_map(shop, "v").points, equal_nan=True)
    project(shop, "v")


def test_two_at_once(shop: DatasetInfo) -> None:
    with alone(shop.folder / "maps" / ".lock", MapError):
        assert "process" in (in_progress(shop) or "")
        with pytest.raises(MapError, match="being made already, by process"):
            project(shop, "v", again=True)


def test_the_command(shop: DatasetInfo) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["map", "shop", *arguments])

    answer = json.loads(run("--encoder", "v", "--json").stdout)
    assert answer["name"] == "v" and answer["present"] == 229 and len(answer["regions"]) == 4
    assert "trustworthiness" in run().stdout
    assert isinstance(run("--encoder", "nobody").exception, EmbeddingError)
    dense = json.loads(run("--encoder", "v", "--dense", "--json").stdout)
    assert dense["name"] == "v.dense" and dense["dense"]
    assert {entry.name for entry in maps(shop)} == {"v", "v.dense"}


def no_tell(done: int, total: int) -> None:
    """Nobody watches."""


def test_neighbours_are_exact_and_each_is_its_own_first(tmp_path: Path) -> None:
    vectors = unit(np.random.default_rng(0).standard_normal((300, 12)))[0]
    vectors[7] = unit(vectors[6:7] + 1e-4)[0][0]  # nearly the same
    (tmp_path / "similarities.npy").write_bytes(b"cut short by a kill")
    assert (graph(vectors, 6, tmp_path, no_tell)[0][:, 0] == np.arange(300)).all()
    near, similarity = graph(vectors, 6, None, no_tell)
    assert (near[:, 0] == np.arange(300)).all()
    exact = vectors.astype(np.float64) @ vectors.T
    np.fill_diagonal(exact, np.inf)
    assert (near == np.argsort(-exact, axis=1, kind="stable")[:, :6]).all()
    assert np.allclose(similarity[:, 1:], np.take_along_axis(exact, near, axis=1)[:, 1:], atol=1e-5)


def test_of_many_an_inverted_file_finds_nearly_all_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    vectors = unit(
        rng.normal(size=(40, 16))[rng.integers(0, 40, 3_000)] + 0.3 * rng.normal(size=(3_000, 16))
    )[0]
    exact, _ = graph(vectors, 10, None, no_tell)
    monkeypatch.setattr("core.search.neighbours.EXACT", 1_000)
    found, similarities = graph(vectors, 10, None, no_tell)
    assert (found[:, 0] == np.arange(3_000)).all() and found.min() >= 0
    assert (np.diff(similarities[:, 1:], axis=1) <= 1e-6).all()
    shared = np.mean([len(set(some) & set(others)) / 10 for some, others in zip(found, exact, strict=True)])
    assert 0.95 < shared <= 1


def test_vectors_that_differ_are_told_apart() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 9)).astype(np.float16)
    vectors[31] = vectors[4]
    vectors[40] = 0
    vectors[41] = np.inf
    vectors[8], vectors[9] = 0, 0
    vectors[8, 3], vectors[9, 3] = 1, 1
    vectors[9, 0] = -0.0  # a zero all the same
    present = np.ones(50, bool)
    present[0] = False
    rows, of_row = different(vectors, present)
    assert rows.tolist() == [row for row in range(50) if row not in (0, 9, 31, 40, 41)]
    assert np.flatnonzero(of_row < 0).tolist() == [0, 40, 41]
    assert of_row[31] == of_row[4] and of_row[9] == of_row[8]
    assert (rows[of_row[of_row >= 0]] <= np.flatnonzero(of_row >= 0)).all()


def test_quality_is_what_scikit_learn_and_counting_say() -> None:
    rng = np.random.default_rng(0)
    vectors = unit(rng.standard_normal((200, 10)))[0]
    points = vectors[:, :2] + 0.05 * rng.standard_normal((200, 2))
    found = measure(vectors, points, np.arange(200), neighbours=8)
    assert found.trustworthiness == pytest.approx(trustworthiness(vectors, points, n_neighbors=8), abs=1e-3)
    assert measure(vectors[:, :2], vectors[:, :2], np.arange(200)).neighbour_recall > 0.2
    line = unit(np.c_[np.ones(90), np.linspace(0, 1, 90)])[0]
    perfect = measure(line, np.c_[np.arctan(np.linspace(0, 1, 90)), np.zeros(90)], np.arange(0, 90, 7))
    assert perfect.trustworthiness == pytest.approx(1, abs=2e-3) and perfect.neighbour_recall > 0.98
    assert measure(vectors[:2], points[:2], np.arange(2)).trustworthiness is None


def test_a_point_is_placed_by_the_nearest() -> None:
    laid = np.array([[0, 0], [1, 0], [9, 9]], np.float32)
    found = place(
        laid, np.array([[0, 1, -1], [2, -1, -1]]), np.array([[1.0, 0.5, -9], [0.3, -9, -9]], np.float32)
    )
    assert 0 <= found[0, 0] < 0.1 and found[0, 1] == 0
    assert found[1].tolist() == [9, 9]


def test_crowds_and_loners() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate(
        [0.02 * rng.standard_normal((90, 2)), 1 + 0.02 * rng.standard_normal((60, 2)), [[5.0, 5.0]]]
    )
    found = clusters(points)
    assert set(found[:90]) - {-1} == {0} and set(found[90:150]) - {-1} == {1} and found[150] == -1
    assert (clusters(np.zeros((50, 2))) == -1).all() and (clusters(points[:5]) == -1).all()


def test_regions_of_one_name_are_told_apart_by_words_or_a_number() -> None:
    words = [["tričko", "pánské"], ["tričko", "dámské"], ["kaki", "x"], ["bílé", "y"], ["bílé", "y"], [], []]
    found = [Region(at, 0, 0, 9, "shirts", "shirts", 1.0, told) for at, told in enumerate(words)]
    assert [region.label for region in disambiguated(found)] == [
        "shirts · tričko · pánské", "shirts · tričko · dámské", "shirts · kaki",
        "shirts · bílé", "shirts · bílé 2", "shirts", "shirts 2",
    ]  # fmt: skip
