"""What a threshold means, worked out by hand on a few products; and what is written down."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.commands.app import app
from core.duplicates import finding, lookalikes, report, twins
from core.duplicates.finding import Described, Found
from core.duplicates.leakage import Splits, groups, leakage, to_drop
from tests.planted import Make, picture

PROJECT = Path(__file__).resolve().parents[3]


class Hand:
    """Six products: 0-3 train, 4 and 5 test. 0, 1, 2 are alike in a chain; 1 and 4 are alike; 3 is 2's other listing."""

    names = ("train", "test")
    code = np.array([0, 0, 0, 0, 1, 1])
    sizes = MappingProxyType({"train": 4, "test": 2})
    found = Found(
        Described("vectors", "x", 0.9),
        unit=np.array([0, 1, 2, 2, 3, 4], np.int32),
        item=np.array([0, 1, 2, 2, 4, 5], np.int32),
        a=np.array([1, 0, 1]),
        b=np.array([4, 1, 2]),
        likeness=np.array([0.99, 0.97, 0.95], np.float32),
    )


def test_counts_are_what_one_counts_by_hand() -> None:
    counted = leakage(Hand.found, Hand, 0.95)  # type: ignore[arg-type]
    assert counted.within["train"] == {"pairs": 2, "groups": 1, "products": 4, "surplus": 2, "largest": 4}
    assert counted.within["test"]["groups"] == 0
    assert counted.across["test", "train"] == {"pairs": 1, "products": 1}
    assert counted.across["train", "test"] == {"pairs": 1, "products": 1}
    assert counted.leaking == {"train": 1, "test": 1} and counted.own_only == 3
    stricter = leakage(Hand.found, Hand, 0.98)  # type: ignore[arg-type]
    assert stricter.pairs == 1 and stricter.within["train"]["groups"] == 0


def test_groups_are_the_connected_components() -> None:
    (group,) = groups(Hand.found, Hand.found.a[1:], Hand.found.b[1:])
    assert group.rows.tolist() == [0, 1, 2, 3] and group.things == 3


@pytest.mark.parametrize(
    ("keep", "within", "gone"),
    [("test", False, [1]), ("train", False, [4]), ("test", True, [1, 2, 3]), ("train", True, [1, 2, 3, 4])],
)
def test_what_to_drop(keep: str, within: bool, gone: list[int]) -> None:
    table = to_drop({"vectors": Hand.found}, {"vectors": 0.95}, Hand, keep, within)  # type: ignore[arg-type]
    assert table.row_id.tolist() == gone
    assert set(table[table.likeness.notna()].like_split) <= {keep}


def test_nothing_is_left_to_leak_after_the_drop(planted: Products) -> None:
    found = finding.find(planted, ["bytes", "hash", "text"])
    splits = Splits(planted)
    at = {"bytes": 1.0, "hash": 6.0, "text": 0.9}
    gone = to_drop(found, at, splits)
    assert gone.row_id.tolist() == [0, 1, 2, 3]
    left = np.setdiff1d(np.arange(8), gone.row_id)
    for one in found.values():
        taken = one.within(at[one.described.detector])
        kept = np.isin(one.a[taken], left) & np.isin(one.b[taken], left)
        assert not (splits.code[one.a[taken]][kept] != splits.code[one.b[taken]][kept]).any()


def test_a_dataset_of_one_split_says_that_nothing_can_leak(make: Make) -> None:
    products = make([{"image": picture(n % 2), "name": f"n{n}", "split": "train"} for n in range(4)])
    found = finding.find(products, ["bytes"])["bytes"]
    counted = leakage(found, Splits(products), 1)
    assert counted.within["train"]["groups"] == 2 and not counted.across
    assert "there can be no leakage" in counted.notes[-1]
    assert to_drop({"bytes": found}, {"bytes": 1}, Splits(products)).empty


