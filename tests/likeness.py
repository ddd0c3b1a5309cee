"""A dataset with every kind of missing picture, and a CLIP of random weights that loads within a second."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.catalog.build import import_dataset
from core.catalog.products import Products

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 40), "blue": (30, 40, 200)}
NAMES = {
    "red": "Červené šaty s proužky",
    "green": "Zelená mikina",
    "blue": "Синя рокля",
}
ROWS = 60  # products; see `write_products` for which have a picture


def write_products(folder: Path) -> Path:
    """Sixty products: every tenth has no picture, row 5's is broken, 30 and 33 share one."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "image_id", "name", "description", "category", "geo", "split", "image"])
        for number in range(ROWS):
            colour = list(COLOURS)[number % 3]
            image = f"{30 if number == 33 else number}.png" if number % 10 else ""
            if image and number != 33:
                noise = rng.integers(-25, 25, (40, 30, 3))
                pixels = np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / image)
            if number == 30:
                image = "30.png"
                Image.new("RGB", (30, 40), COLOURS[colour]).save(folder / image)
            geo, split = ("cz", "train") if number % 2 else ("sk", "test")
            text = "" if number == 7 else f"{NAMES[colour]} {number}"
            writer.writerow(
                [
                    f"i{number}",
                    f"p{30 if number == 33 else number}",
                    text,
                    "",
                    f"Clothes > {colour}",
                    geo,
                    split,
                    image,
                ]
            )
    (folder / "5.png").write_bytes(b"no picture at all")
    return folder / "products.csv"


def write_clip(folder: Path, seed: int = 0) -> Path:
    """An open_clip folder: a small residual network and one layer of text, with random weights."""
    import open_clip
    import torch

    from core.embeddings.clip import CONFIG, WEIGHTS
    from trainers.clip import PRESETS, configuration, export, train_tokenizer

    folder.mkdir(parents=True)
    texts = [*NAMES.values(), "red dress", "modré kalhoty"] * 20
    train_tokenizer(texts, 400, 12, folder)
    described = configuration(PRESETS["tiny"])
    described["model_cfg"]["embed_dim"] = 16
    described["model_cfg"]["vision_cfg"] |= {"image_size": 32, "timm_model_name": "test_resnet"}
    size = len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
    described["model_cfg"]["text_cfg"] |= {
        "vocab_size": size,
        "context_length": 12,
        "width": 16,
        "heads": 2,
        "layers": 1,
    }
    (folder / CONFIG).write_text(json.dumps(described))
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}")
    export(model, folder, {})
    assert (folder / WEIGHTS).exists()
    return folder


def picture(colour: str) -> bytes:
    """A JPEG of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (60, 80), COLOURS[colour]).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def products(home: Path, tmp_path: Path) -> Products:
    """The sixty products, imported as `shop` into a home of their own."""
    table = write_products(tmp_path / "source")
    import_dataset("table", [str(table)], "shop")
    return Products.open("shop")
