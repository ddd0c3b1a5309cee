"""What a contrastive training reads: products with picture and text, their partners, batches by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.embeddings.clip import Encoder, Preprocessing
from core.embeddings.tower_inputs import picture_pixels, picture_vectors
from core.errors import TrainingError
from core.evaluation.retrieval_protocol import Held, draw_trials, mean_cosine, spread_figures, trial_ranks
from core.models.data import product_text
from core.pairs.generation import pairs
from core.pairs.table import PairSettings
from core.progress import Progress, no_progress
from core.training.contrastive import Variant
from core.training.loop import Part, TrainConfig
from trainers.towers import Batch, pooled

VALIDATED, FEWEST_VALIDATED = 1_000, 110  # products that one validation looks at, where there are so many
SHARE, MOST_SHARE = 0.05, 0.2  # of the training products, where the dataset has no validation split
VALIDATION_TRIALS, VALIDATION_ITEMS = 20, 100
ENCODED = 256  # at a time, without gradients
METHODS = {"random": "random", "threshold": "below", "clusters": "clusters"}  # ours to core.pairs'


@dataclass(frozen=True)
class Reading:
    """How products are read: whole, the same for every step."""

    pixels: NDArray[Any]  # (pictures, height, width, 3) uint8, or (pictures, d) of a frozen tower; mapped
    tokens: Callable[[Sequence[str]], torch.Tensor]  # (n, tokens) numbers, or (n, width) before the head

    def pictures(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """(n, 3, height, width) uint8, or (n, d)."""
        found = torch.from_numpy(np.ascontiguousarray(self.pixels[rows]))
        return found.permute(0, 3, 1, 2) if found.dim() == 4 else found


@dataclass(frozen=True)
class Chosen:
    """n products with a picture that can be opened and a text."""

    row_id: NDArray[np.int64]  # (n,)
    picture: NDArray[np.int64]  # (n,) row of `Reading.pixels`
    texts: list[str]  # (n)
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.row_id)

    def only(self, positions: NDArray[np.int64]) -> Chosen:
        return Chosen(
            self.row_id[positions], self.picture[positions], [self.texts[p] for p in positions], self.left_out
        )


@dataclass(frozen=True)
class Partners:
    """The partner of each of n products, and what its pair weighs."""

    position: NDArray[np.int64]  # (n,) in the same n; -1 without a partner
    positive: NDArray[np.float32]  # (n,) w^p
    negative: NDArray[np.float32]  # (n,) w^n


def read_split(
    products: Products,
    split: str,
    frozen: Encoder | None,
    preprocessing: Preprocessing,
    workers: int | None,
    progress: Progress = no_progress,
) -> tuple[Chosen, NDArray[Any]]:
    """A split's products, and the array that their pictures lie in.

    Args:
        frozen: an encoder whose picture tower is not trained: its vectors are read instead of pixels.
    """
    frame = product_frame(products, (split,))
    texts = np.array(
        [product_text(*pair).strip() for pair in zip(frame.name, frame.description, strict=True)], object
    )
    ids = [image_id if text else None for image_id, text in zip(frame.image_id, texts, strict=True)]
    array: NDArray[Any]
    if frozen is not None:
        array, rows = picture_vectors(products.info, frozen, ids, workers, progress)
    else:
        array, rows = picture_pixels(products.info, preprocessing, ids, workers, progress)
    kept = np.flatnonzero(rows >= 0)
    silent = int(sum(not text for text in texts))
    left = {"no text": silent, "no picture that can be opened": len(frame) - silent - len(kept)}
    return Chosen(
        frame.row_id.to_numpy(np.int64)[kept],
        rows[kept],
        [str(text) for text in texts[kept]],
        {reason: count for reason, count in left.items() if count},
    ), array


def hold_out(there: Chosen, seed: int) -> tuple[Chosen, Chosen]:
    """Training and validation products of one split, no picture in both.

    Raises:
        TrainingError: there are too few for both.
    """
    if len(there) < 4:
        raise TrainingError(
            f"{len(there)} training products have a picture and a text: that is too few to train on."
        )
    pictures = np.unique(there.picture)
    wanted = round(max(SHARE * len(pictures), min(FEWEST_VALIDATED, MOST_SHARE * len(pictures))))
    rng = np.random.default_rng((seed, 7))
    chosen = rng.choice(pictures, max(2, min(wanted, VALIDATED)), replace=False)
    out = np.isin(there.picture, chosen)
    return there.only(np.flatnonzero(~out)), there.only(np.flatnonzero(out))


def pair_settings(
    variant: Variant, products: Products, seed: int, image_vectors: str, text_vectors: str, clusters: int
) -> PairSettings:
    """How a variant's incorrect pairs are generated."""
    return PairSettings(
        method=METHODS[variant.negatives],  # type: ignore[arg-type]
        threshold=variant.threshold,
        image_vectors=image_vectors,
        text_vectors=text_vectors,
        split="train" if "train" in products.info.splits else "",
        clusters=clusters,
        seed=seed,
    )


