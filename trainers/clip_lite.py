"""Train the bundled CLIP over the published picture network.

    python -m trainers.clip_lite --drawings demo --photos glami-mini --taxonomy taxonomy_names.csv.gz

The network itself is frozen; what is trained is a projection of its features and a text tower. Four things are
learnt together: captions of drawn products, whose look is known; captions of photos, with the colour that most of
the middle has; names of ImageNet's classes, for which the network's last layer stands (trainers.vocabulary); and
that a taxonomy's names in two languages mean the same, and others are as near as a teacher says. What it writes
can be opened by open_clip (`local-dir:`).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.catalog.cohort import Cohort
from core.catalog.info import info
from core.catalog.products import Products
from core.demo.looks import COLOURS
from core.embeddings.pixels import PixelCache
from core.embeddings.seen import Seen, SeenDataset, write_seen
from core.errors import TrainingError, UsageError, VitrineError
from core.settings import go_offline, settings
from core.storage import storage_errors
from core.training.checkpoints import read_tensors
from core.training.loop import Outcome, Part, Progress, TrainConfig, fit, seed_of
from core.training.process import hold, recorded
from trainers import lite_views
from trainers.captions import (
    KINDS_OF_CATEGORY,
    LANGUAGES,
    Subject,
    caption,
    coloured,
    names_of_kind,
    query,
)
from trainers.clip import CONFIG, MODEL, export, open_towers, train_tokenizer
from trainers.imagenet import ARCHITECTURE, SIZE_PX, bundled
from trainers.pairs import looks_of, text_of
from trainers.vocabulary import ImaginedPictures, Vocabulary, read_vocabulary

CAPTIONS = 20_000  # of each dataset, that the tokenizer is trained on
HELD_OUT = 10  # one photo in so many validates
TEACHING = 20.0  # what cosines of two names are multiplied with before they are compared with the teacher's
IDENTITY = (
    0.6  # of what two names of one thing are pulled to: this much each other, the rest as the teacher says
)
SAME_KIND = 0.2  # of a caption's pull: towards other pictures of the kind in the batch
KEEP = 12.0  # weight of keeping likenesses between pictures as the published network has them
CLIPPED = 1e4


@dataclass(frozen=True)
class LitePreset:
    """One size."""

    width: int = 192  # of the text transformer
    layers: int = 1
    heads: int = 3
    tokens: int = 16
    vocabulary: int = 16_000
    embedding: int = 768
    views: int = 3  # of each photo and drawing
    imagined: int = 96  # names of ImageNet's classes in a batch
    named: int = 96  # concepts of the taxonomy in a batch
    teacher: bool = True  # without, two names of one thing are equal and all others alike
    training: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            steps=400,
            batch_size=160,
            learning_rate=2e-3,
            weight_decay=0.05,
            warmup=0.1,
            clip_norm=1.0,
            precision="bf16",
            save_every=100,
            validate_every=100,
            patience=6,
            seed=0,
        )
    )


PRESETS = {"tiny": LitePreset(), "untaught": LitePreset(teacher=False)}


def configuration(preset: LitePreset) -> dict[str, Any]:
    """What open_clip reads: the two towers and the pixels that they want."""
    return {
        "model_cfg": {
            "embed_dim": preset.embedding,
            "custom_text": True,
            "vision_cfg": {
                "image_size": SIZE_PX,
                "timm_model_name": ARCHITECTURE,
                "timm_model_pretrained": False,
                "timm_pool": "",
                "timm_proj": "linear",
                "timm_proj_bias": True,
            },
            "text_cfg": {
                "context_length": preset.tokens,
                "vocab_size": preset.vocabulary,
                "hf_tokenizer_name": "clip-tiny",  # any name: open_clip takes the files of its own folder
                "tokenizer_kwargs": {"clean": "whitespace"},
                "width": preset.width,
                "heads": preset.heads,
                "layers": preset.layers,
                "pool_type": "eos",
                "eos_id": 2,
                "pad_id": 0,
            },
        },
        "preprocess_cfg": {
            "mean": [0.5] * 3,
            "std": [0.5] * 3,
            "interpolation": "bilinear",
            "resize_mode": "squash",
        },
    }


@dataclass(frozen=True)
class Pictures:
    """One dataset's training pictures."""

    features: NDArray[np.float16]  # (views, n, 1280)
    subjects: list[Subject]
    kinds: list[
        str
    ]  # what a caption calls them at most: a drawn kind, a photo's category, or "" where unknown
    colours: list[str]  # of photos, as their pixels say; "" where none stands out
    holds_out: NDArray[np.bool_]  # (n,) they validate

    def __len__(self) -> int:
        return len(self.subjects)


