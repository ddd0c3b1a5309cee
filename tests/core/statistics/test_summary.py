"""The numbers of `stats --json` against pandas reading the source files itself."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, entropy
from typer.testing import CliRunner

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.commands.app import app
from core.statistics.summary import summary


@pytest.fixture(scope="module")
def raw_glami(shared_data: Path) -> pd.DataFrame:
    parts = []
    with zipfile.ZipFile(shared_data / "glami-mini.zip") as archive:
        for split in ("train", "test"):
            data = archive.read(f"GLAMI-1M-dataset/GLAMI-1M-{split}.csv")
            frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, na_values=[""])
            parts.append(frame.assign(split=split))
    return pd.concat(parts, ignore_index=True).rename(
        columns={"category": "category_id", "category_name": "category"}
    )


@pytest.fixture(scope="module")
def raw_grocery(shared_data: Path) -> pd.DataFrame:
    frame = pd.read_csv(shared_data / "grocery" / "products.csv", dtype=str)
    return frame.assign(
        category_path=frame["category"],
        category=frame["category"].str.split(" > ").str[-1],
        split=frame["split"].replace({"val": "validation"}),
    )


def check_splits(found: dict, raw: pd.DataFrame, columns: tuple[str, ...]) -> None:
    assert set(found) == set(raw["split"])
    for split, part in raw.groupby("split"):
        assert found[split]["rows"] == len(part)
        for column in columns:
            assert found[split]["unique"][column] == part[column].nunique(), (split, column)
            assert found[split]["missing"][column] == part[column].isna().sum(), (split, column)


def check_long_tail(found: dict, counts: pd.Series, training: pd.Series) -> None:
    """Head and tail are told by training products, whatever is counted."""
    n, trained = counts[counts > 0].to_numpy(), training[counts > 0].to_numpy()
    assert found["imbalance"] == pytest.approx(n.max() / n.min())
    pairs = np.abs(n[:, None] - n[None, :]).sum()  # Gini by its first definition, the mean difference
    assert found["gini"] == pytest.approx(pairs / (2 * len(n) ** 2 * n.mean()))
    assert found["entropy"] == pytest.approx(entropy(n))
    assert found["effective_classes"] == pytest.approx(np.exp(entropy(n)))
    assert (
        found["head"]["classes"] == (trained > 100).sum() and found["tail"]["classes"] == (trained < 20).sum()
    )
    assert found["head"]["products"] == n[trained > 100].sum()
    assert found["middle"]["share"] == pytest.approx(n[(trained >= 20) & (trained <= 100)].sum() / n.sum())


def check_lengths(found: dict, raw: pd.DataFrame, column: str) -> None:
    for split, part in raw.groupby("split"):
        length = part[column].dropna().str.len()
        expected = length.describe()
        got = found[split]
        assert got["n"] == len(length)
        assert (got["q1"], got["median"], got["q3"]) == (expected["25%"], expected["50%"], expected["75%"])
        assert got["mean"] == pytest.approx(expected["mean"]) and got["max"] == expected["max"]
        edges = [*range(0, 1000, 10), np.inf]
        assert [entry["count"] for entry in got["histogram"]] == np.histogram(length, edges)[0].tolist()
        assert [entry["from"] for entry in got["histogram"]] == edges[:-1]
        assert got["histogram"][-1]["to"] is None
        assert sum(entry["count"] for entry in got["histogram_log"]) == len(length)
        for entry in got["histogram_log"]:
            assert entry["count"] == ((length >= entry["from"]) & (length < entry["to"])).sum()
        words = part[column].dropna().str.split().str.len()
        assert got["words"]["median"] == words.median() and got["words"]["mean"] == pytest.approx(
            words.mean()
        )


def test_glami_mini_equals_pandas(glami: Products, raw_glami: pd.DataFrame) -> None:
    found = summary(glami)
    assert found["rows"] == len(raw_glami)
    check_splits(
        found["splits"],
        raw_glami,
        ("item_id", "image_id", "geo", "name", "description", "category", "category_id"),
    )
    assert found["splits"]["train"]["unique"]["label_source"] == 5  # table 4: NaN is one of the sources
    counts = raw_glami.groupby(["category", "split"]).size().unstack(fill_value=0)
    got = {row["category"]: (row["train"], row["test"], row["total"]) for row in found["categories"]}
    assert got == {name: (row["train"], row["test"], row.sum()) for name, row in counts.iterrows()}
    assert [row["total"] for row in found["categories"]] == sorted(counts.sum(axis=1), reverse=True)
    check_long_tail(found["long_tail"], counts.sum(axis=1), counts["train"])
    for split in ("train", "test"):
        check_long_tail(found["long_tail"]["by_split"][split], counts[split], counts["train"])
    geo = raw_glami.groupby(["geo", "split"]).size().unstack(fill_value=0)
    assert {row["geo"]: (row["train"], row["test"]) for row in found["geo"]} == {
        name: (row["train"], row["test"]) for name, row in geo.iterrows()
    }
    p, q = geo["train"] / geo["train"].sum(), geo["test"] / geo["test"].sum()
    tested = chi2_contingency(geo.to_numpy(), correction=False)
    shift = found["geo_shift"]
    assert shift["total_variation"] == pytest.approx((p - q).abs().sum() / 2)
    assert shift["jensen_shannon"] == pytest.approx(jensenshannon(p, q))
    assert shift["chi2"] == pytest.approx(tested.statistic)
    assert shift["asymptotic_p"] == pytest.approx(tested.pvalue)
    assert shift["cramers_v"] == pytest.approx(np.sqrt(tested.statistic / geo.to_numpy().sum()))
    for column in ("name", "description"):
        check_lengths(found["lengths"][column], raw_glami, column)
    sources = (
        raw_glami.fillna({"label_source": "unknown"})
        .groupby(["label_source", "split"])
        .size()
        .unstack(fill_value=0)
    )
    assert {row["label_source"]: (row["train"], row["test"]) for row in found["label_sources"]} == {
        name: (row["train"], row["test"]) for name, row in sources.iterrows()
    }
    kinds = {row["label_source"]: row["label_kind"] for row in found["label_sources"]}
    assert kinds == {"custom-tag": "human", "admin": "human", "quality-check": "human", "combined-tag": "machine", "unknown": "machine"}  # fmt: skip
    assert found["hierarchy"]["levels"] == [17] and found["conflicts"]["pictures"] == 0
    texts = {(row["column"], row["split"]): row for row in found["texts"]}
    described = raw_glami["description"].dropna()
    shared = set(raw_glami.loc[raw_glami["split"] == "train", "description"].dropna()) & set(
        raw_glami.loc[raw_glami["split"] == "test", "description"].dropna())  # fmt: skip
    for split in ("train", "test"):
        own = raw_glami.loc[raw_glami["split"] == split, "description"].dropna()
        assert texts["description", split]["repeated"] == own.isin(described[described.duplicated()]).sum()
        assert texts["description", split]["shared"] == own.isin(shared).sum()
    json.dumps(found, allow_nan=False)


def test_grocery_equals_pandas(grocery: Products, raw_grocery: pd.DataFrame) -> None:
    found = summary(grocery)
    check_splits(
        found["splits"],
        raw_grocery,
        ("item_id", "name", "description", "category", "category_path", "language"),
    )
    counts = raw_grocery.groupby(["category_path", "split"]).size().unstack(fill_value=0)
    got = {
        " > ".join(row["path"]): (row["train"], row["validation"], row["test"]) for row in found["categories"]
    }
    assert got == {name: (row["train"], row["validation"], row["test"]) for name, row in counts.iterrows()}
    check_long_tail(found["long_tail"], counts.sum(axis=1), counts["train"])
    assert found["geo"] == [] and found["geo_shift"]["chi2"] is None and found["geo_shift"]["cannot"]
    for column in ("name", "description"):
        check_lengths(found["lengths"][column], raw_grocery, column)
    levels = raw_grocery["category_path"].str.split(" > ", expand=True)
    assert found["hierarchy"]["levels"] == [levels[0].nunique(), levels.groupby([0, 1]).ngroups, len(counts)]
    tree = {node["name"]: node["products"] for node in found["hierarchy"]["tree"]}
    assert tree == levels[0].value_counts().to_dict()
    words = raw_grocery["name"].str.lower().str.findall(r"[^\W\d_]+").explode().value_counts()
    top = {row["word"]: row["n"] for row in found["words"]["name"]["most_frequent"][:10]}
    assert (
        top == {word: words[word] for word in top}
        and max(top.values()) == words[words.index.str.len() > 1].max()
    )


def test_a_cohort_is_counted_like_its_rows(glami: Products, raw_glami: pd.DataFrame) -> None:
    chosen = raw_glami[(raw_glami["geo"] == "cz") & (raw_glami["category"] == "dress")]
    found = summary(glami, Cohort("glami-mini", geo=("cz",), category=(("dress",),)))
    assert found["rows"] == len(chosen) and found["filter"] == "geo cz; category dress"
    check_splits(found["splits"], chosen, ("item_id", "name", "description"))
    assert found["geo_shift"]["cannot"] == "geo has one value only"
    assert found["hierarchy"]["tree"] == [{"name": "dress", "products": len(chosen), "children": []}]


def test_the_command_prints_it(glami: Products) -> None:
    run = CliRunner().invoke(app, ["stats", "glami-mini", "--json", "--cohort", "geo=cz"])
    assert run.exit_code == 0, run.output
    assert json.loads(run.stdout) == json.loads(json.dumps(summary(glami, Cohort("glami-mini", geo=("cz",)))))
    text = CliRunner().invoke(app, ["stats", "glami-mini"])
    assert "t-shirt is 20% of the products" in text.stdout


def test_the_command_refuses_a_filter_that_is_none(glami: Products) -> None:
    run = CliRunner().invoke(app, ["stats", "glami-mini", "--cohort", "county=cz"])
    assert run.exit_code != 0 and "county" in str(run.exception)
