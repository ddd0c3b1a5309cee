"""Train a small translator between the thirteen languages, in the format of M2M100.

    python -m trainers.translation --out DIR                    # texts drawn as the built-in dataset draws them
    python -m trainers.translation --out DIR --dataset shop     # and the train pairs of a dataset

What it writes, `DIR/model/`, is a folder of M2M100: `vitrine translate NAME --model DIR/model` opens it as it opens the
published one. A run can be stopped (Ctrl-C) and continued (--resume). The seed differs from the built-in dataset's own
(0), so that no product of it is seen; its sentences are the same, so that the figures hold for this dataset alone.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.demo import structure, words
from core.errors import UsageError, VitrineError
from core.languages.pairs import country_pairs
from core.languages.translator import LEARNED
from core.schema import LANGUAGE_OF_GEO
from core.settings import go_offline, settings
from core.storage import storage_errors
from core.training.checkpoints import write_tensors
from core.training.loop import Part, Progress, TrainConfig, fit, seed_of
from core.training.process import hold, recorded

MODEL = "model"  # the folder of the finished model, in the run's folder
ENGLISH = "en"  # is read and said, too: `published` tags every source with it
TWO = 0.2  # of the drawn examples are two sentences
PIECES = 6_000  # texts that the vocabulary is learned from
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_])")
TIED = (
    "encoder.embed_tokens.weight",
    "decoder.embed_tokens.weight",
    "lm_head.weight",
)  # all are shared.weight
IGNORED = -100  # torch's label of positions that count nothing


@dataclass(frozen=True)
class Preset:
    """One size."""

    vocabulary: int
    width: int
    layers: int  # of the encoder, and of the decoder
    heads: int
    hidden: int
    tokens: int  # of a text, and of its translation, with the language and the end
    countries: tuple[str, ...]
    drawn: int = 6_000  # products whose texts are drawn
    training: TrainConfig = field(default_factory=TrainConfig)


PRESETS = {
    "tiny": Preset(
        vocabulary=3_000, width=128, layers=2, heads=4, hidden=256, tokens=64,
        countries=("cz", "sk", "ro", "hu", "es", "ee", ENGLISH),
        training=TrainConfig(
            steps=2_500, batch_size=32, learning_rate=3e-3, weight_decay=0.01, warmup=0.08, clip_norm=1.0,
            save_every=200, seed=1,
        ),
    ),
    "toy": Preset(
        vocabulary=600, width=16, layers=1, heads=2, hidden=32, tokens=64, countries=("cz", "sk", ENGLISH), drawn=50,
        training=TrainConfig(steps=4, batch_size=4, learning_rate=3e-3, save_every=2, seed=1),
    ),
}  # fmt: skip

Text = tuple[str, str]  # its country, and what it says
Pair = tuple[Text, Text]


class Drawn:
    """Sentences of products that are drawn as the built-in dataset draws them: one product, two languages."""

    def __init__(self, products: int, seed: int, countries: Sequence[str]) -> None:
        if seed == 0:
            raise UsageError(
                "Seed 0 is the built-in dataset's own; a model is measured on it. Choose another."
            )
        rng = random.Random(seed)
        self.sentences: list[dict[str, str]] = []  # of each what it is in each country
        for product in structure.plan(products, seed).products[:products]:
            text_seed = rng.randrange(2**31)
            parts = {
                country: _SENTENCE.split(words.description(product, country, random.Random(text_seed)))
                for country in countries
            }
            for at in range(min(map(len, parts.values()))):
                if at + 1 < min(map(len, parts.values())) and rng.random() < TWO:
                    self.sentences.append(
                        {country: " ".join(some[at : at + 2]) for country, some in parts.items()}
                    )
                else:
                    self.sentences.append({country: some[at] for country, some in parts.items()})
        self.countries = list(countries)

    def pair(self, rng: random.Random) -> Pair:
        """A sentence, or two, in two languages."""
        sentence = rng.choice(self.sentences)
        first, second = rng.sample(self.countries, 2)
        return (first, sentence[first]), (second, sentence[second])


class Given:
    """Pairs of datasets: one picture in two countries, of the train split."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = list(pairs)

    def pair(self, rng: random.Random) -> Pair:
        """One of them, in either direction."""
        first, second = rng.choice(self.pairs)
        return (first, second) if rng.random() < 0.5 else (second, first)


