"""Fit a linear probe to stored vectors: python -m trainers.probe --dataset N --vectors clip-tiny."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.embeddings.store import EmbeddingSet, open_set
from core.errors import TrainingError
from core.models.concatenated import ConcatenatedData
from core.models.data import InputConfig
from core.models.ngrams import set_head
from core.models.priors import counted, write_counts
from core.models.probe import ProbeConfig, ProbeNetwork, read_vectors
from core.training.checkpoints import write_tensors
from core.training.loop import Outcome
from core.training.process import hold, recorded
from core.training.runs import WEIGHTS, RunConfig, new_run
from trainers import label_options
from trainers.labels import put_head, remedied
from trainers.products import Source, classes_of, open_sources
from trainers.runner import add_test_metrics, tell

STRENGTHS = (
    0.1,
    1.0,
    10.0,
    100.0,
    1_000.0,
)  # candidates of the inverse regularisation strength; vectors have length 1
VALIDATION_SHARE = (
    0.1  # of human-labelled products (or all, without such labels), if the dataset has no validation split
)
READS = {"image": ("image",), "text": ("text",), "both": ("text", "image")}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m trainers.probe", description=__doc__)
    made.add_argument(
        "--dataset", action="append", help="a dataset of VITRINE_HOME; repeat it to train on several"
    )
    made.add_argument("--vectors", default="clip-tiny", help="see `vitrine embeddings list NAME`")
    made.add_argument(
        "--reads", choices=tuple(READS), default="image", help="vectors of pictures, texts, both"
    )
    made.add_argument("--human-only", action="store_true", help="train on human labels only")
    made.add_argument("--out", type=Path, help="the run's folder; default: one in VITRINE_HOME/runs")
    label_options.add_options(made)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--json", action="store_true", help="print the result as JSON")
    return made


def plan(sources: Sequence[Source], vectors: str, reads: str) -> ProbeConfig:
    """
    Raises:
        EmbeddingError: a dataset has no such vectors; the message has the command to run.
        TrainingError: two datasets have vectors of different weights.
    """
    base = vectors.removesuffix(".text")
    found: dict[str, EmbeddingSet] = {}
    kinds = set()
    for source in sources:
        for modality in READS[reads]:
            name = base if modality == "image" else f"{base}.text"
            found[modality] = open_set(source.products.info, name)
            described = found[modality].description
            kinds.add((described.encoder if described.tower != "imported" else "", described.weights))
    if len(kinds) > 1:
        raise TrainingError(
            f"The vectors {vectors} are not all of the same weights. Compute them again: vitrine embed NAME "
            f"--encoder {base} --again"
        )
    ((encoder, weights),) = kinds
    text, image = found.get("text"), found.get("image")
    return ProbeConfig(
        text=text.name if text else None,
        image=image.name if image else None,
        text_width=text.description.dimensions if text else 0,
        image_width=image.description.dimensions if image else 0,
        encoder=encoder,
        weights=weights,
    )


def fit(
    network: ProbeNetwork, data: ConcatenatedData, validates: NDArray[np.bool_], seed: int
) -> tuple[float, dict[float, float]]:
    """Select the strength on the validation products, then fit all products with it.

    Returns:
        The strength, and validation top-1 by strength (empty without validation products).
    """
    from sklearn.linear_model import LogisticRegression

    rows = data.usable()
    features, labels = network.features(data.inputs(rows)).numpy(), data.labels[rows]
    holds_out, scores = validates[rows], {}
    if not holds_out.any():  # label kinds are unknown: validate on any products
        picked = np.random.default_rng((seed, 7)).permutation(len(rows))[
            : round(VALIDATION_SHARE * len(rows))
        ]
        holds_out = np.isin(np.arange(len(rows)), picked)
    if len(np.unique(labels[~holds_out])) > 1 and holds_out.any():
        for strength in STRENGTHS:
            tried = LogisticRegression(C=strength, max_iter=1_000, random_state=seed)
            tried.fit(features[~holds_out], labels[~holds_out])
            scores[strength] = float(tried.score(features[holds_out], labels[holds_out]))
    chosen = (
        max(scores, key=lambda strength: scores[strength]) if scores else 1.0
    )  # ties: the strongest regularisation
    best = LogisticRegression(C=chosen, max_iter=1_000, random_state=seed).fit(features, labels)
    set_head(network.head, best)
    return chosen, scores


@recorded
def run(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the trainer; returns the run's folder and metrics."""
    arguments = parser().parse_args(argv)
    if not arguments.dataset:
        raise TrainingError("No training dataset: give --dataset NAME. `vitrine datasets` lists them.")
    started = time.monotonic()
    run_dir = new_run("-".join(("probe", arguments.reads, *arguments.dataset))[:80], arguments.out)
    hold(run_dir)
    sources = open_sources(arguments.dataset, arguments.human_only)
    classes = classes_of(sources)
    made = plan(sources, arguments.vectors, arguments.reads)
    input_config = InputConfig(tuple(classes), None, None, None)
    data = ConcatenatedData(
        [read_vectors(made, source.products, source.frame, input_config) for source in sources]
    )
    usable = data.usable()
    if len(np.unique(data.labels[usable])) < 2:
        raise TrainingError(
            f"Fewer than two categories have a product with a vector in {arguments.vectors}: at least two are needed."
        )
    validates = data.held_out(VALIDATION_SHARE, arguments.seed)
    network = ProbeNetwork(made, len(classes))
    strength, scores = fit(network, data, validates, arguments.seed)
    said = label_options.chosen(arguments)
    weighed = np.ones(len(usable))
    labels = data.labels[usable]
    if said["tail"] != "none" or said["noise"] != "none":
        better = remedied(
            said, network.features(data.inputs(usable)).numpy(), data, usable, len(classes), strength,
            validates[usable], arguments.seed,
        )  # fmt: skip
        put_head(network.head, better.head)
        said["remedies"] |= better.settings
        labels, weighed = better.treatment.labels, better.treatment.weights
    infos = [source.products.info for source in sources]
    config = RunConfig(
        architecture="probe",
        model=asdict(replace(made, strength=strength)),
        training={"seed": arguments.seed, "validation_top1": {str(key): s for key, s in scores.items()}},
        classes=classes,
        dataset=infos[0].name,
        fingerprint=infos[0].fingerprint,
        licence=" and ".join(dict.fromkeys(info.licence for info in infos)),
        preset=arguments.vectors,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        human_only=arguments.human_only,
        products={"training": len(usable), "validation": int(validates[usable].sum())},
        datasets={info.name: info.fingerprint for info in infos} if len(infos) > 1 else {},
        **said,
    )
    config.write(run_dir)
    write_counts(run_dir, counted(data.frame.geo.iloc[usable].tolist(), labels, len(classes), weighed))
    write_tensors(run_dir / WEIGHTS, dict(network.state_dict()), {"classes": classes})
    config = add_test_metrics(
        config, run_dir, Outcome(1, "done", seconds=round(time.monotonic() - started, 2))
    )
    return {"run": str(run_dir), "strength": strength, **config.result}


if __name__ == "__main__":
    tell(run)
