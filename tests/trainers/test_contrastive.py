"""The contrastive trainer: stopped and resumed equals unbroken, chunks change nothing, a run is an encoder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.catalog.products import Products
from core.commands.models import is_encoder
from core.embeddings.clip import encoder, run_encoders
from core.embeddings.embed import embed
from core.errors import UsageError, VitrineError
from core.models.registry import models
from core.search.query import Part, Searcher
from core.training.checkpoints import read_tensors
from core.training.contrastive import VARIANTS, variant
from core.training.jobs import read_run, resuming
from tests.likeness import products
from trainers import clip, contrastive
from trainers.contrastive_data import hold_out, partners_of, read_split
from trainers.towers import Batch, Towers, open_start

__all__ = ["products"]

SMALL = ("--cpu", "--workers", "1", "--json", "--steps", "4", "--batch-size", "8", "--clusters", "2")


@pytest.fixture
def start(clip_folder: Path, products: Products) -> list[str]:
    """A start of random weights, whose vectors pairs are generated from."""
    for tower in ("image", "text"):
        embed("shop", encoder(str(clip_folder)), tower, workers=1, device="cpu")
    vectors = ["--image-vectors", "toy-clip", "--text-vectors", "toy-clip.text"]
    return ["--dataset", "shop", "--start", str(clip_folder), *vectors]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return read_tensors(run / "model" / clip.WEIGHTS)[0]


def test_stopped_and_resumed_equals_unbroken(
    start: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = home / "runs"
    whole = contrastive.run([*start, *SMALL, "--out", str(runs / "whole"), "--accumulate", "2"])
    assert (
        whole["ended"] == "done" and "retrieval" not in whole
    )  # 24 test products are too few for the protocol
    real, asked = contrastive.fit, [0]

    def fit_two(*given: object, **named: object) -> object:
        def stop() -> bool:
            asked[0] += 1
            return asked[0] == 2

        return real(*given, **{**named, "stop": stop})  # type: ignore[arg-type]

    monkeypatch.setattr(contrastive, "fit", fit_two)
    stopped = contrastive.run([*start, *SMALL, "--out", str(runs / "broken"), "--accumulate", "2"])
    assert stopped["ended"] == "stopped" and read_run("broken").state == "stopped"
    assert [spec.name for spec in run_encoders()] == ["whole"]
    monkeypatch.setattr(contrastive, "fit", real)
    assert resuming(read_run("broken"))[:3] == ["-m", "trainers.contrastive", "--resume"]
    contrastive.run(["--resume", "--cpu", "--workers", "1", "--json"])  # finds it
    first, second = weights(runs / "whole"), weights(runs / "broken")
    assert all(bool((first[name] == second[name]).all()) for name in first)
    lines = [json.loads(line) for line in (runs / "broken" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4] and {"score", "alike"} <= set(
        lines[-1]["validation"]
    )

    # Trained is what was asked for, and nothing else.
    contrastive.run([*start, *SMALL, "--out", str(runs / "head"), "--train-text", "head"])
    begin, head = read_tensors(Path(start[3]) / clip.WEIGHTS)[0], weights(runs / "head")
    assert [name for name in head if bool((head[name] != begin[name].float()).any())] == [
        "text.text_projection"
    ]
    changed = {name.split(".")[0] for name in first if bool((first[name] != begin[name].float()).any())}
    assert changed == {"text"}

    # A finished run is an encoder: of vectors, search and zero-shot, known by its name.
    assert {spec.name for spec in run_encoders()} == {"whole", "broken", "head"}
    assert embed("shop", encoder("whole"), workers=1, device="cpu").present == 54
    hits = Searcher(Products.open("shop"), "whole").search([Part("text", "červené šaty")], 3).hits
    assert len(hits) == 3
    assert "zero-shot-whole@shop" in {spec.name for spec in models()}
    assert encoder("whole").seen().datasets[-1].splits == ("train",)  # type: ignore[union-attr]
    assert not any(spec.name == "whole" for spec in models())  # and no classifier
    assert is_encoder("whole") and not is_encoder("clip-tiny")


@pytest.mark.parametrize("name", [one.name for one in VARIANTS if one.loss != "none"])
def test_every_variant_learns_in_chunks_what_it_learns_whole(
    name: str, clip_folder: Path, products: Products
) -> None:
    one = variant(name)
    model, tokenizer, takes = open_start(clip_folder, clip_folder / clip.WEIGHTS)
    texts = ["red dress", "blue dress", "green hat", "boots", "shirt", "coat", "bag", "cap"]
    share = torch.linspace(0.1, 0.8, 8)
    batch = Batch(
        torch.randint(0, 255, (8, 3, 32, 32), generator=torch.Generator().manual_seed(1), dtype=torch.uint8),
        tokenizer(texts + (texts[3:] + texts[:3] if one.negatives != "none" else [])),
        torch.arange(8) != 5,
        share,
        1 - share,
    )

    def gradients(chunk: int) -> dict[str, torch.Tensor]:
        towers = Towers(model, takes["mean"], takes["std"], False, chunk, one.loss == "siglip").train()
        towers.zero_grad()
        loss = contrastive.loss_of(one, 1.0, 1.0, towers, batch)
        loss.backward()
        return {key: x.grad.clone() for key, x in towers.named_parameters() if x.grad is not None}

    whole, parts = gradients(0), gradients(3)
    assert whole.keys() == parts.keys() and any(key.startswith("clip.visual") for key in whole)
    for key, gradient in whole.items():
        assert float((parts[key] - gradient).norm()) <= 1e-3 * float(gradient.norm()) + 1e-6, key


def test_from_scratch_with_pictures_and_what_goes_not_together(
    products: Products, home: Path, monkeypatch: pytest.MonkeyPatch, clip_folder: Path
) -> None:
    tiny = replace(clip.PRESETS["tiny"], image_px=32, trunk="test_resnet", width=16, heads=2, layers=1, tokens=8,
                   vocabulary=400, embedding=16)  # fmt: skip
    monkeypatch.setitem(clip.PRESETS, "tiny", tiny)
    scratch = ["--dataset", "shop", "--start", "scratch", *SMALL]
    done = contrastive.run(
        [*scratch, "--train-image", "--variant", "2b", "--out", str(home / "runs" / "new")]
    )
    assert done["ended"] == "done" and encoder("new").dimensions == 16
    for wrong, said in (
        (["--variant", "2a"], "train-image"),
        (["--train-image", "--variant", "2b", "--accumulate", "2"], "chunk"),
        (["--train-image", "--variant", "siglip", "--batch-size", "1"], "two or more"),
        (["--train-image", "--variant", "2b", "--chunk", "2"], "chunks would change"),
        (["--start", "imagenet-lite0"], "pictures alone"),
        (["--start", str(clip_folder), "--beta", "-1"], "expected 0 or more"),
        (["--start", str(clip_folder), "--image-vectors", "nobody", "--text-vectors", "none"], "nobody"),
    ):
        out = ["--out", str(home / "runs" / f"x{len(wrong)}{wrong[-1][-1]}")]
        with pytest.raises(VitrineError, match=said):
            contrastive.run([*scratch, *wrong, *out])
    with pytest.raises(UsageError, match="not trained"):
        contrastive.check(variant("1"), contrastive.ContrastiveModel(), contrastive.TrainConfig(), 1)


def test_partners_are_training_products(products: Products, start: list[str]) -> None:
    coder: Any = contrastive.load_encoder(encoder(start[3]), "cpu")
    there, _ = read_split(products, "train", coder, coder.preprocessing, 1)
    assert there.left_out == {"no text": 1, "no picture that can be opened": 1}  # rows 7 and 5
    mine, held = hold_out(there, 0)
    assert len(mine) + len(held) == len(there) and not set(mine.picture) & set(held.picture)
    settings = contrastive.pair_settings(variant("3"), products, 0, "toy-clip", "toy-clip.text", 2)
    partners, counts = partners_of(products, settings, mine)
    assert counts["partner_held_out"] == int((partners.position < 0).sum()) > 0
    assert counts["pairs"] + counts["partner_held_out"] == len(mine)
    assert (partners.negative[partners.position < 0] == 0).all()