def partners_of(
    products: Products, settings: PairSettings, there: Chosen, progress: Progress = no_progress
) -> tuple[Partners, dict[str, int]]:
    """The generated partners of the training products; one that is not trained on is no partner.

    Returns:
        They, and how many there are and why others have none.
    """
    table = pairs(products.info.name, settings, progress=progress)
    at = np.full(products.info.rows, -1, np.int64)
    at[there.row_id] = np.arange(len(there))
    mine = at[table.row_id] >= 0
    anchors = at[table.row_id[mine]]
    given = table.partner[mine]
    position = np.full(len(there), -1, np.int64)
    position[anchors] = np.where(given >= 0, at[given], -1)
    positive, negative = np.ones(len(there), np.float32), np.zeros(len(there), np.float32)
    positive[anchors], negative[anchors] = table.weight_positive[mine], table.weight_negative[mine]
    positive[position < 0], negative[position < 0] = 1, 0
    counts = {
        "pairs": int((position >= 0).sum()),
        "dropped": int((given < 0).sum()),
        "partner_held_out": int(((given >= 0) & (at[given] < 0)).sum()),
        "fallback": int(table.fallback[mine].sum()),
        "partners": len(np.unique(position[position >= 0])),
    }
    if not counts["pairs"]:
        raise TrainingError(
            f"No training product of {products.info.name} has a partner for an incorrect pair."
        )
    return Partners(position, positive, negative), counts


_BEFORE: dict[
    tuple[str, str], dict[str, torch.Tensor]
] = {}  # of a start and a dataset: several runs in one process


def before_head(
    clip: Any, tokens: Callable[[Sequence[str]], torch.Tensor], texts: Sequence[str], key: tuple[str, str],
    progress: Progress = no_progress,
) -> Callable[[Sequence[str]], torch.Tensor]:  # fmt: skip
    """Texts to what the text tower makes of them before its last projection, computed once.

    Args:
        key: of the weights and the dataset: the same gives the same.
    """
    known = _BEFORE.setdefault(key, {})
    missing = [text for text in dict.fromkeys(["", *texts]) if text not in known]
    clip.eval()
    for at in range(0, len(missing), ENCODED):
        part = missing[at : at + ENCODED]
        for text, vector in zip(part, pooled(clip, tokens(part)), strict=True):
            known[text] = vector.clone()
        progress(min(at + ENCODED, len(missing)), len(missing), "Reading texts")
    return lambda asked: torch.stack([known[text] for text in asked])


class Batches:
    """The same batch for the same step and part, however often it is asked."""

    def __init__(
        self, there: Chosen, partners: Partners | None, reading: Reading, config: TrainConfig
    ) -> None:
        self.there, self.partners, self.reading, self.config = there, partners, reading, config
        self.size = min(config.batch_size, len(there))
        self.per_epoch = len(there) // self.size
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, np.int64))

    def positions(self, step: int, part: Part) -> NDArray[np.int64]:
        epoch, at = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            drawn = np.random.default_rng((self.config.seed, epoch)).permutation(len(self.there))
            self._order = (epoch, drawn)
        return self._order[1][at * self.size : (at + 1) * self.size][part.slice(self.size)]

    def __call__(self, step: int, part: Part) -> Batch:
        chosen = self.positions(step, part)
        texts = [self.there.texts[p] for p in chosen]
        n = len(chosen)
        present = torch.zeros(n, dtype=torch.bool)
        positive, negative = torch.ones(n), torch.zeros(n)
        if self.partners is not None:
            to = self.partners.position[chosen]
            present = torch.from_numpy(to >= 0)
            texts += [self.there.texts[p] if p >= 0 else "" for p in to]
            positive = torch.from_numpy(self.partners.positive[chosen])
            negative = torch.from_numpy(self.partners.negative[chosen])
        pictures = self.reading.pictures(self.there.picture[chosen])
        return Batch(pictures, self.reading.tokens(texts), present, positive, negative)


def validated(towers: Any, there: Chosen, reading: Reading) -> dict[str, float]:
    """Retrieval among held-out products: the hundred of the protocol, fewer trials, always the same.

    Args:
        towers: a `Towers`.

    Returns:
        `score`, the mAP; `rank1`; and `alike`, the mean cosine of different texts: 1 where a training has made all
        vectors equal.
    """
    device = next(towers.parameters()).device
    seen, read = [], []
    for at in range(0, len(there), ENCODED):
        pictures = reading.pictures(there.picture[at : at + ENCODED]).to(device)
        texts = reading.tokens(there.texts[at : at + ENCODED]).to(device)
        images, words = towers(pictures, texts)
        seen.append(images.float().cpu().numpy())
        read.append(words.float().cpu().numpy())
    n = len(there)
    held = Held(
        there.row_id,
        there.picture,
        np.full(n, -1),
        np.full(n, None, object),
        np.concatenate(read),
        np.concatenate(seen),
    )
    items = min(VALIDATION_ITEMS, len(np.unique(held.picture)))
    trials = draw_trials(held.picture, items, VALIDATION_TRIALS)
    found = spread_figures(trial_ranks(held, trials))
    return {"score": found["map"], "rank1": found["rank1"], "alike": mean_cosine(held.texts), "n": float(n)}
