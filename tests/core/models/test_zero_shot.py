"""Zero-shot classification beside the same sums worked by hand with open_clip itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import core.models.registry
from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.embeddings.clip import encoder
from core.embeddings.embed import embed
from core.embeddings.loading import load_encoder
from core.embeddings.store import open_set
from core.embeddings.vectors import vectors_of
from core.errors import ImageError, ModelError, UnknownDatasetError, UsageError
from core.evaluation.evaluate import evaluate, probabilities_of, split_data
from core.models.cards import card
from core.models.loading import load, open_classifier
from core.models.prompts import GLAMI, prompts_of, spoken, template_of
from core.models.registry import model, models
from core.models.vectors import vector_inputs
from core.models.zero_shot import ZeroShotClassifier, ZeroShotNetwork
from tests.likeness import picture, products

__all__ = ["products"]
NAME = "Červené šaty s proužky"


@pytest.fixture
def zero_shot(products: Products, clip_folder: Path) -> ZeroShotClassifier:
    return ZeroShotClassifier(
        "zero-shot-toy", load_encoder(encoder(str(clip_folder)), "cpu"), products, "glami"
    )


def open_clip_vectors(
    folder: Path, prompts: list[str], image: Image.Image, text: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Unnormalised vectors by open_clip's own model, transform and tokenizer."""
    import open_clip

    whole, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    whole.eval()
    with torch.inference_mode():
        return (
            whole.encode_text(tokenizer(prompts)),
            whole.encode_image(transform(image)[None]),
            whole.encode_text(tokenizer([text])),
        )


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ("womens-blouses-and-shirts", "women's blouses or shirts"),
        ("women-s-sneakers", "women's sneakers"),
        (" men-s-sneakers ", "men's sneakers"),
        ("mens-t-shirts-and-tank-tops", "men's t shirts or tank tops"),
        ("boys-shoes", "boys shoes"),
        ("childrens-jackets", "childrens jackets"),
        ("brand-and", "brand and"),  # no blank follows it
    ],
)
def test_glamis_prompts_to_the_letter(category: str, words: str) -> None:
    assert spoken(category) == words
    assert GLAMI.replace("{}", words) == f"A photo of a {words}, a type of fashion product"


def test_prompts_name_the_leaf_and_need_a_place_for_it(products: Products) -> None:
    found = prompts_of(products, template_of("a {} thing"))
    assert found == {f"Clothes > {name}": f"a {name} thing" for name in ("blue", "green", "red")}
    assert template_of("glami") == GLAMI
    for wrong in ("a photo", "x" * 600 + "{}"):
        with pytest.raises(UsageError, match="--prompt"):
            template_of(wrong)


def test_sums_are_open_clips(zero_shot: ZeroShotClassifier, clip_folder: Path) -> None:
    rng = np.random.default_rng(3)
    image = Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8))
    prompts, x, t = open_clip_vectors(clip_folder, list(zero_shot.prompts.values()), image, NAME)
    unit = torch.nn.functional.normalize
    inputs, _ = zero_shot.inputs_of(image, NAME)
    scale = zero_shot.encoder.scale
    cases = {
        "sum": (x + t, inputs, "published"),
        "normalised": (unit(x) + unit(t), inputs, "normalised"),
        "its own, trained on directions": (unit(x) + unit(t), inputs, "expected"),
        "image": (x, inputs.without(0), "expected"),
        "text": (t, inputs.without(1), "expected"),
    }
    for what, (vector, given, inference) in cases.items():
        by_hand = (scale * unit(vector) @ unit(prompts).T).softmax(-1)[0]
        assert np.allclose(zero_shot.predict(given, inference)[0], by_hand, atol=1e-4), what
    assert float(x.norm()) != pytest.approx(float(t.norm()), rel=0.02)  # so that the two sums differ


def test_the_two_sums_by_hand() -> None:
    network = ZeroShotNetwork(np.array([[2.0, 0.0], [0.0, 3.0]], np.float32), scale=1.0)
    inputs = vector_inputs(
        torch.tensor([[True, True, False], [True, False, False]]),
        torch.tensor([[0.0, 3.0], [0.0, 1.0]]),
        torch.tensor([[4.0, 0.0], [9.0, 9.0]]),
    )
    added = network(inputs, inference="published").exp()  # (4, 3) / 5 -> cosines .8 and .6
    assert added[0].tolist() == pytest.approx([1 / (1 + np.exp(-0.2)), 1 / (1 + np.exp(0.2))])
    alike = network(inputs, inference="normalised").exp()  # (1, 1) / sqrt 2
    assert alike[0].tolist() == pytest.approx([0.5, 0.5])
    for found in (added, alike):  # what is not available is not added
        assert found[1].tolist() == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])
    assert torch.equal(network(inputs), network(inputs, inference="normalised"))
    kept = ZeroShotNetwork(np.array([[2.0, 0.0], [0.0, 3.0]], np.float32), scale=1.0, keeps_lengths=True)
    assert torch.equal(kept(inputs), network(inputs, inference="published"))


def test_what_draws_nothing_is_not_sampled(products: Products, clip_folder: Path) -> None:
    with pytest.raises(UsageError, match="no 'sampled' inference: it answers by expected, published, norm"):
        evaluate(f"zero-shot-{clip_folder}", "test", "shop", inference="sampled")


