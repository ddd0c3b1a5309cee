"""Cropped and recoloured copies: where one picture lies in another, and what is found of planted ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from core.catalog.products import Products
from core.duplicates import copies, finding, hashing
from core.duplicates.alignment import as_tensor, edges, settle
from tests.planted import Make, picture


def product(seed: int, colour: tuple[int, int, int] = (200, 60, 50)) -> Image.Image:
    """Something with soft folds, in an outline of its own, before a pale wall."""
    rng = np.random.default_rng(seed)
    outline = Image.new("L", (120, 150))
    around = rng.uniform(0.45, 1, 7) * 55
    angles = np.linspace(0, 2 * np.pi, 7, endpoint=False)
    corners = np.stack([60 + around * np.cos(angles), 75 + 1.2 * around * np.sin(angles)], axis=1)
    ImageDraw.Draw(outline).polygon([tuple(corner) for corner in corners.tolist()], fill=255)
    light = np.asarray(picture(seed).convert("L"))[:, :, None] / 255
    folds = Image.fromarray((light * colour).astype(np.uint8))
    return Image.composite(folds, Image.new("RGB", (120, 150), (236, 233, 228)), outline)


def cropped(image: Image.Image, left: float, upper: float, right: float, lower: float) -> Image.Image:
    """Without these shares of its sides, in its old size."""
    width, height = image.size
    box = (width * left, height * upper, width * (1 - right), height * (1 - lower))
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


@pytest.fixture
def copied(make: Make) -> Products:
    """Rows 0-5 are different things; 6 is 0 cropped, in test; 7 is 1 mirrored and cropped; 8 is 2 recoloured."""
    things = [product(seed) for seed in range(6)]
    mirrored = things[1].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    changed = [
        (cropped(things[0], 0.08, 0.03, 0.02, 0.06), "test"),
        (cropped(mirrored, 0.03, 0.05, 0.05, 0.02), "train"),
        (product(2, (40, 90, 190)), "train"),
    ]
    rows = [*((thing, "train") for thing in things), *changed]
    return make([{"image": image, "split": split, "name": f"n{n}"} for n, (image, split) in enumerate(rows)])


def pairs(found: finding.Found, threshold: float) -> set[tuple[int, int]]:
    taken = found.within(threshold)
    return set(zip(found.a[taken].tolist(), found.b[taken].tolist(), strict=True))


def test_a_crops_place_is_recovered_within_half_a_pixel() -> None:
    sides = [(0.08, 0.02, 0.03, 0.07), (0.0, 0.05, 0.06, 0.0), (0.04, 0.04, 0.04, 0.04)]
    whole = [product(seed) for seed in range(3)]
    first, second = (
        as_tensor(np.stack([np.asarray(image.resize((64, 64))) for image in images]))
        for images in (whole, [cropped(image, *side) for image, side in zip(whole, sides, strict=True)])
    )
    place, agree = settle(edges(first), edges(second), torch.tensor([[0.9, 0, 0.9, 0]] * 3), 10)
    true = [[1 - left - right, left - right, 1 - up - low, up - low] for left, up, right, low in sides]
    assert np.abs(place.numpy() - true).max() < 1 / 64  # a frame is 2 wide and 64 pixels
    assert agree.min() > 0.95


def test_crops_and_recolours_are_found_each_by_its_detector_and_nothing_else(copied: Products) -> None:
    found = finding.find(copied, ["cropped", "recoloured", "pixels"])
    assert pairs(found["cropped"], 4) == {(0, 6), (1, 7)}
    assert pairs(found["recoloured"], 2) == {(2, 8)}
    assert not pairs(found["pixels"], 6)


def test_a_picture_nearly_of_one_colour_is_no_recolour_of_all_others() -> None:
    wall = Image.new("RGB", (120, 150), (236, 233, 228))
    images = [product(0), Image.blend(wall, product(7), 0.06), product(0, (40, 90, 190))]
    thing, pale, blue = (as_tensor(np.array(image.resize((64, 64)))[None]) for image in images)
    assert copies.recoloured(thing, blue) < 1
    assert copies.recoloured(thing, pale) > 10


def test_a_killed_search_goes_on_with_the_parts_that_are_there(
    copied: Products, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = finding.find(copied, ["cropped"])["cropped"]
    folder = hashing.folder_of(copied.info)
    (folder / "copies.parquet").unlink()
    real, seen = copies._copies, []

    def dying(*given: object) -> object:
        seen.append(given[3].tolist())
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(copies, "PART", 2)
    monkeypatch.setattr(copies, "_copies", dying)
    with pytest.raises(KeyboardInterrupt):
        finding.find(copied, ["cropped"], again=True)
    assert len(list((folder / "copies.parts").iterdir())) == 2
    found = finding.find(copied, ["cropped"], again=True)["cropped"]
    assert seen == [[0, 1], [2, 3], [4, 5], [4, 5], [6, 7], [8]]
    assert not (folder / "copies.parts").exists()
    assert (found.a.tolist(), found.b.tolist()) == (whole.a.tolist(), whole.b.tolist())
    assert found.likeness == pytest.approx(whole.likeness, abs=1e-3)
