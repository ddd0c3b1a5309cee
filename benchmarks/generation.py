"""What the generator's pictures show, and how long the samplers take.

    VITRINE_HOME=... python -m benchmarks.generation --dataset demo --pictures 200

Phrases are of the test products of a drawn dataset: the lexicon's words of kind and colour, in the product's language. The
kind is what a nearest-centroid classifier in clip-lite's space sees (centroids of real training pictures), the colour what
`core.generation.measures.main_colour` sees; both are measured on the real test pictures, shrunk alike, too. Prints the tables for
docs/development/results.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from core.catalog.info import DatasetInfo, info
from core.demo import words
from core.embeddings.clip import Encoder
from core.embeddings.loading import loaded_encoder
from core.generation import measures, model
from core.generation.sampling import Drawing, finished
from core.generation.texts import text_reader
from core.images.pictures import Pictures, decode
from core.measures.intervals import wilson
from trainers.generator_data import padded

ENCODER = "clip-lite"
AT_ONCE = 16
SAMPLERS = (("ancestral", 500), *(("dpm-solver++", steps) for steps in (5, 10, 20, 25, 50)), ("ddim", 20))


@dataclass(frozen=True)
class Side:
    """Pictures and their vectors."""

    pictures: NDArray[np.uint8]
    vectors: NDArray[np.float32]


def real(dataset: DatasetInfo, rows: pd.DataFrame, size: int, encoder: Encoder) -> Side:
    """The dataset's own pictures at the generator's size."""
    files = Pictures(dataset)
    shown = [np.asarray(padded(decode(files.read(str(one)), 2 * size), size)) for one in rows.image_id]
    return seen(np.stack(shown), encoder)


def seen(pictures: NDArray[np.uint8], encoder: Encoder) -> Side:
    pixels = np.stack([encoder.preprocessing.pixels(Image.fromarray(one)) for one in pictures])
    return Side(pictures, encoder.encode_pixels(pixels))


def phrase(row: pd.Series) -> str:
    lexicon = words.lexicon()[row.geo]
    return f"{lexicon['colours'][row.colour]} {lexicon['kinds'][row.kind][0]}"


def drawn(made: model.Generator, reader: object, phrases: Sequence[str], asked: Drawing) -> NDArray[np.uint8]:
    parts = []
    for at in range(0, len(phrases), AT_ONCE):
        settings = Drawing(asked.phrase, asked.seed + at, asked.steps, asked.guidance, asked.sampler, 1)
        parts.append(finished(made, reader, settings, phrases[at : at + AT_ONCE]))  # type: ignore[arg-type]
    return np.concatenate(parts)


def share(hits: NDArray[np.bool_]) -> str:
    low, high = wilson(int(hits.sum()), len(hits))
    return f"{hits.mean():.3f} ({low:.3f}-{high:.3f})"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generation", description=__doc__)
    parser.add_argument("--dataset", default="demo")
    parser.add_argument("--model", default="")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--train", type=int, default=1_500, help="training pictures of the centroids")
    parser.add_argument(
        "--timed", type=int, default=4, help="pictures of each sampler of the second table; 0: none"
    )
    parser.add_argument("--guidance", type=float, default=3.0)
    arguments = parser.parse_args()
    dataset, made = info(arguments.dataset), model.load(model.folder_of(arguments.model))
    reader = text_reader(made.config.texts, made.config.tokens)
    encoder, size = loaded_encoder(ENCODER), made.config.upsampler.size
    truth = pd.read_parquet(dataset.folder / "truth.parquet")
    alone = truth[(truth.duplicate == "") & ~truth.image_id.duplicated()]
    test = alone[alone.split == "test"].head(arguments.pictures)
    train = alone[alone.split == "train"].sample(frac=1, random_state=0).head(arguments.train)
    known, theirs = real(dataset, train, size, encoder), real(dataset, test, size, encoder)
    kinds = sorted(set(train.kind))
    centres = np.stack([known.vectors[(train.kind == kind).to_numpy()].mean(0) for kind in kinds])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    phrases = [phrase(row) for _, row in test.iterrows()]

    def judged(side: Side) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        kind = np.array([kinds[best] for best in (side.vectors @ centres.T).argmax(1)])
        colour = np.array([measures.main_colour(one) for one in side.pictures])
        return kind == test.kind.to_numpy(), colour == test.colour.to_numpy()

    ours = seen(drawn(made, reader, phrases, Drawing("x", guidance=arguments.guidance)), encoder)
    print(
        f"{made.card.name}, steps {made.card.steps}, {len(test)} phrases of {arguments.dataset}'s test products\n"
    )
    print(
        "| language | n | kind, generated | kind, real | colour, generated | colour, real |\n|---|--:|--:|--:|--:|--:|"
    )
    mine, real_ones = judged(ours), judged(theirs)
    for geo in (None, *sorted(set(test.geo))):
        rows = np.ones(len(test), bool) if geo is None else (test.geo == geo).to_numpy()
        cells = [share(found[rows]) for pair in zip(mine, real_ones, strict=True) for found in pair]
        print(f"| {words.language_of(geo) if geo else 'all'} | {rows.sum()} | {' | '.join(cells)} |")
    near = measures.novelty(ours.vectors, theirs.vectors, known.vectors)
    precision, recall = measures.precision_recall(ours.vectors, theirs.vectors)
    print(
        f"\nFréchet distance in {ENCODER}'s space {measures.frechet(ours.vectors, theirs.vectors):.3f} (real training pictures, as "
        f"many: {measures.frechet(known.vectors[: len(test)], theirs.vectors):.3f}); precision {precision:.3f}, recall {recall:.3f}; "
        f"median cosine distance to the nearest training picture {near.generated:.3f}, real {near.real:.3f}, nearer than 95% of "
        f"the real: {near.copies:.3f}"
    )
    if arguments.timed:
        print("\n| sampler | steps of each stage | s a picture | kind | Fréchet |\n|---|--:|--:|--:|--:|")
    for sampler, steps in SAMPLERS if arguments.timed else ():
        begun = time.perf_counter()
        some = phrases[: arguments.timed]
        found = seen(drawn(made, reader, some, Drawing("x", 0, steps, arguments.guidance, sampler)), encoder)
        took = (time.perf_counter() - begun) / len(some)
        best = [kinds[one] for one in (found.vectors @ centres.T).argmax(1)]
        right = np.mean([a == b for a, b in zip(best, test.kind, strict=False)])
        print(
            f"| {sampler} | {steps} | {took:.2f} | {right:.2f} | {measures.frechet(found.vectors, theirs.vectors):.2f} |"
        )


if __name__ == "__main__":
    main()