def read_pictures(name: str, views: int, workers: int | None) -> Pictures:
    """The training split of a dataset; pictures that cannot be opened are left out."""
    products = Products.open(name)
    frame = products.frame(
        "SELECT item_id, image_id, geo, name, description, category, label_kind FROM cohort "
        "WHERE image IS NOT NULL ORDER BY row_id",
        Cohort(name, split=("train",)),
    )
    looks = looks_of(products)
    features = lite_views.features(products.info, views, workers)
    pixels = lite_views.cache(products.info, list(frame.image_id.unique()), workers)
    rows = pixels.rows(list(frame.image_id))
    kept, subjects, kinds, colours = [], [], [], []
    held: list[bool] = []
    for row, product in zip(rows.tolist(), frame.to_dict("records"), strict=True):
        if row < 0:
            continue
        look = looks.get((product["item_id"], product["geo"], product["image_id"]))
        human = product["label_kind"] == "human" and not looks
        category = text_of(product["category"]) if human else None
        kept.append(row)
        subjects.append(Subject(text_of(product["name"]), text_of(product["description"]), category, look))
        kinds.append(look.kind if look else category or "")
        colours.append("" if looks else colour_of(pixels, row))
        held.append(not looks and len(held) % HELD_OUT == 0)
    if len(kept) < 2:
        raise TrainingError(f"{name} has no pictures to train on.")
    return Pictures(features[:, kept], subjects, kinds, colours, np.array(held))


def colour_of(pixels: PixelCache, row: int) -> str:
    """The colour word that most of a picture's middle is nearest to, if four tenths of it are; else "".

    Distances are in CIELAB, D65.
    """
    image = np.asarray(pixels.pixels[row], np.float32)
    height, width = image.shape[:2]
    middle = image[height // 4 : 3 * height // 4 : 3, width // 4 : 3 * width // 4 : 3].reshape(-1, 3)
    names = [name for name in COLOURS if name not in ("gold", "silver")]
    palette = lab(np.array([COLOURS[name] for name in names], np.float32))
    nearest = np.linalg.norm(lab(middle)[:, None] - palette[None], axis=-1).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(names))
    return names[counts.argmax()] if counts.max() >= 0.4 * len(middle) else ""


def lab(rgb: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, 3) CIELAB under D65 of sRGB in [0, 255] (IEC 61966-2-1, CIE 15)."""
    share = np.asarray(rgb, np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ matrix.T / np.array([0.9505, 1.0, 1.089])
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack(
        [116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])], axis=1
    )


@dataclass(frozen=True)
class Batch:
    """One step's."""

    features: Tensor  # (n + m, 1280) of pictures, then of imagined ones
    captions: Tensor  # (n + m, tokens)
    pull: Tensor  # (n + m, n + m) rows sum to 1: which caption each picture should be near
    open: Tensor  # (n + m, n + m) bool: pairs that are compared
    frozen: Tensor  # (n + m, n + m) cosines of the published features, centred
    first: Tensor  # (c, tokens) names of concepts
    second: Tensor  # (c, tokens) the same in another language
    teaching: Tensor  # (c, c) rows sum to 1


FAMILIES = {kind: category for category, kinds in KINDS_OF_CATEGORY.items() for kind in kinds}


