"""What each detector finds, against planted pairs and against brute force."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.catalog.products import Products
from core.duplicates import finding, hashing
from core.duplicates.detectors import HASH_BITS, detector
from core.duplicates.nearest import inverted, near_hashes, near_vectors
from core.duplicates.texts import jaccard, near_texts, one_text, pieces_of
from core.errors import DuplicatesError, UsageError, VitrineError
from tests.planted import Make, picture

PROJECT = Path(__file__).resolve().parents[3]


def pairs(found: finding.Found, threshold: float) -> set[tuple[int, int]]:
    taken = found.within(threshold)
    return set(zip(found.a[taken].tolist(), found.b[taken].tolist(), strict=True))


def test_planted_pairs_are_found_by_the_detector_that_can_see_them(planted: Products) -> None:
    found = finding.find(planted, ["bytes", "hash", "text"])
    assert pairs(found["bytes"], 1) == {(0, 4)}
    assert pairs(found["hash"], 6) == {(0, 4), (1, 5), (2, 6)}
    assert pairs(found["text"], 1) == {(3, 7)}  # neither case nor spaces count


def test_a_picture_of_several_countries_is_one_thing_and_leaks_as_one(make: Make) -> None:
    rows = [
        {"image": picture(0), "image_id": "same", "geo": geo, "split": split, "name": f"n{number}"}
        for number, (geo, split) in enumerate((("cz", "train"), ("sk", "train"), ("hu", "test")))
    ]
    found = finding.find(make(rows), ["bytes"])["bytes"]
    assert pairs(found, 1) == {(0, 2)}
    assert found.unit[0] == found.unit[1] != found.unit[2]
    assert len(set(found.item.tolist())) == 1


def test_broken_pictures_and_absent_rows_are_said_not_lost(make: Make) -> None:
    products = make(
        [
            {"image": picture(0), "name": "whole"},
            {"image": b"this is no picture", "name": "broken"},
            {"name": "without"},
            {"image": picture(0), "name": "again"},
        ]
    )
    found = finding.find(products, ["bytes", "hash"])
    assert pairs(found["hash"], 0) == {(0, 3)}
    assert found["hash"].described.absent == 2
    assert found["bytes"].described.absent == 1  # a broken picture's bytes can still be compared
    assert "1 pictures cannot be opened" in found["hash"].described.notes[0]


def test_vectors_before_there_are_any_say_what_to_run(planted: Products) -> None:
    with pytest.raises(DuplicatesError, match="vitrine embed planted"):
        finding.find(planted, ["vectors"])
    with pytest.raises(DuplicatesError, match="--by text"):
        finding.needed(planted.info, "text")
    with pytest.raises(UsageError, match="There is no detector 'sound'"):
        finding.find(planted, ["sound"])


def import_vectors(products: Products, vectors: np.ndarray, folder: Path) -> None:
    from core.embeddings.imported import import_vectors as run

    np.save(folder / "v.npy", vectors.astype(np.float32))
    run(products, folder / "v.npy", "given", "row_id")


def test_equal_vectors_are_one_thing_and_bounded(make: Make, tmp_path: Path) -> None:
    rows = [
        {"image": picture(n), "name": f"n{n}", "split": "test" if n > 190 else "train"} for n in range(200)
    ]
    products = make(rows)
    import_vectors(products, np.ones((200, 8)), tmp_path)
    found = finding.find(products, ["vectors"])["vectors"]
    assert len(found.a) == 199  # a chain in each split and a pair between them, not 19,900
    assert any("All vectors are identical" in note for note in found.described.notes)


def test_a_threshold_that_pairs_everything_is_bounded_and_says_so(make: Make, tmp_path: Path) -> None:
    products = make([{"name": f"n{n}"} for n in range(120)])
    rng = np.random.default_rng(0)
    import_vectors(products, np.ones((120, 16)) + 0.02 * rng.normal(size=(120, 16)), tmp_path)
    found = finding.find(products, ["vectors"])["vectors"]
    assert len(found.a) <= 120 * 32
    assert any("only the nearest 32" in note for note in found.described.notes)


def test_hashes_agree_with_brute_force() -> None:
    rng = np.random.default_rng(3)
    base = rng.integers(0, 256, (60, 16), np.uint8)
    near = base ^ (rng.random((60, 16)) < 0.05).astype(np.uint8)  # a bit here and there
    hashes = np.unique(np.concatenate([base, near]), axis=0)
    mirrored = hashes[rng.permutation(len(hashes))]
    splits = np.stack([np.arange(len(hashes)) % 3 > 0, np.arange(len(hashes)) % 3 == 0], axis=1)
    found = near_hashes(hashes, mirrored, splits, 8)
    bits, turned = (np.unpackbits(part, axis=1).astype(int) for part in (hashes, mirrored))
    straight = (bits[:, None] != bits[None]).sum(axis=2)
    across = (bits[:, None] != turned[None]).sum(axis=2)
    distance = np.minimum(straight, np.minimum(across, across.T))
    wanted = {
        (a, b): distance[a, b]
        for a in range(len(bits))
        for b in range(a + 1, len(bits))
        if distance[a, b] <= 8
    }
    got = {
        (int(a), int(b)): HASH_BITS - int(score)
        for a, b, score in zip(found.a, found.b, found.likeness, strict=True)
    }
    assert got == wanted and len(wanted) > 20


def test_vectors_agree_with_brute_force() -> None:
    rng = np.random.default_rng(4)
    wide = rng.normal(size=(300, 6)).astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    splits = np.stack([np.arange(300) < 250, np.arange(300) >= 240], axis=1)  # some are in both
    found = near_vectors(wide, splits, 0.95)
    cosine = wide @ wide.T
    wanted = {(a, b) for a in range(300) for b in range(a + 1, 300) if cosine[a, b] >= 0.95}
    assert set(zip(found.a.tolist(), found.b.tolist(), strict=True)) == wanted and wanted


def test_texts_agree_with_brute_force() -> None:
    rng = np.random.default_rng(5)
    words = [f"word{n}" for n in range(40)]
    texts = []
    for _ in range(80):
        line = list(rng.choice(words, 14))
        texts.append(" ".join(line))
        line[int(rng.integers(14))] = "changed"
        texts.append(" ".join(line))
    texts = list(dict.fromkeys(texts))
    pieces = [pieces_of(text) for text in texts]
    wanted = {
        (a, b)
        for a in range(len(texts))
        for b in range(a + 1, len(texts))
        if jaccard(pieces[a], pieces[b]) >= 0.7
    }
    found = near_texts(texts, 0.7)
    assert set(zip(found.a.tolist(), found.b.tolist(), strict=True)) == wanted and len(wanted) > 40


def test_pieces_are_what_one_counts_by_hand() -> None:
    assert len(pieces_of("abcdefg")) == 3  # abcde, bcdef, cdefg
    assert len(pieces_of("ab")) == 1
    assert jaccard(pieces_of("abcdef"), pieces_of("bcdefg")) == pytest.approx(1 / 3)
    assert one_text("  Red DRESS ", None) == "red dress" and one_text(None, None) == ""


def test_three_products_of_one_split(make: Make) -> None:
    products = make([{"image": picture(n), "name": f"n{n}", "split": "train"} for n in range(3)])
    found = finding.find(products, ["bytes", "hash", "text"])
    assert all(len(one.a) == 0 or key == "text" for key, one in found.items())
    with pytest.raises(DuplicatesError, match="has only: train"):
        finding.find(products, ["glami"])


def test_what_was_found_is_kept_until_the_dataset_changes(planted: Products) -> None:
    first = finding.find(planted, ["text"])["text"].described
    assert finding.find(planted, ["text"])["text"].described == first
    path = hashing.folder_of(planted.info) / "text" / "found.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "fingerprint": "of before"}))
    assert finding.load(planted.info, "text") is None
    (hashing.folder_of(planted.info) / "text" / "pairs.parquet").write_bytes(b"cut short")
    assert finding.find(planted, ["text"])["text"].described.fingerprint == planted.info.fingerprint


def test_thresholds_outside_their_range_are_refused(planted: Products) -> None:
    found = finding.find(planted, ["hash"])["hash"]
    with pytest.raises(UsageError, match="expected 0 to"):
        found.within(99)
    assert detector("hash").describe(0).startswith("identical")


def test_hashing_goes_on_where_a_killed_run_stopped(
    home: Path, planted: Products, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first run is killed after one part; the second makes only the rest, and the answer is an unbroken one's."""
    code = """
import sys, time
from core.catalog.info import info
from core.duplicates import hashing
hashing.PART = 3
real = hashing._hash_part
def slow(job):
    done = real(job)
    print("part", flush=True)
    time.sleep(60)
    return done
hashing._hash_part = slow
hashing.measure(info("planted"))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=PROJECT, env={**os.environ, "VITRINE_HOME": str(home)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "part\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    parts = hashing.folder_of(planted.info) / "hashes.parts"
    assert len(list(parts.glob("*.parquet"))) == 1
    made: list[str] = []
    real = hashing._hash_part
    monkeypatch.setattr(hashing, "PART", 3)
    monkeypatch.setattr(hashing, "_hash_part", lambda job: made.append(job[1].name) or real(job))
    resumed = hashing.measure(planted.info).table
    assert made == ["000001.parquet", "000002.parquet"] and not parts.exists()
    (hashing.folder_of(planted.info) / "hashes.parquet").unlink()
    assert hashing.measure(planted.info).table.equals(resumed)


def test_two_processes_do_not_look_at_once(planted: Products) -> None:
    with hashing.alone(planted.info):
        assert hashing.in_progress(planted.info)
        with pytest.raises(DuplicatesError, match="already"):
            finding.find(planted, ["bytes"])
    assert not hashing.in_progress(planted.info)


def test_a_removed_dataset_is_one_clear_error(planted: Products) -> None:
    from core.catalog import info as catalog

    catalog.remove("planted")
    with pytest.raises(VitrineError):
        finding.find(planted, ["text"])


def test_hashes_hold_one_row_a_picture(planted: Products) -> None:
    table = hashing.measure(planted.info).table
    ids = pq.read_table(planted.info.folder / "pictures.parquet", columns=["image_id"])
    assert table["image_id"].to_pylist() == ids["image_id"].to_pylist()
    assert table["hash"].null_count == 0


def test_the_approximate_search_finds_planted_pairs_and_says_how_many() -> None:
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(8_000, 32)).astype(np.float32)
    wide[:500] = wide[500:1_000] + 0.35 * rng.normal(size=(500, 32)).astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    index, note = inverted(wide, 0.9)
    planted = np.flatnonzero((wide[:500] * wide[500:1_000]).sum(axis=1) >= 0.9)
    found = index.search(wide[planted], 32)[1]
    assert len(planted) > 300 and (found == planted[:, None] + 500).any(axis=1).mean() > 0.98
    assert index.nprobe > 4 and "of pairs of cosine 0.9, tried with 1,000" in note