def test_stored_vectors_are_used_and_say_the_same(
    products: Products, clip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = encoder(str(clip_folder))
    name = f"zero-shot-{clip_folder}"
    before = {how: evaluate(name, "test", "shop", inference=how) for how in ("published", "normalised")}
    for tower in ("image", "text"):
        embed("shop", spec, tower, workers=1, device="cpu")  # type: ignore[arg-type]
    kept = open_set(products.info, spec.name)
    assert kept.lengths is not None and (kept.lengths[np.asarray(kept.present)] > 0).all()
    frame = product_frame(products, ("test",))
    coder = load_encoder(spec, "cpu")
    now = coder.encode_texts(frame.name.tolist()[:3], raw=True)
    again = vectors_of(products, frame, coder, "text")
    assert again.stored and np.allclose(again.vectors[:3], now, rtol=2e-3, atol=2e-3)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr("core.embeddings.vectors.decoded_chunks", refuse)
    for how, report in before.items():
        after = evaluate(name, "test", "shop", inference=how)
        assert (after["n"], after["unseen"]) == (report["n"], report["unseen"])
        assert after["top1"] == pytest.approx(report["top1"], abs=0.04)


def test_vectors_without_lengths_are_made_again_where_lengths_matter(
    products: Products, clip_folder: Path
) -> None:
    spec = encoder(str(clip_folder))
    embed("shop", spec, "image", workers=1, device="cpu")
    described = open_set(products.info, spec.name).folder / "encoder.json"
    described.write_text(described.read_text().replace('"lengths": true', '"lengths": false'))
    frame, coder = product_frame(products, ("test",)), load_encoder(spec, "cpu")
    made = vectors_of(products, frame, coder, "image", workers=1)
    directions = vectors_of(products, frame, coder, "image", raw=False)
    assert (made.stored, directions.stored) == (False, True)
    assert np.allclose(np.linalg.norm(directions.vectors[directions.present], axis=1), 1, atol=2e-3)
    assert (made.present == directions.present).all() and not made.present.all()


def test_it_is_a_model_of_every_dataset(products: Products) -> None:
    names = [spec.name for spec in models()]
    assert names[-1] == "zero-shot-clip-tiny@shop" and names[0] in core.models.registry.BUNDLED
    spec = model("zero-shot-clip-tiny@shop")
    assert (spec.inputs, spec.weights, spec.dataset) == (("text", "image"), "bundled", "shop")
    assert "categories of shop by their names." in card(spec).limits
    found = load(spec).classify(picture("red"), NAME)
    assert len(found.labels) == 3 and sum(p for _, p in found.labels) == pytest.approx(1, abs=1e-5)
    assert found.labels[0][0] == "Clothes > red"
    assert open_classifier("zero-shot-clip-tiny").name == "zero-shot-clip-tiny@shop"  # there is one dataset
    assert load(spec) is load(model("zero-shot-clip-tiny@shop"))


def test_evaluation_by_what_is_seen(zero_shot: ZeroShotClassifier) -> None:
    data = split_data(zero_shot, "shop", "train")
    found = probabilities_of(zero_shot, data, data.usable(), "both")
    assert found.shape == (len(data.usable()), 3) and np.allclose(found.sum(1), 1, atol=1e-5)


def test_what_cannot_be_asked_is_said(products: Products) -> None:
    known = open_classifier("zero-shot-clip-tiny@shop")
    with pytest.raises(UsageError, match="nothing to classify"):
        known.classify(None, " ")
    with pytest.raises(ImageError):
        known.classify(b"no picture")
    with pytest.raises(UnknownDatasetError):
        open_classifier("zero-shot-clip-tiny@absent")
    with pytest.raises(ModelError, match="no encoder 'x'"):
        model("zero-shot-x@shop")
    with pytest.raises(ModelError, match="weights fetch ViT-B-32"):
        open_classifier("zero-shot-ViT-B-32@shop")
    with pytest.raises(UsageError, match="--prompt"):
        open_classifier("zero-shot-clip-tiny", "shop", "no place")


def test_several_datasets_need_a_choice(products: Products, tmp_path: Path) -> None:
    from core.catalog.build import import_dataset
    from tests.toy import write_toy

    import_dataset("glami", [str(write_toy(tmp_path / "toy", n=12))], "toy")
    with pytest.raises(UsageError, match=r"--dataset \(there is: shop, toy\)"):
        open_classifier("zero-shot-clip-tiny")
    assert open_classifier("zero-shot-clip-tiny", "toy").config.classes == ("bags", "hats", "shoes")


def test_how_much_of_a_text_was_read_is_said(zero_shot: ZeroShotClassifier) -> None:
    coder = zero_shot.encoder
    assert coder.reads("Red dress.") == len("Red dress.") and coder.reads("") == 0
    long = "red dress " * 10_000
    read = coder.reads(long)
    assert 0 < read < 2_000
    assert np.array_equal(coder.encode_texts([long]), coder.encode_texts([long[:read]]))
    cut = f"Only the first {read:,} of 99,999 characters were read."
    assert zero_shot.classify(None, long).notes[:-1] == [cut]
    assert "the training data of toy-clip is not recorded" in zero_shot.classify(None, "Red dress.").notes[0]