class Batches:
    """The same batch for the same step, however often it is asked."""

    def __init__(
        self,
        parts: Sequence[Pictures],
        vocabulary: Vocabulary,
        tokenizer: Any,
        preset: LitePreset,
        config: TrainConfig,
    ) -> None:
        self.parts, self.vocabulary, self.tokenizer = parts, vocabulary, tokenizer
        self.preset, self.config = preset, config
        self.trained = [np.flatnonzero(~part.holds_out) for part in parts]
        real = np.concatenate([part.features[0][at] for part, at in zip(parts, self.trained, strict=True)])
        self.mean = real.astype(np.float32).mean(axis=0)
        self.imagined = ImaginedPictures(real.astype(np.float32))

    def __call__(self, step: int, part: Part) -> Batch:
        seed = seed_of(self.config.seed, step, part.index + 1_000)
        rng, drawn = random.Random(seed), np.random.default_rng(seed)
        features, captions, kinds = [], [], []
        for pictures, at in zip(self.parts, self.trained, strict=True):
            rows = drawn.choice(at, self.config.batch_size // len(self.parts), replace=len(at) < 200)
            views = drawn.integers(len(pictures.features), size=len(rows))
            features.append(pictures.features[views, rows].astype(np.float32))
            for row in rows.tolist():
                captions.append(self._caption(pictures, row, rng))
                kinds.append(pictures.kinds[row] or f"unknown {row}")
        classes = drawn.choice(1_000, self.preset.imagined, replace=False)
        features.append(self.imagined.draw(classes, drawn))
        captions += [self._class(int(number), rng) for number in classes]
        kinds += [f"class {number}" for number in classes]
        pull, compared = targets(kinds)
        concepts = drawn.choice(len(self.vocabulary.leaves), self.preset.named, replace=False)
        names = [rng.sample(self.vocabulary.leaves[concept], 2) for concept in concepts]
        meaning = torch.from_numpy(self.vocabulary.meaning[concepts])
        told = (TEACHING * meaning @ meaning.T).softmax(-1)
        own = torch.eye(len(concepts))
        teaching = IDENTITY * own + (1 - IDENTITY) * told if self.preset.teacher else own
        given = torch.from_numpy(np.concatenate(features))
        unit = nn.functional.normalize(given - torch.from_numpy(self.mean), dim=-1)
        return Batch(
            given,
            self._tokens(captions),
            pull,
            compared,
            unit @ unit.T,
            self._tokens([first for first, _ in names]),
            self._tokens([second for _, second in names]),
            teaching,
        )

    def _caption(self, pictures: Pictures, row: int, rng: random.Random) -> str:
        subject, colour = pictures.subjects[row], pictures.colours[row]
        kinds = KINDS_OF_CATEGORY.get(subject.category or "")
        if colour and kinds and rng.random() < 0.35:
            return coloured(rng.choice(list(kinds)), colour, rng.choice(LANGUAGES), rng)
        return caption(subject, rng)

    def _class(self, number: int, rng: random.Random) -> str:
        concept = int(self.vocabulary.same[number])
        if concept >= 0 and rng.random() < 0.5:
            return rng.choice(self.vocabulary.leaves[concept])
        return rng.choice(self.vocabulary.classes[number])

    def _tokens(self, texts: list[str]) -> Tensor:
        numbers = self.tokenizer(texts)
        return numbers[:, : int((numbers != 0).sum(dim=1).max())]


def targets(kinds: Sequence[str]) -> tuple[Tensor, Tensor]:
    """What each picture's caption shall be, and which captions it is compared with.

    A caption that says the kind alone fits every picture of the kind: some of the pull goes to these. A drawn kind and
    a photo's category that may be the same are not compared at all.
    """
    own = torch.eye(len(kinds))
    family = [FAMILIES.get(kind, kind) for kind in kinds]
    number, of_family = (np.unique(names, return_inverse=True)[1] for names in (kinds, family))
    same = torch.from_numpy(number[:, None] == number).float()
    related = torch.from_numpy(of_family[:, None] == of_family)
    pull = (1 - SAME_KIND) * own + SAME_KIND * same / same.sum(dim=1, keepdim=True)
    return pull, ~related | (same > 0)


def texts_of(model: Any, numbers: Tensor) -> Tensor:
    """(n, d) of length 1 of texts that are padded to less than the tower reads."""
    tower, whole = model.text, model.text.attn_mask
    tower.attn_mask = whole[: numbers.shape[1], : numbers.shape[1]] if whole is not None else None
    try:
        found: Tensor = nn.functional.normalize(model.encode_text(numbers).float(), dim=-1)
    finally:
        tower.attn_mask = whole
    return found


def pictures_of(model: Any, features: Tensor) -> Tensor:
    """(n, d) of length 1 from the published network's features."""
    found: Tensor = nn.functional.normalize(model.visual.head(features).float(), dim=-1)
    return found


def loss_of(wrapped: Any, batch: Batch) -> Tensor:
    """CLIP's loss with soft targets, the teacher's, and that pictures keep their likenesses.

    Source of the first: Radford et al. 2021, arXiv:2103.00020, equation of its figure 3; of the second: Reimers and
    Gurevych 2020, arXiv:2004.09813, as cross-entropy over a batch.
    """
    model = getattr(wrapped, "module", wrapped)
    device = next(model.parameters()).device
    images = pictures_of(model, batch.features.to(device))
    captions = texts_of(model, batch.captions.to(device))
    scale = model.logit_scale.exp().clamp(max=100.0)
    logits = (scale * images @ captions.T).masked_fill(~batch.open.to(device), -CLIPPED)
    pull = batch.pull.to(device)
    pairs = (_against(logits, pull) + _against(logits.T, pull.T)) / 2
    first, second = texts_of(model, batch.first.to(device)), texts_of(model, batch.second.to(device))
    near, teaching = TEACHING * first @ second.T, batch.teaching.to(device)
    names = (_against(near, teaching) + _against(near.T, teaching.T)) / 2
    kept = (images @ images.T - batch.frozen.to(device)).square().mean()
    return pairs + names + KEEP * kept


def _against(logits: Tensor, wanted: Tensor) -> Tensor:
    return -(wanted * logits.log_softmax(-1)).sum(-1).mean()


def begin(model: Any, parts: Sequence[Pictures]) -> None:
    """Give the picture tower the published network, and a projection that keeps the most of its features.

    The trunk trains no more; its batch norms stay as they are.
    """
    model.visual.trunk.load_state_dict(bundled())
    model.visual.trunk.requires_grad_(False)
    real = np.concatenate([part.features[0] for part in parts]).astype(np.float32)
    mean = real.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov((real - mean).T))
    project = model.visual.head.proj
    kept = np.ascontiguousarray(axes[:, ::-1][:, : project.out_features].T).astype(np.float32)
    kept *= np.sign(kept.sum(axis=1, keepdims=True))  # eigenvectors have no sign of their own
    with torch.no_grad():
        project.weight.copy_(torch.from_numpy(kept))
        project.bias.copy_(torch.from_numpy(-kept @ mean))


