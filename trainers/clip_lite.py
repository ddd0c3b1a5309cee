"""Train the bundled CLIP over the published picture network.

    python -m trainers.clip_lite --drawings demo --photos glami-mini --taxonomy taxonomy_names.csv.gz

The picture network stays as it is. Its features are projected (trainers.lite_space), colours stand beside them
(core.embeddings.colours), and what has a name gets a direction in that space (trainers.vocabulary): the
published last layer's for a thousand classes, discriminants of photos for kinds of clothes, mixtures of both for kinds of
products and for a taxonomy's names. What reads texts in fifteen languages and
points there is a regression of where texts point on the pieces of their words, solved at once. It sees no picture, so that it
cannot learn a drawing's shortcuts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.catalog.cohort import Cohort
from core.catalog.info import info
from core.catalog.products import Products
from core.demo.looks import PATTERNS
from core.embeddings.lite_clip import (
    TOKENIZER,
    TRUNK,
    WEIGHTS,
    LiteClip,
    LiteConfig,
    Pieces,
    TextTower,
    write_config,
)
from core.embeddings.pixels import picture_ids
from core.embeddings.seen import Seen, SeenDataset, write_seen
from core.errors import TrainingError, UsageError, VitrineError
from core.settings import go_offline, settings
from core.storage import storage_errors
from core.training.checkpoints import write_tensors
from core.training.process import hold, recorded
from trainers import lite_space, lite_views, vocabulary
from trainers.captions import KINDS_OF_CATEGORY, Subject, names_of_kind
from trainers.clip import train_tokenizer
from trainers.imagenet import bundled, halved
from trainers.lite_texts import Texts, pointed
from trainers.pairs import looks_of, text_of
from trainers.ridge import piece_counts, ridge

MODEL = "model"  # the folder of a run that is the encoder; its figures lie beside it
HELD_OUT = 10  # one photo in so many validates
CORPUS = 30_000  # texts that the tokenizer is trained on, beside every name once


@dataclass(frozen=True)
class LitePreset:
    """One size, and how parts of a text are weighed."""

    config: LiteConfig = field(default_factory=LiteConfig)
    views: int = 1  # of each photo
    colour: float = 1.4  # length of a text's colour beside its meaning's 1
    pattern: float = 0.25
    texts: int = 32_000  # that the reader of texts is fitted to
    iterations: int = 25
    seed: int = 0


PRESETS = {"tiny": LitePreset()}


@dataclass(frozen=True)
class Pictures:
    """One dataset's training pictures."""

    features: NDArray[np.float16]  # (views, n, 1280)
    histograms: NDArray[np.float16]  # (views, n, PROTOTYPES)
    subjects: list[Subject]
    held_out: NDArray[np.bool_]  # (n,) photos that validate

    def __len__(self) -> int:
        return len(self.subjects)


def read_pictures(name: str, views: int, workers: int | None) -> Pictures:
    """The training split of a dataset; pictures that cannot be opened are left out.

    Raises:
        TrainingError: there are none.
    """
    products = Products.open(name)
    frame = products.frame(
        "SELECT item_id, image_id, geo, name, description, category, label_kind FROM cohort "
        "WHERE image IS NOT NULL ORDER BY row_id",
        Cohort(name, split=("train",)),
    )
    looks = looks_of(products)
    features, histograms = lite_views.features(products.info, 1 if looks else views, workers)
    row_of = {image_id: row for row, image_id in enumerate(picture_ids(products.info))}
    kept, subjects = [], []
    for product in frame.to_dict("records"):
        row = row_of[product["image_id"]]
        if not features[0, row].any():
            continue
        look = looks.get((product["item_id"], product["geo"], product["image_id"]))
        human = product["label_kind"] == "human" and not looks
        kept.append(row)
        subjects.append(
            Subject(
                text_of(product["name"]), text_of(product["description"]),
                text_of(product["category"]) if human else None, look,
            )
        )  # fmt: skip
    if len(kept) < 2:
        raise TrainingError(f"{name} has no pictures to train on.")
    held = np.array([not looks and number % HELD_OUT == 0 for number in range(len(kept))])
    return Pictures(features[:, kept], histograms[:, kept], subjects, held)


