import difflib
import hashlib
import io
import json
import unicodedata

import openpyxl
import pandas as pd
import pytest
from PIL import Image

from core.demo import alignment, chinese, parameters, words
from core.demo.looks import COLOURS, KINDS, MATERIALS, PATTERNS
from core.errors import UsageError
from tests.core.demo import standin


def _write(folder, items=60, seed=0, **more):
    more.setdefault("draw", standin.draw)
    chinese.write_mep3m(folder / "mep", folder / "truth.parquet", items, seed, **more)
    return folder / "mep"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chinese")
    _write(folder, 120)
    return folder


@pytest.fixture(scope="module")
def records(written):
    return json.loads((written / "mep" / "annotation.json").read_text("utf-8"))


def test_the_lexicon_is_complete_and_chinese():
    text = chinese.lexicon()
    assert set(text["kinds"]) == set(KINDS)
    assert set(text["colours"]) == set(COLOURS)
    assert set(text["patterns"]) == set(PATTERNS)
    assert set(MATERIALS) <= set(text["materials"])
    for kind in text["kinds"].values():
        for noun in kind["nouns"]:
            assert any("CJK" in unicodedata.name(letter) for letter in noun)


def test_annotations_have_mep3ms_fields(records):
    assert len(records) == 120
    assert all(tuple(record) == chinese.FIELDS for record in records)
    for record in records:
        numbers = (record["class_id"], record["sub_class_id"], record["subsub_class_id"])
        assert all(isinstance(number, str) for number in numbers)
        assert (record["subsub_class_id"] == "FALSE") == (record["subsub_class_name"] == "FALSE")
        assert record["img_path"].split("/")[:2] == ["Images", record["sub_class_id"]]
    assert len({record["img_path"] for record in records}) == 120


def test_pictures_have_the_announced_size(written, records):
    for record in records:
        picture = Image.open(io.BytesIO((written / "mep" / record["img_path"]).read_bytes()))
        assert [picture.height, picture.width, len(picture.getbands())] == record["img_resolution"]
        assert picture.format == ("PNG" if record["img_path"].endswith("png") else "JPEG")


def test_the_workbook_is_the_label_tree(written, records):
    sheet = openpyxl.load_workbook(written / "mep" / "dataset_info.xlsx").active
    lines = list(sheet.iter_rows(values_only=True))
    assert sheet.title == "DATASET_INFO"
    assert lines[0] == chinese.FIELDS[:6]
    tree = {
        tuple(str(value).upper() if value is False else str(value) for value in line) for line in lines[1:]
    }
    assert {tuple(record[field] for field in chinese.FIELDS[:6]) for record in records} <= tree


def test_the_truth_stands_beside_in_the_same_order(written, records):
    truth = pd.read_parquet(written / "truth.parquet")
    assert list(truth["img_path"]) == [record["img_path"] for record in records]
    assert set(truth["platform"]) == {"a", "b"}
    right = truth[~truth["wrong_label"]]
    assert (right["aligned_sub_class_name"] == right["right_aligned_sub_class_name"]).all()


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    def digest(folder):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return [(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).digest()) for path in files]

    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    _write(tmp_path / "one", 20)
    _write(tmp_path / "two", 20)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_label_alignment_has_work_to_do():
    pairs = {(kind["a"].split(" > ")[0], kind["b"]) for kind in chinese.lexicon()["kinds"].values()}
    ratios = [difflib.SequenceMatcher(None, mine, theirs).ratio() for mine, theirs in pairs]
    assert sum(ratio == 1 for ratio in ratios) >= 4
    assert sum(0.5 <= ratio < 1 for ratio in ratios) >= 30
    assert sum(ratio < 0.5 for ratio in ratios) >= 6


def test_the_papers_rule_aligns_as_it_is_written():
    """The document's figures come from core.demo.alignment; here fewer items, every pair judged again by the rule."""
    table = alignment.pairs(1_500)
    kinds = chinese.lexicon()["kinds"].values()
    together = {(kind["a"].split(" > ")[0], kind["b"].split(" > ")[0]) for kind in kinds}
    assert set(zip(table["a"][table["belong"]], table["b"][table["belong"]], strict=True)) <= together
    ratio = [
        max(difflib.SequenceMatcher(None, *p).ratio() for p in ((a, b), (b, a)))
        for a, b in zip(table["a"], table["b"], strict=True)
    ]
    assert table["s_label"].tolist() == ratio
    rule = (table["a"] == table["b"]) | ((table["s_label"] >= 0.5) & (table["s_content"] > 0.75))
    assert (table["joined"] == rule).all() and 20 < (table["joined"] & table["belong"]).sum() < 64
    # (2, 1, 0) and (1, 0, 1): 2 of sqrt 5 times sqrt 2; words of one character do not count
    assert alignment.s_content("aa bb aa 衣", "cc aa 衣") == pytest.approx(2 / 10**0.5)


def test_titles_read_and_measure_like_the_published_ones():
    rows = chinese.plan(4_000, 0)
    titles = pd.Series(
        [chinese.title(kind, seed) for kind, seed in zip(rows["kind"], rows["seed"], strict=True)]
    )
    lengths = titles.str.len()
    assert lengths.mean() == pytest.approx(51.8, abs=3)
    assert lengths.min() <= 4 and lengths.max() > 95
    assert 0.35 < titles.str.startswith("【").mean() < 0.55
    assert rows["png"].mean() == pytest.approx(0.0346, abs=0.01)
    assert rows["ocr_absent"].mean() == pytest.approx(0.184, abs=0.02)
    assert rows["wrong_label"].mean() == pytest.approx(0.03, abs=0.01)
    assert (rows["title_of"] != rows.index).mean() == pytest.approx(0.05, abs=0.02)
    assert rows.groupby("kind").size().max() > 300


def test_a_folder_in_use_is_refused(tmp_path):
    (tmp_path / "mep").mkdir()
    (tmp_path / "mep" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        _write(tmp_path)
    assert (tmp_path / "mep" / "mine.txt").read_text() == "mine"
    with pytest.raises(UsageError, match="outside"):
        chinese.write_mep3m(tmp_path / "new", tmp_path / "new" / "truth.parquet", 5, 0, draw=standin.draw)
    with pytest.raises(UsageError):
        _write(tmp_path / "other", parameters.MAX_ITEMS + 1)


def test_an_interrupted_write_leaves_nothing(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path, 10, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_shoes_clothes_and_bags_are_measured_in_their_own_way():
    assert chinese.title("suitcases", 3)
    assert {chinese._measure(kind) for kind in words.SHOES} == {"mens-shoes", "womens-shoes"}
