"""Embedding a dataset: what is missing is absent, a kill costs one chunk, a cluster gives the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.catalog.products import Products
from core.embeddings import chunks
from core.embeddings.chunks import plan_work
from core.embeddings.clip import encoder
from core.embeddings.embed import embed
from core.embeddings.store import open_set, writing
from core.errors import EmbeddingError, UnknownDatasetError

PROJECT = Path(__file__).resolve().parents[3]
ABSENT = [0, 5, 10, 20, 40, 50]  # rows without a picture that can be opened; 30 has one of its own

SLOW = """
import sys, time
from core.settings import go_offline
go_offline()
from core.embeddings import chunks, embed
from core.embeddings.clip import encoder
chunks.CHUNK = 6
print(embed.embed("shop", encoder(sys.argv[1]), workers=1, device="cpu",
      progress=lambda done, total, what: time.sleep(float(sys.argv[2]))).computed)
"""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 6)


def test_each_picture_once_and_all_products(products: Products) -> None:
    work = plan_work(products, "image")
    assert len(work.keys) == len(set(work.keys)) == 54  # 55 rows with a picture, two of which share it
    rows = np.concatenate([work.chunk(number).rows for number in range(work.chunks)])
    assert sorted(rows.tolist()) == [row for row in range(60) if row % 10 or row == 30]


@pytest.mark.parametrize("workers", [1, 2])
def test_broken_and_missing_pictures_are_absent(products: Products, clip_folder: Path, workers: int) -> None:
    report = embed("shop", encoder(str(clip_folder)), workers=workers, device="cpu")
    assert (report.present, report.chunks) == (54, 9)
    assert report.skipped == {"no picture": 5, "the picture cannot be opened": 1}
    found = open_set(products.info, "toy-clip")
    assert np.flatnonzero(~found.present).tolist() == ABSENT
    np.testing.assert_array_equal(found.vectors[30], found.vectors[33])
    lengths = np.linalg.norm(found.vectors.astype(np.float32), axis=1)
    np.testing.assert_allclose(lengths[found.present], 1, atol=2e-3)


def test_a_second_run_computes_nothing(products: Products, clip_folder: Path) -> None:
    spec = encoder(str(clip_folder))
    embed("shop", spec, workers=1, device="cpu")
    assert embed("shop", spec, workers=1, device="cpu").computed == 0
    assert embed("shop", spec, workers=1, device="cpu", again=True).computed == 9


def test_texts(products: Products, clip_folder: Path) -> None:
    report = embed("shop", encoder(str(clip_folder)), "text", device="cpu")
    assert (report.name, report.present) == ("toy-clip.text", 59)
    assert report.skipped == {"no name and no description": 1}


def test_pictures_that_are_gone_are_said(products: Products, clip_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "source").rename(tmp_path / "elsewhere")
    with pytest.raises(EmbeddingError, match=r"None of the 54 pictures of shop can be opened"):
        embed("shop", encoder(str(clip_folder)), workers=1, device="cpu")
    with pytest.raises(EmbeddingError, match="has no vectors"):
        open_set(products.info, "toy-clip")


def test_two_at_once_is_an_error(products: Products, clip_folder: Path) -> None:
    spec = encoder(str(clip_folder))
    embed("shop", spec, workers=1, device="cpu")
    plan = open_set(products.info, "toy-clip").description
    with (
        writing(products.info, "other", plan, 1),
        pytest.raises(EmbeddingError, match="being computed already"),
    ):
        embed("shop", spec, "text", device="cpu")


def test_no_such_dataset(home: Path, clip_folder: Path) -> None:
    with pytest.raises(UnknownDatasetError):
        embed("nobody", encoder(str(clip_folder)))


def run_slowly(clip_folder: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SLOW, str(clip_folder), str(seconds)],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_killed_and_run_again_gives_the_same_vectors(products: Products, clip_folder: Path) -> None:
    unbroken = run_slowly(clip_folder, 0)
    assert unbroken.communicate(timeout=120)[0].strip() == "9"
    first = open_set(products.info, "toy-clip")
    wanted, present = np.array(first.vectors), first.present
    for path in first.folder.iterdir():
        path.unlink()
    first.folder.rmdir()

    killed = run_slowly(clip_folder, 0.5)
    mark = products.info.folder / "embeddings" / ".writing-toy-clip" / "done.npy"
    deadline, done = time.monotonic() + 90, 0
    while done < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        done = int(np.load(mark).sum()) if mark.exists() and mark.stat().st_size >= 137 else 0
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    done = int(np.load(mark).sum())
    assert 3 <= done < 9

    again = run_slowly(clip_folder, 0)
    assert int(again.communicate(timeout=120)[0]) == 9 - done  # of what was written, nothing is done twice
    found = open_set(products.info, "toy-clip")
    np.testing.assert_array_equal(found.vectors, wanted)
    np.testing.assert_array_equal(found.present, present)


def test_two_workers_of_ray_give_the_same_vectors(
    products: Products, clip_folder: Path, tmp_path: Path
) -> None:
    spec = encoder(str(clip_folder))
    embed("shop", spec, workers=1, device="cpu")
    alone = open_set(products.info, "toy-clip")
    wanted, present = np.array(alone.vectors, np.float32), alone.present
    report = embed("shop", spec, engine="ray", workers=2, again=True)
    assert report.computed == 9
    found = open_set(products.info, "toy-clip")
    np.testing.assert_array_equal(found.present, present)
    np.testing.assert_allclose(found.vectors.astype(np.float32), wanted, atol=1e-3)


def test_the_description_says_what_the_vectors_are(products: Products, clip_folder: Path) -> None:
    embed("shop", encoder(str(clip_folder)), workers=1, device="cpu")
    described = json.loads((products.info.folder / "embeddings/toy-clip/encoder.json").read_text())
    assert described["fingerprint"] == products.info.fingerprint
    assert described["normalised"] is True and len(described["weights"]) == 12
    assert described["preprocessing"]["resize_mode"] == "squash"
