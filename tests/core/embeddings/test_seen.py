"""Whether an encoder saw a dataset in its training: by the dataset's fingerprint, and by the names of its classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.catalog.products import Products
from core.demo.looks import KINDS
from core.embeddings.clip import ENCODERS, encoder
from core.embeddings.seen import FILE, Seen, SeenDataset, exposure, read_seen, same_name, write_seen
from core.errors import ModelError
from core.evaluation.evaluate import evaluate
from core.models.cards import card
from core.models.loading import open_classifier
from core.models.registry import model
from tests.likeness import picture, products, write_clip

__all__ = ["products"]


def test_the_four_ways_to_stand_to_a_dataset(products: Products) -> None:
    """The categories are Clothes > red, green, blue."""
    itself = SeenDataset("elsewhere", products.info.fingerprint, 54)
    other = SeenDataset("shop", "0" * 16, 9)  # of the same name, with other files
    cases = {
        "unknown": None,
        "none": Seen((other,), ("cloth", "bed", "")),
        "classes": Seen((other,), ("RED", "blue ", "Clothes")),
        "dataset": Seen((other, itself), ("red",)),
    }
    for kind, seen in cases.items():
        found = exposure("E", seen, products.info)
        assert found.kind == kind and found.zero_shot == (kind == "none") and found.classes == 3
    assert exposure("E", cases["classes"], products.info).seen_classes == 2
    assert "2 of the 3 categories of shop" in exposure("E", cases["classes"], products.info).sentence()
    assert "54 pictures of shop" in exposure("E", cases["dataset"], products.info).sentence()


def test_the_bundled_encoder_knows_its_own_training(glami_mini: str) -> None:
    """glami-mini by its fingerprint; and every kind of the drawn datasets, in Chinese too."""
    spec = ENCODERS[0]
    found = exposure(spec.title, spec.seen(), Products.open(glami_mini).info)
    assert (found.kind, found.seen_classes, found.classes) == ("dataset", 17, 17)
    shown = {same_name(name) for name in spec.seen().classes}  # type: ignore[union-attr]
    assert {same_name(kind) for kind in KINDS} <= shown
    assert {"连衣裙", "女士连衣裙", "比基尼"} <= shown
    assert model(f"zero-shot-clip-tiny@{glami_mini}").title.endswith("(not zero-shot: saw this dataset)")


def test_evaluation_answer_and_card_say_it(products: Products, tmp_path: Path) -> None:
    folder = write_clip(tmp_path / "seeing")
    name = f"zero-shot-{folder}"
    assert evaluate(name, "test", "shop")["exposure"]["kind"] == "unknown"
    write_seen(folder, Seen((SeenDataset("shop", products.info.fingerprint, 54, ("train",)),), ("red",)))
    said = "Not zero-shot: seeing was trained on 54 pictures of shop"
    report = evaluate(name, "test", "shop")["exposure"]
    assert (report["kind"], report["zero_shot"], report["seen_classes"]) == ("dataset", False, 1)
    notes = open_classifier(name, "shop").classify(picture("red")).notes
    assert any(said in note for note in notes)
    assert said in card(replace(model(f"{name}@shop"), weights="hub")).facts["Zero-shot"]
    (folder / FILE).write_text('{"datasets": 3}')
    with pytest.raises(ModelError, match="does not say"):
        read_seen(folder)


def test_an_encoder_of_the_web_is_zero_shot(products: Products) -> None:
    spec = encoder("ViT-B-32")
    found = exposure(spec.title, spec.seen(), products.info)
    assert found.zero_shot and "400 million pairs" in spec.seen().datasets[0].name  # type: ignore[union-attr]
    assert encoder("some-model/some_weights").seen() is None