def space_and_texts(
    parts: Sequence[Pictures], taxonomy: Path, preset: LitePreset, kept: Path | None
) -> tuple[lite_space.Space, Texts]:
    """What pictures become, and the texts that point at them.

    Args:
        kept: a file that the teacher's vectors are kept in.
    """
    space = lite_space.space_of(
        [part.features[0] for part in parts], [part.histograms[0] for part in parts], preset.config.meaning
    )
    drawn = [part for part in parts if any(subject.look for subject in part.subjects)]
    shot = [part for part in parts if not any(subject.look for subject in part.subjects)]
    photos, drawings = kind_directions(space, shot, drawn), kind_directions(space, drawn, shot)
    patterns = pattern_directions(space, drawn)
    if photos or drawings:
        space, turn = lite_space.stretched(space, np.array([*photos.values(), *drawings.values()]))
        photos, drawings, patterns = (lite_space.turned(each, turn) for each in (photos, drawings, patterns))
    leaves = vocabulary.read_taxonomy(taxonomy)
    found = vocabulary.concepts(leaves, space.classes, photos, drawings, kept)
    kinds = list(vocabulary.anchors()["kinds"])
    others = len(vocabulary.anchors()["other"])
    first, second = vocabulary.CLASSES, vocabulary.CLASSES + len(kinds)
    labelled = [
        (subject, photos[subject.category])
        for part in shot
        for subject, held in zip(part.subjects, part.held_out, strict=True)
        if subject.category in photos and not held
    ]
    texts = Texts(
        worn=dict(zip(kinds, found[first:second], strict=True)),
        called=[*found[:first], *found[second : second + others] * 8],
        leaves=found[second + others :],
        photos=labelled,
        colours=lite_space.colour_directions(space),
        patterns=patterns,
    )
    return space, texts


def kind_directions(
    space: lite_space.Space, parts: Sequence[Pictures], others: Sequence[Pictures]
) -> dict[str, NDArray[np.float32]]:
    """Directions of categories of photos, or of kinds of drawings; none without pictures.

    Args:
        others: pictures that they shall differ from as well.
    """
    meanings, labels = [], []
    for part in parts:
        kinds = [subject.look.kind if subject.look else subject.category or "" for subject in part.subjects]
        for view in part.features:
            meanings.append(space.meaning(view[~part.held_out]))
            labels += [kind for kind, held in zip(kinds, part.held_out, strict=True) if not held]
    if not any(labels):
        return {}
    beside = [space.meaning(part.features[0]) for part in others] or meanings
    return lite_space.discriminants(np.concatenate(meanings), labels, np.concatenate(beside))


def pattern_directions(space: lite_space.Space, drawn: Sequence[Pictures]) -> dict[str, NDArray[np.float32]]:
    """Pattern -> (d,) of length 1: what drawings with it differ in from plain ones of the same kind."""
    found: dict[str, NDArray[np.float32]] = {}
    for part in drawn:
        meaning = space.meaning(part.features[0])
        looks = [subject.look for subject in part.subjects]
        plain: dict[str, list[int]] = {}
        for row, look in enumerate(looks):
            if look is not None and look.pattern == "plain":
                plain.setdefault(look.kind, []).append(row)
        means = {kind: meaning[rows].mean(axis=0) for kind, rows in plain.items()}
        for pattern in PATTERNS[1:]:
            rows = [
                row for row, look in enumerate(looks)
                if look is not None and look.pattern == pattern and look.kind in means
            ]  # fmt: skip
            if len(rows) >= 20:
                away = [meaning[row] - means[looks[row].kind] for row in rows]  # type: ignore[union-attr]
                found[pattern] = vocabulary.unit(np.mean(away, axis=0))
    return found