class Batches:
    """The same batch for the same step, however often it is asked: numbers of the pieces of texts and translations."""

    def __init__(
        self, sources: Sequence[Drawn | Given], tokenizer: Any, preset: Preset, config: TrainConfig
    ) -> None:
        self.sources, self.tokenizer, self.preset, self.config = sources, tokenizer, preset, config

    def __call__(self, step: int, part: Part) -> dict[str, torch.Tensor]:
        rng = random.Random(seed_of(self.config.seed, step, 0))
        pairs = [self._fitting(rng) for _ in range(self.config.batch_size)]
        pairs = pairs[part.slice(len(pairs))]
        read, said = ([pair[side] for pair in pairs] for side in (0, 1))
        source, target = self._padded(read, self.tokenizer.pad_token_id), self._padded(said, IGNORED)
        return {
            "input_ids": source,
            "attention_mask": (source != self.tokenizer.pad_token_id).long(),
            "labels": target,
        }

    def _fitting(self, rng: random.Random) -> tuple[list[int], list[int]]:
        for _ in range(20):
            pair = rng.choice(self.sources).pair(rng)
            read, said = (self._numbers(text) for text in pair)
            if 2 < len(read) <= self.preset.tokens and 2 < len(said) <= self.preset.tokens:
                return read, said
        return read[: self.preset.tokens], said[: self.preset.tokens]

    def _numbers(self, text: Text) -> list[int]:
        """Language, pieces, end: as M2M100 wants both sides."""
        pieces = self.tokenizer.sp_model.encode(text[1], out_type=int)
        return [
            self.tokenizer.get_lang_id(LANGUAGE_OF_GEO.get(text[0], text[0])),
            *pieces,
            self.tokenizer.eos_token_id,
        ]

    @staticmethod
    def _padded(rows: Sequence[list[int]], filled: int) -> torch.Tensor:
        width = max(map(len, rows))
        return torch.tensor([[*row, *[filled] * (width - len(row))] for row in rows])


def write_tokenizer(texts: Iterator[str], vocabulary: int, folder: Path) -> None:
    """Learn pieces and write the files of M2M100's tokenizer."""
    import sentencepiece
    from transformers import M2M100Tokenizer

    learned = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=texts, model_writer=learned, vocab_size=vocabulary, model_type="bpe", num_threads=1,
        character_coverage=1.0, normalization_rule_name="identity", split_digits=True, bos_id=0, pad_id=1, eos_id=2, unk_id=3, minloglevel=2,
        bos_piece="<s>", pad_piece="<pad>", eos_piece="</s>", unk_piece="<unk>", hard_vocab_limit=False,
    )  # fmt: skip
    pieces = folder / "sentencepiece.bpe.model"
    pieces.write_bytes(learned.getvalue())
    model = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    numbers = {model.id_to_piece(number): number for number in range(model.get_piece_size())}
    (folder / "vocab.json").write_text(json.dumps(numbers, ensure_ascii=False), encoding="utf-8")
    M2M100Tokenizer(str(folder / "vocab.json"), str(pieces)).save_pretrained(folder)


def network(preset: Preset, tokenizer: Any) -> Any:
    """M2M100 with random weights."""
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    size = len(tokenizer.encoder) + len(tokenizer.lang_code_to_id) + tokenizer.num_madeup_words
    config = M2M100Config(
        vocab_size=size, d_model=preset.width, encoder_layers=preset.layers, decoder_layers=preset.layers,
        encoder_attention_heads=preset.heads, decoder_attention_heads=preset.heads,
        encoder_ffn_dim=preset.hidden, decoder_ffn_dim=preset.hidden, max_position_embeddings=preset.tokens,
        dropout=0.0, attention_dropout=0.0, encoder_layerdrop=0.0, decoder_layerdrop=0.0,
        init_std=preset.width**-0.5 / 2,
    )  # fmt: skip
    return M2M100ForConditionalGeneration(config)


class Tied(torch.nn.Module):
    """The network, whose checkpoints hold the tied weights once: safetensors stores no tensor under several names."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self.network(**inputs, use_cache=False).loss
        return loss

    def state_dict(self, *given: Any, **named: Any) -> Any:
        found = super().state_dict(*given, **named)
        return {name: tensor for name, tensor in found.items() if not name.endswith(TIED)}

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> Any:
        return super().load_state_dict(state_dict, strict=False, assign=assign)


def loss_of(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross-entropy of the translation's pieces."""
    device = next(model.parameters()).device
    loss: torch.Tensor = model(**{name: tensor.to(device) for name, tensor in batch.items()})
    return loss


def export(model: Any, folder: Path, countries: Sequence[str], notes: dict[str, Any]) -> None:
    """Write configuration and weights, in half precision; tied weights once."""
    model.config.save_pretrained(folder)
    described = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    learned = [LANGUAGE_OF_GEO.get(country, country) for country in countries]
    described |= {"dtype": "float16", LEARNED: learned}
    (folder / "config.json").write_text(json.dumps(described, indent=1) + "\n")
    model.generation_config.save_pretrained(folder)
    tensors = {name: tensor.half() for name, tensor in model.state_dict().items() if not name.endswith(TIED)}
    write_tensors(folder / "model.safetensors", tensors, notes)


