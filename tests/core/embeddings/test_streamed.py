"""Pictures decoded ahead: the same pixels, the same run, as from the array of them all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.catalog.products import Products
from core.embeddings import pixels, streamed
from core.embeddings.pixels import PixelCache, fits
from core.embeddings.streamed import PictureStream
from core.training.checkpoints import read_tensors
from tests.likeness import products
from tests.toy import TOY, import_toy, train_toy
from trainers.runner import run

__all__ = ["products"]
PICTURES = replace(TOY, model=replace(TOY.model, text=None))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_streamed_batch_is_a_cached_one(
    products: Products, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed, "CHUNK", 20)
    ids = [f"p{number}" for number in range(60)]
    cache, stream = PixelCache(products.info, 24, 18), PictureStream(products.info, 24, 18)
    assert cache.fill(ids, 1) == stream.fill(ids, workers)
    assert stream.fill(ids, workers)["decoded"] == 0  # what was learnt is kept
    rows = cache.rows([*ids, None, "absent"])
    assert np.array_equal(rows, stream.rows([*ids, None, "absent"]))
    assert rows[5] == -1 and rows[-1] == -1  # broken, and not there
    chosen = rows[[3, 5, 59, 1, 30, 33, 3]]
    stream.prefetch(chosen)
    for _ in range(2):  # as announced, then unannounced
        assert np.array_equal(cache.batch(chosen), stream.batch(chosen))
    assert stream.batch(rows[:0]).shape == (0, 24, 18, 3)
    again = PictureStream(products.info, 24, 18)
    assert again.fill(ids, 1)["decoded"] == 0
    stream.close()


def test_only_so_many_batches_are_ahead(products: Products, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PictureStream, "_submit", lambda self, rows: [])
    stream = PictureStream(products.info, 8, 6)
    stream.workers = 2
    for start in range(20):
        stream.prefetch(np.array([start, start + 1]))
    assert len(stream._waiting) == 4


def test_what_fits_is_an_array(products: Products, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fits(products.info, 24, 18)
    monkeypatch.setattr(pixels, "LARGEST_BYTES", 1_000)
    assert not fits(products.info, 24, 18)
    monkeypatch.undo()
    PixelCache(products.info, 24, 18)
    monkeypatch.setattr(pixels, "LARGEST_BYTES", 1_000)
    assert fits(products.info, 24, 18)  # it is there


def test_a_streamed_run_equals_a_cached_one_stopped_or_not(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainers import runner

    import_toy(tmp_path)
    monkeypatch.setattr(pixels, "LARGEST_BYTES", 1_000)
    monkeypatch.setattr(runner, "_test_metrics", lambda *given: {})  # no evaluation after the training
    train_toy(home / "runs" / "streamed", "--steps", "8", recipe=PICTURES)
    assert not (home / "toy" / "pixels" / "32x24").exists()

    fit, asked = runner.fit, [0]

    def stopped(*given: object, **named: object) -> object:
        def stop() -> bool:
            asked[0] += 1
            return asked[0] == 3

        return fit(*given, **{**named, "stop": stop})  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(runner, "fit", stopped)
        train_toy(home / "runs" / "broken", "--steps", "8", recipe=PICTURES)
    resumed = ["--resume", "--out", str(home / "runs" / "broken"), "--cpu", "--workers", "2", "--json"]
    monkeypatch.setattr(streamed, "CHUNK", 40)  # in two processes
    run("embracenet", {"toy": PICTURES}, resumed)
    monkeypatch.setattr(pixels, "LARGEST_BYTES", 2**30)
    train_toy(home / "runs" / "cached", "--steps", "8", recipe=PICTURES)
    assert (home / "toy" / "pixels" / "32x24" / "pixels.bin").exists()
    cached, _ = read_tensors(home / "runs" / "cached" / "model.safetensors")
    for name in ("streamed", "broken"):
        other, _ = read_tensors(home / "runs" / name / "model.safetensors")
        assert all(torch.equal(cached[key], other[key]) for key in cached), name
