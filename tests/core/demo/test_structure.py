import numpy as np
import pandas as pd
import pytest

from core.demo import archive, parameters, structure, tree
from core.demo.parameters import Structure
from core.errors import UsageError


@pytest.fixture(scope="module")
def plan() -> structure.Plan:
    return structure.plan(6_000, 0)


@pytest.fixture(scope="module")
def rows(plan) -> pd.DataFrame:
    return plan.rows


def _split(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    return rows[rows["split"] == split]


def test_the_tail_is_long_and_no_class_is_lost(rows):
    train, test = _split(rows, "train")["label"].value_counts(), _split(rows, "test")["label"].value_counts()
    assert len(train) == len(test) == 74
    assert train.max() / train.min() >= 200
    assert len(rows) == 6_000
    assert len(_split(rows, "test")) == round(6_000 * Structure().test_share)


def test_the_tail_follows_the_papers_curve():
    weights = structure.tail_weights(191, Structure().tail)
    assert weights[0] / weights[-1] == pytest.approx(75_724 / 81, rel=0.01)
    assert weights[0] / weights[9] == pytest.approx(75_724 / 23_219, rel=0.02)


def test_label_sources_have_the_supplementarys_shares(rows):
    parameters = Structure()
    for split, shares in (("train", parameters.train_sources), ("test", parameters.test_sources)):
        found = _split(rows, split)["label_source"].value_counts(normalize=True)
        for source, share in shares.items():
            assert found.get(source, 0) == pytest.approx(share, abs=0.002)
    assert set(_split(rows, "test")["label_kind"]) == {"human"}


def test_machines_err_more_than_people_and_more_in_some_countries(rows):
    wrong = rows.groupby("label_kind")["wrong_label"].mean()
    assert wrong["machine"] == pytest.approx(Structure().machine_wrong, abs=0.03)
    assert wrong["human"] == pytest.approx(Structure().human_wrong, abs=0.01)
    machine = structure.plan(30_000, 1).rows.query("label_kind == 'machine'")
    by_country = machine.groupby("geo")["wrong_label"].mean()
    assert by_country["gr"] > 2 * by_country["sk"]


def test_a_wrong_label_is_a_neighbour_in_the_tree(rows):
    wrong = rows[rows["wrong_label"]]
    assert all(
        label in tree.neighbours(kind) for kind, label in zip(wrong["kind"], wrong["label"], strict=True)
    )


def test_countries_shift_between_the_splits(rows):
    parameters = Structure()
    for split, shares in (("train", parameters.train_countries), ("test", parameters.test_countries)):
        assert sum(shares.values()) == pytest.approx(1)
        found = _split(rows, split)["geo"].value_counts(normalize=True)
        for country, share in shares.items():
            assert found[country] == pytest.approx(share, abs=0.035)
    assert _split(rows, "test")["geo"].eq("tr").mean() < 0.6 * _split(rows, "train")["geo"].eq("tr").mean()


def test_countries_have_their_own_tastes():
    rows = structure.plan(30_000, 2).rows
    table = pd.crosstab(rows["geo"], rows["kind"], normalize="index")
    ratio = table.max() / table.min().clip(lower=1e-4)
    assert ratio[list(parameters.POPULARITY[:20])].median() > 2


def test_one_picture_is_sold_in_several_shops_of_one_split(rows):
    shared = rows.groupby("image_id").agg(
        items=("item_id", "nunique"), countries=("geo", "nunique"), splits=("split", "nunique"),
        labels=("label", "nunique"), unisex=("unisex", "any"),
    )  # fmt: skip
    assert (shared["splits"] == 1).all()
    assert 0.05 < (shared["countries"] > 1).mean() < 0.15
    assert ((shared["labels"] > 1) & ~shared["unisex"]).sum() > 10
    for split, paper in (("train", 0.889), ("test", 0.738)):
        part = _split(rows, split)
        assert part["image_id"].nunique() / len(part) == pytest.approx(paper, abs=0.06)


def test_a_unisex_item_is_in_both_classes_of_train_only(rows):
    unisex = rows[rows["unisex"]]
    assert set(unisex["split"]) == {"train"}
    for _, pair in unisex.groupby("item_id"):
        first, second = pair["label"]
        assert tree.counterpart(first) == second
        assert pair["image_id"].nunique() == pair["geo"].nunique() == pair["text_seed"].nunique() == 1
    assert rows[~rows["unisex"]]["item_id"].is_unique
    assert len(unisex) / 2 == pytest.approx(Structure().unisex * len(_split(rows, "train")), abs=3)


def test_a_unisex_item_does_not_say_whose_it_is(plan, rows):
    for row in rows[rows["unisex"] & (rows["text_in"] == "cz")].itertuples():
        name, description = archive.texts(plan, row)
        assert "unisex" in name
        assert "dámsk" not in (name + description).lower()


def test_near_duplicates_are_of_a_train_picture_of_the_same_class(plan, rows):
    copies = rows[rows["duplicate"] != ""].drop_duplicates("image_id")
    originals = rows.drop_duplicates("image_id").set_index("image_id")
    assert set(copies["duplicate"]) == set(parameters.DUPLICATES)
    source = originals.loc[copies["duplicate_of"]]
    assert (source["split"] == "train").all()
    assert (source["duplicate"] == "").all()
    assert (source["kind"].to_numpy() == copies["kind"].to_numpy()).all()
    for copy, original, how in zip(copies["product"], source["product"], copies["duplicate"], strict=True):
        mine, theirs = plan.products[copy].look, plan.products[original].look
        assert mine.seed == theirs.seed
        assert (mine == theirs) != (how == "recoloured")
    across = copies[copies["split"] == "test"]
    assert 5 <= len(across) <= 0.03 * len(_split(rows, "test"))


def test_some_texts_stand_on_both_sides_of_the_split(plan, rows):
    frame = rows.assign(text=[archive.texts(plan, row) for row in rows.itertuples()])
    usual = frame[frame["description_is"] == "usual"]
    shared = set(_split(usual, "train")["text"]) & set(_split(usual, "test")["text"])
    assert 4 <= len(shared) <= 40
    copied = frame[frame["text_of"] >= 0]
    first = frame.drop_duplicates("item_id").set_index("item_id")["text"]
    assert list(copied["text"]) == list(first.loc[copied["text_of"]])


def test_the_figures_medians(plan, rows):
    texts = [archive.texts(plan, row) for row in rows.itertuples()]
    assert np.median([len(name) for name, _ in texts]) == pytest.approx(38, abs=3)
    assert np.median([len(description) for _, description in texts]) == pytest.approx(150, abs=15)
    lengths = np.array([len(description) for _, description in texts])
    assert 0.003 < (lengths > 990).mean() < 0.04


def test_the_truth_knows_every_row(plan, rows):
    truth = archive.truth(plan)
    assert len(truth) == len(rows)
    assert (truth["item_id"] == rows["item_id"]).all()
    assert (truth["wrong_label"] == (truth["category_name"] != truth["right_category_name"])).all()
    assert truth["duplicate_of"].isna().sum() == (truth["duplicate"] == "").sum()
    assert truth["duplicate_across_splits"].sum() > 0
    assert truth.loc[truth["language_differs"], "text_language"].nunique() > 3
    assert truth["conflicting_labels"].any()


@pytest.mark.parametrize("items", [1, 2, 3, 10, 80, 150])
def test_small_datasets_work(items):
    rows = structure.plan(items, 4).rows
    assert len(rows) == items
    assert (rows["split"] == "test").sum() == min(items - 1, max(1, round(items * 0.1046)))


def test_the_same_seed_gives_the_same_plan():
    first, again, other = structure.plan(300, 7), structure.plan(300, 7), structure.plan(300, 8)
    pd.testing.assert_frame_equal(first.rows, again.rows)
    assert first.products == again.products
    assert first.products != other.products


@pytest.mark.parametrize(
    ("items", "seed"), [(0, 0), (-5, 0), (10, -1), (parameters.MAX_ITEMS + 1, 0), (10**12, 0), (10, 2**63)]
)
def test_numbers_that_make_no_dataset_are_refused_in_one_line(items, seed):
    with pytest.raises(UsageError) as refusal:
        structure.plan(items, seed)
    assert "\n" not in str(refusal.value)
    assert "expected" in str(refusal.value)