def prepare(preset: LitePreset, parts: Sequence[Pictures], vocabulary: Vocabulary, folder: Path) -> None:
    """Write the configuration and the tokenizer, which a resumed run reads again."""
    rng = random.Random(0)
    texts = [caption(rng.choice(part.subjects), rng) for part in parts for _ in range(CAPTIONS)]
    looks = [subject.look for part in parts for subject in part.subjects if subject.look is not None]
    if looks:
        texts += [
            query(rng.choice(looks), section, rng) for section in LANGUAGES for _ in range(CAPTIONS // 40)
        ]
    texts += [name for names in vocabulary.leaves for name in names]
    texts += [name for names in vocabulary.classes for name in names]
    folder.mkdir(parents=True, exist_ok=True)
    train_tokenizer(texts, preset.vocabulary, preset.tokens, folder)
    size = len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
    config = configuration(replace(preset, vocabulary=size))
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n")


def seen_of(datasets: Sequence[str], parts: Sequence[Pictures], vocabulary: Vocabulary) -> Seen:
    """What is trained on: the datasets, ImageNet by the network, and every name of a class that has pictures there.

    A taxonomy's other names are learnt from no picture and are not said.
    """
    kinds = {subject.look.kind for part in parts for subject in part.subjects if subject.look is not None}
    categories = {subject.category for part in parts for subject in part.subjects if subject.category}
    kinds |= {kind for category in categories for kind in KINDS_OF_CATEGORY.get(category, ())}
    names = categories.union(*(names_of_kind(kind) for kind in kinds), *vocabulary.classes)
    shown = [
        SeenDataset(name, info(name).fingerprint, len(part), ("train",))
        for name, part in zip(datasets, parts, strict=True)
    ]
    return Seen((*shown, SeenDataset("ImageNet-1k", "", 1_281_167, ("train",))), tuple(sorted(names)))


class Validation:
    """Held-out photos: how many of the nearest words are right, and how many of the nearest pictures."""

    def __init__(self, parts: Sequence[Pictures], tokenizer: Any) -> None:
        held = [
            (part.features[0, row], part.kinds[row])
            for part in parts
            for row in np.flatnonzero(part.holds_out)
            if part.kinds[row] in KINDS_OF_CATEGORY
        ]
        self.features = torch.from_numpy(np.array([x for x, _ in held], np.float32))
        self.kinds = [kind for _, kind in held]
        self.names = sorted(set(self.kinds))
        self.words = tokenizer(self.names or ["nothing"])

    def __call__(self, model: Any) -> dict[str, float]:
        images, words = pictures_of(model, self.features), texts_of(model, self.words)
        right = torch.tensor([self.names.index(kind) for kind in self.kinds])
        said = float(((images @ words.T).argmax(1) == right).float().mean())
        near = images @ images.T
        near.fill_diagonal_(-2)
        alike = float((right[near.argmax(1)] == right).float().mean())
        share = float(
            (right[(words @ images.T).topk(10).indices] == torch.arange(len(words))[:, None]).float().mean()
        )
        return {"score": (said + alike + share) / 3, "top1": said, "alike": alike, "ten": share}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@recorded
def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what the arguments say; the run's folder and how it ended."""
    folder: Path = arguments.out or settings().home / "runs" / f"clip-lite-{arguments.preset}"
    preset = PRESETS[arguments.preset]
    training = preset.training
    for name in ("steps", "batch_size", "learning_rate", "seed"):
        if getattr(arguments, name) is not None:
            training = replace(training, **{name: getattr(arguments, name)})
    described = folder / "config.json"
    datasets = [*arguments.drawings, *arguments.photos]
    plan = {"preset": arguments.preset, "datasets": datasets, "training": asdict(training)}
    if described.exists() and not arguments.resume:
        raise UsageError(
            f"There is a run in {folder} already. Continue it (--resume) or choose another --out."
        )
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    parts = [read_pictures(name, preset.views, arguments.workers) for name in datasets]
    hold(folder)
    vocabulary = read_vocabulary(arguments.taxonomy, folder / "teacher.npz")
    if not described.exists():
        with storage_errors(folder):
            prepare(preset, parts, vocabulary, folder / MODEL)
            write_seen(folder / MODEL, seen_of(datasets, parts, vocabulary))
            described.write_text(json.dumps(plan, indent=2) + "\n")
    torch.manual_seed(training.seed)
    model, tokenizer = open_towers(folder / MODEL)
    begin(model, parts)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    _say(f"Run: {folder}. {sum(map(len, parts)):,} pictures, {trained:,} parameters that are trained")
    stopping = {"asked": False}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.update(asked=True))
    said = [0.0]

    def stepped(progress: Progress) -> None:
        if time.monotonic() - said[0] > 15 or progress.validation or progress.step == progress.steps:
            said[0] = time.monotonic()
            shown = "  ".join(f"{name} {value:.3f}" for name, value in progress.validation.items())
            _say(
                f"step {progress.step:,} of {progress.steps:,}  loss {progress.loss:.3f}  "
                f"{progress.remaining_s:,.0f} s left  {shown}"
            )

    validation = Validation(parts, tokenizer)
    outcome: Outcome = fit(
        model,
        loss_of,
        Batches(parts, vocabulary, tokenizer, preset, training),
        training,
        folder,
        on_step=stepped,
        validate=validation if validation.kinds else None,
        stop=lambda: stopping["asked"],
        cpu=arguments.cpu,
    )
    if outcome.reason == "stopped":
        _say(f"Stopped at step {outcome.step:,}. Continue with the same command and --resume.")
    elif (folder / "best.safetensors").exists():
        model.load_state_dict(read_tensors(folder / "best.safetensors")[0])
    export(model, folder / MODEL, {**plan, "step": outcome.step, "best": outcome.best})
    return {"run": str(folder), "step": outcome.step, "ended": outcome.reason, **outcome.best}


def main() -> None:
    """The command line."""
    go_offline()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    parser = argparse.ArgumentParser(prog="python -m trainers.clip_lite", description=__doc__)
    parser.add_argument("--preset", choices=list(PRESETS), default="tiny")
    parser.add_argument("--drawings", action="append", default=[], help="a dataset that Vitrine drew")
    parser.add_argument(
        "--photos", action="append", default=[], help="a dataset of photos; may be given again"
    )
    parser.add_argument(
        "--taxonomy", type=Path, required=True, help="category paths in several languages, .csv.gz"
    )
    parser.add_argument(
        "--out", type=Path, help="the run's folder; VITRINE_HOME/runs/clip-lite-<preset> otherwise"
    )
    parser.add_argument("--resume", action="store_true", help="continue the run that is there")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--workers", type=int, help="processes that decode pictures; one a core otherwise")
    parser.add_argument("--cpu", action="store_true", help="leave an accelerator alone")
    parser.add_argument(
        "--threads", type=int, help="of one operation; 1 is fastest where processors are shared"
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
