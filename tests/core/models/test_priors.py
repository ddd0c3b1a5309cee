"""Answers adjusted to a country: by hand, against the optimum of a simulation, and from what a run was trained on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.catalog.build import import_dataset
from core.catalog.info import info
from core.errors import DamagedRunError, UsageError
from core.models.loading import loaded
from core.models.priors import (
    COUNTS,
    NOWHERE,
    CountryPriors,
    adjusted,
    counted,
    country_priors,
    priors_from_counts,
    read_counts,
    write_counts,
)
from core.training.balance import ClassSampler, log_shares
from core.training.runs import RunConfig
from tests.toy import train_toy, write_toy


def test_adjusted_by_hand() -> None:
    """.6, .3, .1 times 1/2, 1, 5/2 are .3, .3, .25, of .85 together."""
    prior, training = np.array([0.25, 0.25, 0.5]), np.array([0.5, 0.25, 0.2])
    found = adjusted(np.float32([[0.6, 0.3, 0.1]]), prior, training)
    assert found[0].tolist() == pytest.approx([0.3 / 0.85, 0.3 / 0.85, 0.25 / 0.85])
    same = adjusted(np.float32([[0.6, 0.3, 0.1]]), training, training)
    assert same[0].tolist() == pytest.approx([0.6, 0.3, 0.1])


def test_a_class_that_training_never_saw_keeps_its_probability() -> None:
    found = adjusted(np.float32([[0.5, 0.25, 0.25]]), np.array([0.25, 0.75, 0]), np.array([0.5, 0.5, 0]))
    assert found[0].tolist() == pytest.approx([0.25 / 0.875, 0.375 / 0.875, 0.25 / 0.875])
    nothing = adjusted(np.float32([[1, 0]]), np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    assert nothing[0].tolist() == [1, 0]


def test_counts_are_drawn_towards_the_whole() -> None:
    """300 of 400 are of the first class. Of 100 in cz none: (0 + 100 * 3/4) / 200; in sk (300 + 75) / 400."""
    counts = {"cz": np.array([0, 100]), "sk": np.array([300, 0])}
    found = priors_from_counts(counts)
    assert found.training.tolist() == [0.75, 0.25]
    assert found.countries["cz"].tolist() == [0.375, 0.625]
    assert found.countries["sk"].tolist() == [0.9375, 0.0625]
    assert found.counted == {"cz": 100, "sk": 300}
    assert found.adjust(np.float32([[0.75, 0.25]]), "cz")[0].tolist() == pytest.approx([0.375, 0.625])
    balanced = priors_from_counts(counts, "loss")  # it answers as if both were as likely
    assert balanced.training.tolist() == [0.5, 0.5] and balanced.countries["cz"].tolist() == [0.375, 0.625]


@pytest.mark.parametrize("balance", ["none", "loss", "sampling"])
def test_adjusted_answers_are_the_optimum_in_a_simulation(balance: str) -> None:
    """Normal classes of one covariance, so that a linear network can be optimal; two countries that sell different ones.

    The network is trained by the project's own balancing. Bayes' optimum of a country knows the densities and what it
    sells. 95% or more of the adjusted answers must be the optimum's; answers adjusted as if the network had been trained
    under the products' shares, which balancing took out, are far from it.
    """
    rng = np.random.default_rng(3)
    means = rng.normal(size=(6, 4))
    sold = {
        "cz": np.array([0.5, 0.25, 0.15, 0.05, 0.03, 0.02]),
        "sk": np.array([0.02, 0.03, 0.05, 0.15, 0.25, 0.5]),
    }
    sizes = {"cz": 9_000, "sk": 1_500}
    labels = {country: rng.choice(6, size=n, p=sold[country]) for country, n in sizes.items()}
    y = np.concatenate(list(labels.values()))
    x = torch.from_numpy(means[y] + rng.normal(size=(len(y), 4))).float()
    counts = {country: np.bincount(own, minlength=6) for country, own in labels.items()}
    rows, raised = np.arange(len(y)), torch.zeros(6)
    if balance == "sampling":
        rows = ClassSampler(rows, y).draw(20_000, rng)
    if balance == "loss":
        raised = torch.from_numpy(log_shares(y, 6))
    network, target = torch.nn.Linear(4, 6), torch.from_numpy(y[rows])
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x[rows]) + raised, target)
        loss.backward()
        return loss

    optimizer.step(closure)

    def agreement(country: str, adjusted_for: CountryPriors | None) -> float:
        """With the optimum, over products of a country."""
        seen = means[rng.choice(6, size=4_000, p=sold[country])] + rng.normal(size=(4_000, 4))
        logs = -0.5 * ((seen[:, None] - means[None]) ** 2).sum(axis=2)  # (n, 6) of the densities
        with torch.inference_mode():
            given = network(torch.from_numpy(seen).float()).softmax(-1).numpy()
        if adjusted_for is not None:
            given = adjusted_for.adjust(given, country)
        return float((given.argmax(axis=1) == (logs + np.log(sold[country])).argmax(axis=1)).mean())

    right, as_if_not = priors_from_counts(counts, balance), priors_from_counts(counts)
    for country in sold:
        assert agreement(country, right) > 0.95
    assert agreement("sk", None) < 0.9
    if balance != "none":
        assert agreement("cz", as_if_not) < 0.92, "taken out twice"


def test_a_run_keeps_what_it_was_trained_on(toy_home: Path, tmp_path: Path) -> None:
    """The counts are of the products that trained, by whom ever they were labelled, and need no dataset."""
    folder = toy_home / "runs" / "toy-run"
    config = RunConfig.read(folder)
    found = country_priors(replace(config, dataset="absent"), folder)
    assert set(found.countries) == {"cz", "sk"}
    assert sum(found.counted.values()) == config.products["training"]
    assert found.training.sum() == pytest.approx(1)
    human = tmp_path / "human"
    train_toy(human, "--human-only", "--steps", "2", "--balance", "loss")
    fewer = country_priors(RunConfig.read(human), human)
    assert sum(fewer.counted.values()) < sum(found.counted.values())
    assert fewer.training.tolist() == pytest.approx([1 / 3] * 3)  # balanced
    (human / COUNTS).write_text('{"cz": [1]}')
    with pytest.raises(DamagedRunError):
        country_priors(RunConfig.read(human), human)


def test_an_older_run_is_counted_in_all_its_datasets(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both datasets count, only products that a person labelled where the run learned from those, and none of another draw."""
    home = tmp_path / "home"
    shutil.copytree(trained, home)
    monkeypatch.setenv("VITRINE_HOME", str(home))
    import_dataset("glami", [str(write_toy(tmp_path / "more", 150))], "more")
    folder = tmp_path / "older"
    config = RunConfig.read(home / "runs" / "toy-run")
    one = country_priors(config, folder)
    assert sum(one.counted.values()) == 63  # of 90, seven of ten
    both = replace(config, datasets={name: info(name).fingerprint for name in ("toy", "more")})
    assert sum(country_priors(both, folder).counted.values()) == 63 + 105
    human = country_priors(replace(both, human_only=True), folder)
    assert 0 < sum(human.counted.values()) < 63 + 105
    for wrong, said in (
        ({"toy": "0" * 16}, "toy, which it was trained on, has other products now"),
        ({"toy": config.fingerprint, "gone": "0"}, "gone, which it was trained on, is not here"),
    ):
        with pytest.raises(UsageError, match=said):
            country_priors(replace(config, datasets=wrong), folder)
    with pytest.raises(UsageError, match="two countries"):
        country_priors(replace(config, classes=["other", "classes"]), folder)


def test_counts_come_back_as_they_were(tmp_path: Path) -> None:
    counts = counted(["cz", None, "cz", float("nan"), "sk"], np.array([0, 1, 0, 2, -1]), 3)
    assert {geo: count.tolist() for geo, count in counts.items()} == {NOWHERE: [0, 1, 1], "cz": [2, 0, 0]}
    write_counts(tmp_path, counts)
    again = read_counts(tmp_path, 3)
    assert again is not None and {geo: count.tolist() for geo, count in again.items()} == {
        NOWHERE: [0, 1, 1], "cz": [2, 0, 0],
    }  # fmt: skip
    assert json.loads((tmp_path / COUNTS).read_text())["cz"] == {"0": 2}
    assert read_counts(tmp_path / "none", 3) is None


def test_the_bundled_model_keeps_its_counts() -> None:
    config = loaded("embracenet-tiny").config
    found = country_priors(config, loaded("embracenet-tiny").folder)
    assert sum(found.counted.values()) == config.products["training"] and len(found.countries) == 13