def test_the_command_writes_certificate_and_list(planted: Products, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    drop, paper, data = tmp_path / "drop.csv", tmp_path / "certificate.md", tmp_path / "certificate.json"
    arguments = ["duplicates", "planted", "--by", "bytes,pixels,text", "--json", "--drop", str(drop)]
    answer = CliRunner().invoke(app, [*arguments, "--report", str(paper)])
    assert answer.exit_code == 0, answer.output
    said = json.loads(answer.stdout)
    assert said["fingerprint"] == planted.info.fingerprint and said["drop"]["products"] == 4
    across = {(entry["split"], entry["other"]): entry for entry in said["detectors"][1]["across"]}
    assert across["test", "train"]["products"] == 3
    listed = pd.read_csv(drop)
    assert listed.item_id.tolist() == ["i0", "i1", "i2", "i3"]
    assert listed.like_item_id.tolist() == ["i4", "i5", "i6", "i7"]
    assert listed.detector.tolist() == ["bytes", "pixels", "pixels", "text"]
    assert (listed.measured[1:3] <= listed.threshold[1:3]).all()  # both in the detector's own unit
    digest = hashlib.sha256(drop.read_bytes()).hexdigest()
    assert said["drop"]["list_sha256"] == digest and digest in paper.read_text()
    assert "| Same picture |" in paper.read_text() and planted.info.fingerprint in paper.read_text()
    CliRunner().invoke(app, [*arguments, "--report", str(data)])
    assert json.loads(data.read_text())["drop"] == said["drop"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--by", "smell"], "There is no detector 'smell'"),
        (["--by", "hash", "--threshold", "hash=x"], "'x' is not a number"),
        (["--by", "hash", "--threshold", "hash=500"], "expected 0 to"),
        (["--threshold", "0.9"], "name the detector"),
        (["--preset", "glami"], "vitrine embed planted"),
        (["--preset", "other"], "the only preset is glami"),
        (["--by", "text", "--report", "x.pdf"], "end in .md or .json"),
        (["--by", "text", "--keep", "none"], "expected test or train"),
    ],
)
def test_bad_questions_are_one_clear_line(planted: Products, arguments: list[str], says: str) -> None:
    from typer.testing import CliRunner

    answer = CliRunner().invoke(app, ["duplicates", "planted", *arguments])
    assert answer.exit_code != 0 and says in str(answer.exception), answer.output


def test_an_unknown_dataset_is_one_line_and_a_status(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", "duplicates", "nobody"], cwd=PROJECT, capture_output=True, text=True,
        env={"VITRINE_HOME": str(home), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode != 0 and done.stderr.count("\n") == 1 and "nobody" in done.stderr


def test_words_of_a_dataset_are_no_markup_in_the_certificate(planted: Products) -> None:
    found = finding.find(planted, ["text"])
    made = report.certificate(planted, found, {"text": 0.9}, Splits(planted))
    made["dataset"] = "a|b<script>"
    assert "a\\|b\\<script>" in report.as_markdown(made)


def test_twins_with_conflicting_labels_come_first(make: Make) -> None:
    rows = [
        {
            "image": picture(n // 2),
            "image_id": f"shared{n // 2}",
            "geo": geo,
            "name": f"n{n}",
            "category": label,
        }
        for n, (geo, label) in enumerate(
            (("cz", "bags"), ("sk", "bags"), ("cz", "hats"), ("hu", "bags"), ("cz", "hats"), ("cz", "bags"))
        )
    ]
    products = make(rows)
    assert twins.counts(products) == {"pictures": 2, "conflicts": 1, "products": 4}
    found = twins.twins(products)
    assert [(one.image_id, one.conflict) for one in found] == [("shared1", True), ("shared0", False)]
    assert [row["geo"] for row in found[0].rows] == ["cz", "hu"]
    assert [one.image_id for one in twins.twins(products, conflicts_only=True)] == ["shared1"]
    assert twins.twins(products, offset=2) == []
    hungarian = Cohort("planted", geo=("hu",))  # its picture is shown with all countries all the same
    assert twins.counts(products, hungarian) == {"pictures": 1, "conflicts": 1, "products": 2}
    assert [row["geo"] for row in twins.twins(products, hungarian)[0].rows] == ["cz", "hu"]


def test_the_pairs_and_the_duplicates_of_a_product(planted: Products) -> None:
    found = finding.find(planted, ["pixels"])["pixels"]
    near = found.within(6)
    row = int(found.a[0])
    mask = np.arange(planted.info.rows) == row
    touching = found.touching(mask)
    sides = {found.unit[row]}
    assert touching.tolist() == [
        bool({found.unit[a], found.unit[b]} & sides) for a, b in zip(found.a, found.b, strict=True)
    ]
    others = found.duplicates_of(row, 6)
    assert int(found.b[0]) in others and row not in others
    assert set(found.unit[others]) <= {
        found.unit[row],
        *found.unit[found.a[near]],
        *found.unit[found.b[near]],
    }
    assert not found.touching(np.zeros(planted.info.rows, bool)).any()


def test_look_alikes_are_of_another_class_and_nearest_by_pixels(planted: Products) -> None:
    assert not lookalikes.ready(planted)
    alike = lookalikes.LookAlikes(planted, None)
    assert lookalikes.ready(planted)
    found = alike.by_pixels(0, k=3)
    assert found[0].row == 4 and found[0].pixels == pytest.approx(0, abs=3)
    assert all(planted.by_row([one.row])[0]["category"] == "hats" for one in found)
    assert [one.pixels for one in found] == sorted(one.pixels or 0 for one in found)
    assert alike.by_vectors(0) == [] and found[0].cosine is None