def sources_of(arguments: argparse.Namespace, preset: Preset, seed: int) -> list[Drawn | Given]:
    """Where pairs come from: drawn ones, and those of datasets."""
    sources: list[Drawn | Given] = []
    if arguments.drawn != 0:
        sources.append(Drawn(arguments.drawn or preset.drawn, seed, preset.countries))
    for name in arguments.dataset or ():
        sources.append(Given(given_pairs(name, preset.countries)))
    if not sources:
        raise UsageError("Nothing to train on: give --dataset NAME, or --drawn a number of products.")
    return sources


def given_pairs(name: str, countries: Sequence[str]) -> list[Pair]:
    """The train pairs of a dataset whose texts can teach: there, not the same, in both countries' languages.

    Raises:
        UsageError: it has none.
    """
    frame = country_pairs(Products.open(name), Cohort(name, split=("train",)))
    frame = frame[
        (frame["kind"] == "usable") & frame["geo_a"].isin(countries) & frame["geo_b"].isin(countries)
    ]
    if frame.empty:
        raise UsageError(
            f"{name} has no pairs of texts of these countries in its train split: {', '.join(countries)}."
        )
    columns = ("geo_a", "text_a", "geo_b", "text_b")
    return [
        ((a, text_a), (b, text_b)) for a, text_a, b, text_b in frame[list(columns)].to_numpy(str).tolist()
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@recorded
def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what the arguments say; the run's folder and how it ended."""
    from transformers import M2M100Tokenizer

    folder: Path = arguments.out or settings().home / "runs" / f"translation-{arguments.preset}"
    preset = PRESETS[arguments.preset]
    training = preset.training
    for name in ("steps", "batch_size", "learning_rate", "seed"):
        if getattr(arguments, name) is not None:
            training = replace(training, **{name: getattr(arguments, name)})
    described = folder / "config.json"
    if described.exists() and not arguments.resume:
        raise UsageError(
            f"There is a run in {folder} already. Continue it (--resume) or choose another --out."
        )
    torch.set_num_threads(arguments.threads or torch.get_num_threads())
    sources = sources_of(arguments, preset, training.seed)
    plan = {"preset": asdict(preset), "datasets": arguments.dataset or [], "training": asdict(training)}
    hold(folder)
    if not described.exists():
        with storage_errors(folder):
            (folder / MODEL).mkdir(parents=True, exist_ok=True)
            rng = random.Random(training.seed)
            texts = (text for _ in range(PIECES) for _, text in rng.choice(sources).pair(rng))
            write_tokenizer(texts, preset.vocabulary, folder / MODEL)
            described.write_text(json.dumps(plan, indent=1) + "\n")
    tokenizer = M2M100Tokenizer.from_pretrained(str(folder / MODEL), local_files_only=True)
    torch.manual_seed(training.seed)
    model = network(preset, tokenizer)
    _say(f"Run: {folder}. {sum(p.numel() for p in model.parameters()):,} parameters")
    stopping = {"asked": False}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.update(asked=True))
    said = [0.0]

    def stepped(progress: Progress) -> None:
        if time.monotonic() - said[0] > 15 or progress.step == progress.steps:
            said[0] = time.monotonic()
            _say(
                f"step {progress.step:,} of {progress.steps:,}  loss {progress.loss:.3f}  "
                f"{progress.items_per_s:,.0f} pairs/s  {progress.remaining_s:,.0f} s left"
            )

    outcome = fit(
        Tied(model), loss_of, Batches(sources, tokenizer, preset, training), training, folder,
        on_step=stepped, stop=lambda: stopping["asked"], cpu=arguments.cpu,
    )  # fmt: skip
    if outcome.reason == "stopped":
        _say(f"Stopped at step {outcome.step:,}. Continue with the same command and --resume.")
    export(model, folder / MODEL, preset.countries, {**plan, "step": outcome.step})
    return {"run": str(folder), "step": outcome.step, "ended": outcome.reason, "seconds": outcome.seconds}


def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    go_offline()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    parser = argparse.ArgumentParser(prog="python -m trainers.translation", description=__doc__)
    parser.add_argument("--preset", choices=list(PRESETS), default="tiny")
    parser.add_argument("--dataset", action="append", help="a dataset whose train pairs are read; repeatable")
    parser.add_argument("--drawn", type=int, help="products whose texts are drawn; 0: none")
    parser.add_argument(
        "--out", type=Path, help="the run's folder; default: VITRINE_HOME/runs/translation-<preset>"
    )
    parser.add_argument("--resume", action="store_true", help="continue an existing run")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--cpu", action="store_true", help="do not use a GPU")
    parser.add_argument("--threads", type=int, help="threads of one operation")
    try:
        print(json.dumps(run(parser.parse_args(argv))))
    except VitrineError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
