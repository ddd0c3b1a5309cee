"""Fit TF-IDF and logistic regression to the texts: python -m trainers.ngrams --dataset N."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np

from core.embeddings.ngrams import NgramTokenizer
from core.errors import TrainingError
from core.models import ngrams
from core.models.data import InputConfig
from core.models.priors import counted, write_counts
from core.training.checkpoints import write_tensors
from core.training.loop import Outcome, TrainConfig
from core.training.runs import TOKENIZER, WEIGHTS, RunConfig
from trainers.labels import put_head, remedied
from trainers.products import read, unchanged_sources
from trainers.recipe import Recipe
from trainers.runner import main

VALIDATION_SHARE = 0.1  # of human-labelled products, by which the remedies' settings are chosen

PRESETS = {
    "tfidf": Recipe("ngrams", ngrams.NgramConfig(), TrainConfig(steps=1), epochs=0, validations=0),
}


def fit(config: RunConfig, recipe: Recipe, run_dir: Path, arguments: Namespace) -> Outcome:
    """Fit in one step, without checkpoints.

    Raises:
        TrainingError: --balance was given.
    """
    if config.balance != "none":
        raise TrainingError(
            "--balance is for networks trained by gradient descent; leave it out for TF-IDF (--tail is for all)."
        )
    started = time.monotonic()
    network = ngrams.build(config.model, len(config.classes))
    input_config = InputConfig(
        tuple(config.classes), network.config.text, None, NgramTokenizer(run_dir / TOKENIZER)
    )
    data = read(unchanged_sources(config), input_config)
    rows = data.usable()
    network.fit(data.inputs(rows).numbers.numpy(), data.labels[rows], config.training["seed"])
    labels, weighed = data.labels[rows], np.ones(len(rows))
    notes: dict[str, Any] = {"classes": list(config.classes)}
    if config.tail != "none" or config.noise != "none":
        said = {"tail": config.tail, "noise": config.noise, "remedies": dict(config.remedies)}
        made = remedied(
            said, network.features(data.inputs(rows).numbers.numpy()), data, rows, len(config.classes),
            config.model["strength"], data.held_out(VALIDATION_SHARE, config.training["seed"])[rows],
            config.training["seed"],
        )  # fmt: skip
        put_head(network.head, made.head)
        notes["remedies"] = made.settings
        labels, weighed = made.treatment.labels, made.treatment.weights
    geos = data.frame.geo.iloc[rows].tolist()
    write_counts(run_dir, counted(geos, labels, len(config.classes), weighed))
    write_tensors(run_dir / WEIGHTS, dict(network.state_dict()), notes)
    return Outcome(1, "done", seconds=round(time.monotonic() - started, 2))


if __name__ == "__main__":
    main("ngrams", PRESETS, fit)
