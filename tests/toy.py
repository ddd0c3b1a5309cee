"""A toy dataset in GLAMI's layout, and a classifier trained on it within seconds."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.catalog.build import import_dataset
from core.embeddings.encoders import ImageConfig, TextConfig
from core.evaluation import cache
from core.evaluation.choice import Choice
from core.models.embracenet import EmbraceNetConfig
from core.models.registry import model
from core.training.loop import TrainConfig
from trainers.recipe import Recipe
from trainers.runner import run

COLOURS = {"bags": (200, 30, 30), "hats": (30, 180, 40), "shoes": (30, 40, 200)}
WORDS = {"bags": ("taška", "kabelka"), "hats": ("klobouk", "čepice"), "shoes": ("boty", "tenisky")}
COLUMNS = ("item_id", "image_id", "geo", "name", "description", "category", "category_name", "label_source")

TOY = Recipe(
    architecture="embracenet",
    model=EmbraceNetConfig(
        text=TextConfig(
            vocabulary=200, tokens=8, d_model=16, d_kv=8, d_ff=16, layers=1, heads=2, dropout=0.0
        ),
        image=ImageConfig(
            height_px=32, width_px=24, stored_height_px=32, stored_width_px=24, channels=(8, 8, 8, 8)
        ),
        width=32,
        modality_dropout="every",
    ),
    training=TrainConfig(batch_size=16, learning_rate=1e-2),
    epochs=10,
    validation_share=0.1,
    validations=2,
    augment=True,
)


def write_toy(folder: Path, n: int = 90) -> Path:
    """Three categories that a colour tells, and a word; every fifth has no picture, every seventh no text."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    rows: dict[str, list[dict[str, object]]] = {"train": [], "test": []}
    for number in range(n):
        label = list(COLOURS)[number % 3]
        if number % 5:
            pixels = np.clip(np.array(COLOURS[label]) + rng.integers(-25, 25, (40, 30, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "images" / f"{number}.jpg")
        named = number % 7 or number % 5 == 0
        rows["test" if number % 10 >= 7 else "train"].append(
            {
                "item_id": number,
                "image_id": number,
                "geo": ("cz", "sk")[number % 2],
                "name": f"{WORDS[label][number % 2]} Alba {number}" if named else "",
                "description": "",
                "category": list(COLOURS).index(label),
                "category_name": label,
                "label_source": ("admin", "")[number % 4 == 0],
            }
        )
    for split, products in rows.items():
        with (folder / f"GLAMI-1M-{split}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(products)
    return folder


def import_toy(tmp_path: Path) -> None:
    import_dataset("glami", [str(write_toy(tmp_path / "toy-source"))], "toy")


def train_toy(out: Path, *arguments: str, recipe: Recipe = TOY) -> dict[str, object]:
    """Train on the imported toy dataset; the CPU, in the precision that every machine has."""
    presets = {"toy": recipe}
    fixed = ["--dataset", "toy", "--out", str(out), "--cpu", "--precision", "no", "--workers", "1", "--json"]
    return run("embracenet", presets, [*fixed, *arguments])


def write_trained(folder: Path) -> Path:
    """A VITRINE_HOME in `folder` with the toy dataset and a finished run named `toy-run`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(folder / "home"))
        import_toy(folder)
        train_toy(folder / "home" / "runs" / "toy-run")
    return folder / "home"


def write_evaluated(trained: Path, folder: Path) -> Path:
    """A copy of a trained home in `folder`: its run was evaluated with everything, and with the text alone."""
    shutil.copytree(trained, folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(folder / "home"))
        for sees in ("both", "text"):
            cache.evaluate_and_store(model("toy-run"), Choice("toy", sees=sees), workers=1)
    return folder / "home"


def picture(label: str) -> bytes:
    """A JPEG as a visitor might upload it."""
    out = io.BytesIO()
    Image.new("RGB", (60, 80), COLOURS[label]).save(out, "JPEG")
    return out.getvalue()
