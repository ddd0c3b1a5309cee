"""The drawn products: sized, repeatable, visible, and of the colour and pattern they are said to have."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.demo import drawing
from core.demo.drawing import __main__ as sheet
from core.demo.drawing import scene
from core.demo.looks import COLOURS, KINDS, Look

BACKDROP = (255, 0, 255)  # no cloth has it


def a_look(kind: str, seed: int = 1, **changes: str) -> Look:
    options = KINDS[kind]
    first = {"colour": options.colours[0], "pattern": options.patterns[0], "material": options.materials[0]}
    return Look(kind=kind, seed=seed, **{**first, **changes})


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products before a plain backdrop, without stickers, so that their own pixels can be told apart."""

    def backdrop(size: tuple[int, int], rng: Random, standing: bool) -> Image.Image:
        return Image.new("RGB", size, BACKDROP)

    monkeypatch.setattr(scene, "background", backdrop)
    monkeypatch.setattr(scene, "finish", lambda image, rng: None)


def subject(picture: Image.Image) -> NDArray[np.bool_]:
    """Where the product is, without its soft shadow."""
    away = np.abs(np.asarray(picture).astype(int) - BACKDROP).sum(axis=2)
    return np.asarray(away > 190)


def test_every_kind_has_a_drawing_and_none_is_left_over() -> None:
    assert list(drawing.DRAWERS) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_has_the_size_asked_for_and_repeats_byte_for_byte(kind: str) -> None:
    picture = drawing.draw(a_look(kind))
    assert (picture.mode, picture.size) == ("RGB", (228, 298))
    assert picture.tobytes() == drawing.draw(a_look(kind)).tobytes()
    assert picture.tobytes() != drawing.draw(a_look(kind, seed=2)).tobytes()


def test_a_picture_can_be_larger_or_smaller() -> None:
    for size in ((114, 149), (456, 596)):
        assert drawing.draw(a_look("womens-dresses"), size).size == size


def test_drawing_leaves_the_random_state_of_others_alone() -> None:
    """What else is drawn, and in which order, does not change a picture."""
    first = drawing.draw(a_look("gloves", seed=5)).tobytes()
    for kind in ("hats", "rings", "womens-coats"):
        drawing.draw(a_look(kind))
    assert drawing.draw(a_look("gloves", seed=5)).tobytes() == first


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("kind", KINDS)
def test_the_product_fills_a_fair_part_of_the_frame_and_is_not_cut_off(kind: str) -> None:
    for seed in (1, 2):
        seen = subject(drawing.draw(a_look(kind, seed)))
        assert 0.04 < seen.mean() < 0.75
        assert seen[20:-20, :2].mean() < 0.05, "cut at the left"
        assert seen[20:-20, -2:].mean() < 0.05, "cut at the right"


# Kinds whose picture is mostly their own cloth: no sole, dial, gem, lining or mannequin to speak of.
ALL_CLOTH = (
    "mens-t-shirts", "mens-polo-shirts", "womens-sweaters", "womens-skirts", "mens-trousers", "womens-coats",
    "womens-bathrobes", "backpacks", "wallets", "beanies", "gloves", "umbrellas", "womens-wellingtons",
    "flip-flops",
)  # fmt: skip


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("kind", ALL_CLOTH)
def test_a_plain_product_has_the_colour_asked_for(kind: str) -> None:
    for colour in sorted({"red", "navy", "white", "black", "khaki"} & set(KINDS[kind].colours)):
        for seed in (3, 4):
            picture = drawing.draw(a_look(kind, seed, colour=colour, pattern="plain"))
            middle = np.median(np.asarray(picture)[subject(picture)], axis=0)
            assert np.abs(middle - COLOURS[colour]).max() < 52, (kind, colour, seed, middle)


@pytest.mark.usefixtures("bare")
def test_colours_are_told_apart() -> None:
    """The colour seen is nearest the colour named, among those that differ clearly."""
    names = ["red", "green", "blue", "yellow", "pink", "white", "black", "brown"]
    for name in names:
        picture = drawing.draw(a_look("womens-t-shirts", seed=6, colour=name, pattern="plain"))
        seen = np.median(np.asarray(picture)[subject(picture)], axis=0)
        assert min(names, key=lambda other: float(np.abs(seen - COLOURS[other]).sum())) == name


PATTERNED = [kind for kind in KINDS if len(KINDS[kind].patterns) > 1]


@pytest.mark.parametrize("kind", PATTERNED)
def test_a_pattern_is_seen(kind: str) -> None:
    options = KINDS[kind]
    plain = np.asarray(drawing.draw(a_look(kind, pattern="plain"))).astype(int)
    for pattern in options.patterns:
        if pattern != "plain":
            other = np.asarray(drawing.draw(a_look(kind, pattern=pattern))).astype(int)
            assert (np.abs(other - plain).sum(axis=2) > 40).mean() > 0.01, pattern


@pytest.mark.usefixtures("bare")
def test_stripes_vary_more_than_plain_cloth() -> None:
    def variation(pattern: str) -> float:
        looks = [a_look("mens-t-shirts", seed, colour="navy", pattern=pattern) for seed in range(6)]
        pictures = [drawing.draw(look) for look in looks]
        return float(np.mean([np.asarray(p)[subject(p)].std() for p in pictures]))

    assert variation("stripes") > 1.5 * variation("plain")


def test_the_contact_sheet_names_and_shows_every_kind_asked_for() -> None:
    made = sheet.contact_sheet(["hats", "caps", "rings"], columns=2, width=48, seed=0)
    assert made.width > 4 * 48
    assert len({look.pattern for look in sheet.variants("scarves", 6, 0)}) == 6