def fit_texts(texts: Texts, pieces: Pieces, config: LiteConfig, preset: LitePreset, seed: int) -> TextTower:
    """The reader of texts: a ridge regression of where texts point on the pieces that they are made of.

    Of the directions the `width` principal ones are taken; then (X'X + RIDGE I) B = X'Y by conjugate gradients, X counting
    pieces. What is in many texts without saying anything, such as brands, gets vectors near 0.
    """
    rng = random.Random(seed)
    found = [texts.draw(rng) for _ in range(preset.texts)]
    targets = pointed(found, preset.colour, preset.pattern)
    counts = piece_counts([each.text for each in found], pieces, config.vocabulary)
    _, axes = np.linalg.eigh(targets.T.astype(np.float64) @ targets)
    axes = axes[:, ::-1][:, : config.width]
    axes *= np.where(axes.sum(axis=0) < 0, -1, 1)  # eigenvectors have no sign of their own
    solved = ridge(counts, targets @ axes.astype(np.float32), preset.iterations)
    tower = TextTower(config)
    with torch.no_grad():
        tower.pieces.weight.copy_(torch.from_numpy(solved))
        tower.pieces.weight[0] = 0
        tower.outer.weight.copy_(torch.from_numpy(axes.astype(np.float32)))
    return tower


class Validation:
    """Held-out photos: how many of the nearest words are right, and of what is nearest to a word."""

    def __init__(self, space: lite_space.Space, parts: Sequence[Pictures], pieces: Pieces) -> None:
        held = [
            (part.features[0, row], part.subjects[row].category)
            for part in parts
            for row in np.flatnonzero(part.held_out)
            if part.subjects[row].category in KINDS_OF_CATEGORY
        ]
        self.pictures = torch.from_numpy(space.meaning(np.array([x for x, _ in held], np.float32)))
        names = sorted({str(kind) for _, kind in held})
        self.right = torch.tensor([names.index(str(kind)) for _, kind in held])
        self.words = pieces(
            [KINDS_OF_CATEGORY[name][0].replace("mens-", "").replace("womens-", "") for name in names]
        )

    def __call__(self, tower: TextTower) -> dict[str, float]:
        with torch.inference_mode():
            found = tower(self.words)[:, : self.pictures.shape[1]]
        near = nn.functional.normalize(found.float(), dim=-1) @ self.pictures.T
        ten = self.right[near.topk(10).indices] == torch.arange(len(near))[:, None]
        first = near.argmax(0) == self.right
        return {"ten": float(ten.float().mean()), "top1": float(first.float().mean())}


def prepare(texts: Texts, preset: LitePreset, folder: Path) -> LiteConfig:
    """Write the configuration and the tokenizer, which a resumed run reads again."""
    rng = random.Random(0)
    corpus = [texts.draw(rng).text for _ in range(CORPUS)]
    for concept in (*texts.worn.values(), *texts.called[: vocabulary.CLASSES], *texts.leaves):
        corpus += [name for names in concept.names.values() for name in names]
    folder.mkdir(parents=True, exist_ok=True)
    train_tokenizer(corpus, preset.config.vocabulary, preset.config.tokens, folder)
    (folder / "tokenizer_config.json").unlink()
    size = len(json.loads((folder / TOKENIZER).read_text())["model"]["vocab"])
    config = replace(preset.config, vocabulary=size)
    write_config(folder, config)
    return config


def assembled(config: LiteConfig, space: lite_space.Space) -> LiteClip:
    """The network with the published trunk and the space's projection; its text half at random."""
    model = LiteClip(config)
    model.visual.trunk.load_state_dict(bundled())
    with torch.no_grad():
        model.visual.project.weight.copy_(torch.from_numpy(space.axes))
        model.visual.project.bias.copy_(torch.from_numpy(-space.axes @ space.mean))
        model.visual.get_buffer("colour_mean").copy_(torch.from_numpy(space.colour_mean))
    return model


