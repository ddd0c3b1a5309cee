"""Fit TF-IDF and logistic regression to the texts: python -m trainers.ngrams --dataset N."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path

from core.embeddings.ngrams import NgramTokenizer
from core.errors import TrainingError
from core.models import ngrams
from core.models.data import InputConfig
from core.models.priors import counted, write_counts
from core.training.checkpoints import write_tensors
from core.training.loop import Outcome, TrainConfig
from core.training.runs import TOKENIZER, WEIGHTS, RunConfig
from trainers.products import read, unchanged_sources
from trainers.recipe import Recipe
from trainers.runner import main

PRESETS = {
    "tfidf": Recipe("ngrams", ngrams.NgramConfig(), TrainConfig(steps=1), epochs=0, validations=0),
}


def fit(config: RunConfig, recipe: Recipe, run_dir: Path, arguments: Namespace) -> Outcome:
    """Fit in one step, without checkpoints.

    Raises:
        TrainingError: --balance was given.
    """
    if config.balance != "none":
        raise TrainingError("--balance is for networks trained by gradient descent; leave it out for TF-IDF.")
    started = time.monotonic()
    network = ngrams.build(config.model, len(config.classes))
    input_config = InputConfig(
        tuple(config.classes), network.config.text, None, NgramTokenizer(run_dir / TOKENIZER)
    )
    data = read(unchanged_sources(config), input_config)
    rows = data.usable()
    network.fit(data.inputs(rows).numbers.numpy(), data.labels[rows], config.training["seed"])
    geos = data.frame.geo.iloc[rows].tolist()
    write_counts(run_dir, counted(geos, data.labels[rows], len(config.classes)))
    write_tensors(run_dir / WEIGHTS, dict(network.state_dict()), {"classes": list(config.classes)})
    return Outcome(1, "done", seconds=round(time.monotonic() - started, 2))


if __name__ == "__main__":
    main("ngrams", PRESETS, fit)
