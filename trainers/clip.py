"""Train a small CLIP: pictures and texts in fifteen languages to vectors that can be compared.

    vitrine demo --name demo-words --items 24000 --seed 1
    python -m trainers.clip --preset tiny --dataset demo-words --dataset glami-mini

What it writes can be opened by open_clip (`local-dir:`): configuration, safetensors, tokenizer. A run can
be stopped (Ctrl-C) and continued (--resume) at any time; --steps makes it longer.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.catalog.info import info
from core.embeddings.augment import draw_views, random_views
from core.embeddings.seen import Seen, SeenDataset, write_seen
from core.errors import UsageError, VitrineError
from core.settings import go_offline, settings
from core.storage import storage_errors
from core.training.checkpoints import write_tensors
from core.training.loop import Part, Progress, TrainConfig, fit, seed_of
from core.training.process import hold, recorded
from core.training.runs import RUN_MODEL
from trainers.captions import LANGUAGES, caption, names_of_kind, query
from trainers.pairs import Corpus, read_corpus

MEAN, DEVIATION = 0.5, 0.25  # of pixels in [0, 1], all channels alike
CORPUS = 120_000  # captions that the tokenizer is trained on
WEIGHTS, CONFIG = "open_clip_model.safetensors", "open_clip_config.json"
MODEL = RUN_MODEL  # checkpoints lie beside it


@dataclass(frozen=True)
class Preset:
    """One size."""

    image_px: int
    stored_px: int  # of the pixels that are kept: larger, to crop and turn from
    trunk: str  # timm's name
    width: int  # of the text transformer
    layers: int
    heads: int
    tokens: int
    vocabulary: int
    embedding: int
    training: TrainConfig = field(default_factory=TrainConfig)


PRESETS = {
    "tiny": Preset(
        image_px=96,
        stored_px=112,
        trunk="regnetx_002",
        width=192,
        layers=2,
        heads=3,
        tokens=32,
        vocabulary=12_000,
        embedding=256,
        training=TrainConfig(
            steps=1_000,
            batch_size=256,
            learning_rate=2e-3,
            weight_decay=0.05,
            warmup=0.1,
            clip_norm=1.0,
            precision="bf16",
            save_every=50,
            seed=0,
        ),
    ),
}


def configuration(preset: Preset) -> dict[str, Any]:
    """What open_clip reads: the two towers and the pixels that they want."""
    return {
        "model_cfg": {
            "embed_dim": preset.embedding,
            "custom_text": True,
            "vision_cfg": {
                "image_size": preset.image_px,
                "timm_model_name": preset.trunk,
                "timm_model_pretrained": False,
                "timm_pool": "",
                "timm_proj": "linear",
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
            "mean": [MEAN] * 3,
            "std": [DEVIATION] * 3,
            "interpolation": "bilinear",
            "resize_mode": "squash",
        },
    }


def train_tokenizer(texts: Sequence[str], vocabulary: int, tokens: int, folder: Path) -> None:
    """Learn byte-level pieces and write what `transformers` reads.

    Text is lower-cased and loses its diacritics, so that somebody without the keyboard finds the same;
    any script can be written in bytes, so that nothing is unknown.
    """
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

    inner = tokenizers.Tokenizer(models.BPE())
    inner.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.StripAccents()]
    )
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=True)]
    )
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    inner.post_processor = processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 1), ("</s>", 2)])
    inner.save(str(folder / "tokenizer.json"))
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<pad>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "model_max_length": tokens,
        "padding_side": "right",
        "truncation_side": "right",
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(described, indent=2) + "\n")


class Batches:
    """The same batch for the same step and part, however often it is asked."""

    def __init__(self, corpus: Corpus, tokenizer: Any, preset: Preset, config: TrainConfig) -> None:
        self.corpus, self.tokenizer, self.preset, self.config = corpus, tokenizer, preset, config
        self.size = min(config.batch_size, len(corpus))
        self.per_epoch = len(corpus) // self.size
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, np.int64))

    def __call__(self, step: int, part: Part) -> tuple[torch.Tensor, torch.Tensor]:
        """Pixels as the image tower wants them, and token numbers."""
        epoch, at = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            self._order = (
                epoch,
                np.random.default_rng((self.config.seed, epoch)).permutation(len(self.corpus)),
            )
        positions = self._order[1][at * self.size : (at + 1) * self.size][part.slice(self.size)]
        seed = seed_of(self.config.seed, step, part.index + 1_000)
        drawn = draw_views(len(positions), torch.Generator().manual_seed(seed))
        pixels = torch.from_numpy(self.corpus.pixels(positions))
        views = random_views(pixels, drawn, self.preset.image_px, self.preset.image_px) / 255
        rng = random.Random(seed)
        texts = [caption(self.corpus.subjects[position], rng) for position in positions]
        pixels = ((views - MEAN) / DEVIATION).contiguous(memory_format=torch.channels_last)
        return pixels, self.tokenizer(texts)


def contrastive_loss(model: Any, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """CLIP's: each picture's own text among the batch's, and the other way round.

    Source: Radford et al. 2021, arXiv:2103.00020; open_clip's ClipLoss.
    """
    from open_clip.loss import ClipLoss

    images, texts, scale = model(*batch)
    loss: torch.Tensor = ClipLoss()(images.float(), texts.float(), scale.clamp(max=100.0))
    return loss


def prepare(preset: Preset, corpus: Corpus, folder: Path) -> None:
    """Write the configuration and the tokenizer, which a resumed run reads again."""
    rng = random.Random(0)
    texts = [caption(rng.choice(corpus.subjects), rng) for _ in range(CORPUS)]
    looks = [subject.look for subject in corpus.subjects if subject.look is not None]
    if looks:
        texts += [query(rng.choice(looks), section, rng) for section in LANGUAGES for _ in range(1_000)]
    folder.mkdir(parents=True, exist_ok=True)
    train_tokenizer(texts, preset.vocabulary, preset.tokens, folder)
    size = len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
    config = configuration(replace(preset, vocabulary=size))
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n")


def seen_of(datasets: Sequence[str], corpus: Corpus) -> Seen:
    """What this training shows the model: the datasets, and every name of the classes that its captions are made from."""
    kinds = {subject.look.kind for subject in corpus.subjects if subject.look is not None}
    names = {subject.category for subject in corpus.subjects if subject.category is not None}
    pictures = Counter(corpus.place[:, 0].tolist())
    shown = {}
    for number, name in enumerate(
        datasets
    ):  # one that is named twice counts twice in training, and once here
        shown[name] = SeenDataset(name, info(name).fingerprint, pictures[number], ("train",))
    return Seen(tuple(shown.values()), tuple(sorted(names.union(*(names_of_kind(kind) for kind in kinds)))))


def open_towers(folder: Path) -> tuple[Any, Any]:
    """The model with the weights of `folder`, random where there are none, and its tokenizer."""
    import logging

    import open_clip

    logging.disable(logging.WARNING)
    model = open_clip.create_model(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    logging.disable(logging.NOTSET)
    model.visual.to(memory_format=torch.channels_last)  # convolutions on a CPU are three times as fast
    return model, tokenizer


def export(model: Any, folder: Path, notes: dict[str, Any]) -> None:
    """Write the weights in half precision."""
    tensors = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in model.state_dict().items()
    }
    write_tensors(folder / WEIGHTS, tensors, notes)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@recorded
def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what the arguments say; the run's folder and how it ended."""
    folder: Path = arguments.out or settings().home / "runs" / f"clip-{arguments.preset}"
    preset = PRESETS[arguments.preset]
    training = preset.training
    for name in ("steps", "batch_size", "learning_rate", "seed"):
        if getattr(arguments, name) is not None:
            training = replace(training, **{name: getattr(arguments, name)})
    described = folder / "config.json"
    plan = {"preset": arguments.preset, "datasets": arguments.dataset, "training": asdict(training)}
    if described.exists() and not arguments.resume:
        raise UsageError(
            f"There is a run in {folder} already. Continue it (--resume) or choose another --out."
        )
    corpus = read_corpus(arguments.dataset, preset.stored_px, arguments.workers)
    hold(folder)
    if not described.exists():
        with storage_errors(folder):
            prepare(preset, corpus, folder / MODEL)
            write_seen(folder / MODEL, seen_of(arguments.dataset, corpus))
            described.write_text(json.dumps(plan, indent=2) + "\n")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(training.seed)
    model, tokenizer = open_towers(folder / MODEL)
    _say(
        f"Run: {folder}. {len(corpus):,} pictures, {sum(p.numel() for p in model.parameters()):,} parameters"
    )
    stopping = {"asked": False}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.update(asked=True))
    said = [0.0]

    def stepped(progress: Progress) -> None:
        if time.monotonic() - said[0] > 15 or progress.step == progress.steps:
            said[0] = time.monotonic()
            _say(
                f"step {progress.step:,} of {progress.steps:,}  loss {progress.loss:.3f}  "
                f"{progress.items_per_s:,.0f} pictures/s  {progress.remaining_s:,.0f} s left"
            )

    outcome = fit(
        model,
        contrastive_loss,
        Batches(corpus, tokenizer, preset, training),
        training,
        folder,
        on_step=stepped,
        stop=lambda: stopping["asked"],
        cpu=arguments.cpu,
    )
    if outcome.reason == "stopped":
        _say(f"Stopped at step {outcome.step:,}. Continue with the same command and --resume.")
    export(model, folder / MODEL, {**plan, "step": outcome.step})
    return {"run": str(folder), "step": outcome.step, "ended": outcome.reason, "seconds": outcome.seconds}


def main() -> None:
    """The command line."""
    go_offline()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    parser = argparse.ArgumentParser(prog="python -m trainers.clip", description=__doc__)
    parser.add_argument("--preset", choices=list(PRESETS), default="tiny")
    parser.add_argument("--dataset", action="append", required=True, help="a dataset; repeatable")
    parser.add_argument("--out", type=Path, help="the run's folder; default: VITRINE_HOME/runs/clip-<preset>")
    parser.add_argument("--resume", action="store_true", help="continue an existing run")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--workers", type=int, help="processes that decode pictures; default: one per core")
    parser.add_argument("--cpu", action="store_true", help="do not use a GPU")
    parser.add_argument(
        "--threads", type=int, help="threads of one operation; 1 is fastest where the CPU is shared"
    )
    try:
        print(json.dumps(run(parser.parse_args())))
    except VitrineError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