def seen_of(datasets: Sequence[str], parts: Sequence[Pictures]) -> Seen:
    """What is trained on: the datasets, ImageNet by the network, and every name of a class that has pictures there.

    A taxonomy's other names are learnt from no picture and are not said.
    """
    kinds = {subject.look.kind for part in parts for subject in part.subjects if subject.look is not None}
    categories = {subject.category for part in parts for subject in part.subjects if subject.category}
    kinds |= {kind for category in categories for kind in KINDS_OF_CATEGORY.get(category, ())}
    names = categories.union(*(names_of_kind(kind) for kind in kinds), *vocabulary.imagenet_names())
    shown = [
        SeenDataset(name, info(name).fingerprint, len(part), ("train",))
        for name, part in zip(datasets, parts, strict=True)
    ]
    return Seen((*shown, SeenDataset("ImageNet-1k", "", 1_281_167, ("train",))), tuple(sorted(names)))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@recorded
def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what the arguments say; the run's folder and its figures on held-out photos."""
    folder: Path = arguments.out or settings().home / "runs" / f"clip-lite-{arguments.preset}"
    preset = PRESETS[arguments.preset]
    datasets = [*arguments.drawings, *arguments.photos]
    plan = {"preset": arguments.preset, "datasets": datasets, "training": {"seed": preset.seed}}
    described = folder / "config.json"
    if described.exists():
        raise UsageError(f"There is a run in {folder} already. Choose another --out.")
    started = time.monotonic()
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    parts = [read_pictures(name, preset.views, arguments.workers) for name in datasets]
    hold(folder)
    _say(f"{sum(map(len, parts)):,} pictures. Where names point")
    space, texts = space_and_texts(
        parts, arguments.taxonomy, preset, arguments.teacher or folder / "teacher.npz"
    )
    _say(f"{len(texts.leaves):,} names of the taxonomy. Pieces of words")
    with storage_errors(folder):
        config = prepare(texts, preset, folder / MODEL)
        write_seen(folder / MODEL, seen_of(datasets, parts))
    pieces = Pieces(folder / MODEL / TOKENIZER, config.tokens)
    _say(f"Fitting {preset.texts:,} texts")
    model = assembled(config, space)
    model.text = fit_texts(texts, pieces, config, preset, preset.seed)
    validates = any(
        held and subject.category in KINDS_OF_CATEGORY
        for part in parts
        for subject, held in zip(part.subjects, part.held_out, strict=True)
    )
    validated = Validation(space, parts, pieces)(model.text) if validates else {}
    own = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith(TRUNK)}
    write_tensors(folder / MODEL / WEIGHTS, halved(own), plan)
    (folder / MODEL / WEIGHTS).chmod(0o644)
    with storage_errors(folder):
        described.write_text(json.dumps({**plan, "validation": validated}, indent=2) + "\n")
    seconds = round(time.monotonic() - started, 1)
    return {"run": str(folder), "ended": "done", "seconds": seconds, **validated}


def main() -> None:
    """The command line."""
    go_offline()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    parser = argparse.ArgumentParser(prog="python -m trainers.clip_lite", description=__doc__)
    parser.add_argument("--preset", choices=list(PRESETS), default="tiny")
    parser.add_argument("--drawings", action="append", default=[], help="a dataset that Vitrine drew")
    parser.add_argument("--photos", action="append", default=[], help="a dataset of photos; repeatable")
    parser.add_argument(
        "--taxonomy", type=Path, required=True, help="category paths in several languages, .csv.gz"
    )
    parser.add_argument("--teacher", type=Path, help="a file that the teacher's vectors are kept in")
    parser.add_argument(
        "--out", type=Path, help="the run's folder; default: VITRINE_HOME/runs/clip-lite-<preset>"
    )
    parser.add_argument("--workers", type=int, help="processes that decode pictures; default: one per core")
    parser.add_argument(
        "--threads", type=int, help="threads of one operation; 1 is fastest where the CPU is shared"
    )
    arguments = parser.parse_args()
    try:
        if not arguments.drawings + arguments.photos:
            raise UsageError("Say what to train on: --drawings NAME, --photos NAME.")
        print(json.dumps(run(arguments)))
    except VitrineError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
