"""--tail and --noise on every trainer: a run ends, says what it did, and its priors know it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.catalog.products import Products
from core.embeddings.imported import import_vectors
from core.errors import TrainingError
from core.models.priors import country_priors, read_counts
from core.training.checkpoints import read_tensors
from core.training.runs import WEIGHTS, RunConfig
from tests.toy import import_toy, train_toy
from trainers import ngrams, probe
from trainers.runner import run


@pytest.fixture
def toy(home: Path, tmp_path: Path) -> Path:
    """The toy dataset with vectors of three numbers that tell its classes."""
    import_toy(tmp_path)
    products = Products.open("toy")
    frame = products.frame("SELECT row_id, category FROM cohort ORDER BY row_id")
    codes = np.unique(frame.category, return_inverse=True)[1]
    vectors = np.eye(3, dtype=np.float32)[codes] + np.random.default_rng(0).normal(
        0, 0.1, (len(codes), 3)
    ).astype(np.float32)
    np.savez(tmp_path / "v.npz", row_id=frame.row_id.to_numpy(), vectors=vectors)
    import_vectors(products, tmp_path / "v.npz", "made", "row_id")
    return home


@pytest.mark.parametrize("options", [
    ("--tail", "logit-adjustment", "--tau", "0.5"), ("--tail", "crt"), ("--tail", "tau-norm"),
    ("--noise", "weights", "--machine-weight", "0.25"), ("--noise", "finetune"), ("--noise", "forward"),
])  # fmt: skip
def test_a_network_trains_with_each(toy: Path, options: tuple[str, ...]) -> None:
    folder = toy / "runs" / "one"
    assert train_toy(folder, "--steps", "6", *options)["ended"] == "done"
    config = RunConfig.read(folder)
    assert (
        (config.tail, config.noise) == (options[1], "none")
        if options[0] == "--tail"
        else ("none", options[1])
    )
    priors = country_priors(config, folder)
    counts = read_counts(folder, 3)
    assert counts is not None
    total = sum(count.sum() for count in counts.values())
    if options[1] == "finetune":
        assert total < config.products["training"]  # of people alone
    if options[1] == "logit-adjustment":
        shares = sum(counts.values()) ** 0.5
        assert priors.training == pytest.approx(shares / shares.sum())
    if options[1] == "tau-norm":
        assert read_tensors(folder / WEIGHTS)[1]["remedies"]["tau"] >= 0


def test_the_probe_and_tfidf_take_them_too(toy: Path) -> None:
    for options in (("--tail", "crt"), ("--noise", "weights"), ("--tail", "post-hoc", "--noise", "drop")):
        out = toy / "runs" / f"probe-{'-'.join(options)}"
        probe.run(["--dataset", "toy", "--vectors", "made", "--out", str(out), *options])
        assert RunConfig.read(out).tail == (options[1] if options[0] == "--tail" else "none")
        text = toy / "runs" / f"ngrams-{'-'.join(options)}"
        run("ngrams", ngrams.PRESETS, ["--dataset", "toy", "--out", str(text), *options], ngrams.fit)
        assert RunConfig.read(text).noise == (options[-1] if "--noise" in options else "none")


def test_what_cannot_be_is_refused(toy: Path, tmp_path: Path) -> None:
    for options, error, said in (
        (("--tail", "crt", "--balance", "loss"), TrainingError, "give one of them"),
        (("--tail", "post-hoc", "--tau", "nan"), TrainingError, "--tau"),
        (("--noise", "weights", "--machine-weight", "2"), TrainingError, "--machine-weight"),
    ):
        with pytest.raises(error, match=said):
            train_toy(tmp_path / "refused", "--steps", "2", *options)
