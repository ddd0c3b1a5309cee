"""Every remedy for shifted, long-tailed and noisy labels beside plain training, over three seeds.

    python -m benchmarks.labels glami-mini=../shared/data/glami-mini-truth.csv demo --parts DIR --write

Reads the datasets in VITRINE_HOME with their stored vectors (`vitrine embed NAME`, `--tower text`), and the truth that was planted:
of a drawn dataset beside it, of glami-mini from the file. A network of one hidden layer over both vectors is trained anew for
every remedy and seed, with the same steps; settings are the published defaults, except what a method says is chosen on validation (the weight
of machine labels, tau of tau-norm). Nothing is tuned by the test split. `--write` replaces assets/labels/remedies.json, which
the page of remedies shows; the tables for docs/development/results.md are printed.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.labels import figures
from core.labels import tail as tails
from core.labels.heads import Head
from core.labels.machine_errors import machine_errors
from core.labels.noise import MACHINE_WEIGHT, WEIGHTS, out_of_fold, treat
from core.labels.prior_shift import METHODS, Estimator
from core.models.data import held_out
from core.models.priors import adjusted, counted, priors_from_counts
from core.settings import ASSETS
from core.training.balance import ClassSampler, log_shares
from core.training.noise import noisy_cross_entropy
from trainers.labels import stored_features
from trainers.products import Source

OUT = ASSETS / "labels" / "remedies.json"
SEEDS = (0, 1, 2)
HIDDEN, EPOCHS, BATCH, RATE, DECAY, DROPOUT = 128, 20, 256, 3e-3, 1e-2, 0.2
VALIDATION_SHARE = 0.1  # of human-labelled training products
TAIL = ("logit-adjustment", "sampling", "post-hoc", "crt", "tau-norm", "scales")
NOISE = ("human only", "weights", "finetune", "forward", "drop", "relabel")


@dataclass(frozen=True)
class Set:
    """The training, validation and test products of a dataset, with what they really are."""

    name: str
    classes: list[str]
    x: np.ndarray  # (n, d)
    labels: np.ndarray  # (n,) given
    truth: np.ndarray  # (n,) right
    trusted: np.ndarray  # (n,) bool
    geos: np.ndarray
    pictures: np.ndarray
    train: np.ndarray  # (n,) bool
    test: np.ndarray


def read(name: str, truth_file: str) -> Set:
    """A dataset of VITRINE_HOME with its stored vectors and its truth."""
    products = Products.open(name)
    frame = product_frame(products, ("train", "test")).reset_index(drop=True)
    x = stored_features(Source(products, frame)).astype(np.float32)
    if truth_file:
        table = pd.read_csv(truth_file, dtype=str)
        right = dict(zip(zip(table.item_id, table.split, strict=True), table.category_name, strict=True))
        real = [right[key] for key in zip(frame.item_id.astype(str), frame.split, strict=True)]
        names = [str(path[-1]) for path in frame.category_path]
    else:
        table = pd.read_parquet(products.info.folder / "truth.parquet").reset_index(drop=True)
        table = table.iloc[frame.row_id.to_numpy()].reset_index(drop=True)
        if not (table.item_id.astype(str) == frame.item_id.astype(str)).all():
            raise SystemExit(f"{name}: the truth is of other products")
        real, names = table.right_category_name.tolist(), table.category_name.tolist()
    classes = sorted(set(names))
    number = {label: at for at, label in enumerate(classes)}
    return Set(
        name, classes, x, np.array([number[label] for label in names]), np.array([number[label] for label in real]),
        (frame.label_kind == "human").to_numpy().copy(), frame.geo.fillna("").to_numpy(object),
        frame.image_id.fillna("").to_numpy(object), (frame.split == "train").to_numpy(), (frame.split == "test").to_numpy(),
    )  # fmt: skip


class Network(nn.Module):
    """One hidden layer; `hidden` is what the remedies after training see."""

    def __init__(self, d: int, classes: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(d, HIDDEN), nn.ReLU())
        self.head = nn.Linear(HIDDEN, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.hidden(x))


def train(
    data: Set, rows: np.ndarray, labels: np.ndarray, seed: int, balance: str = "none", machine_weight: float = 1.0,
    transition: np.ndarray | None = None, last: np.ndarray | None = None,
) -> Network:  # fmt: skip
    """A network trained on some products.

    Args:
        rows: positions in `data`; labels: (n of data,).
        last: rows of the last third of the steps.
    """
    torch.manual_seed(seed)
    classes = len(data.classes)
    x, trusted = torch.from_numpy(data.x), torch.from_numpy(data.trusted.copy())
    network = Network(x.shape[1], classes)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    steps = EPOCHS * max(1, round(len(data.labels[data.train]) / BATCH))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.1)
    raised = torch.zeros(classes)
    if balance == "logit-adjustment":
        raised = torch.from_numpy(log_shares(labels[rows], classes))
    matrix = None if transition is None else torch.from_numpy(transition).float()
    rng, y = np.random.default_rng((seed, 17)), torch.from_numpy(labels)
    sampler = ClassSampler(rows, labels[rows])
    for step in range(steps):
        among = last if last is not None and step >= steps * 2 // 3 else rows
        if balance == "sampling":
            picked = sampler.draw(BATCH, rng)
        else:
            picked = rng.choice(among, min(BATCH, len(among)), replace=False)
        at = torch.from_numpy(picked)
        loss = noisy_cross_entropy(network(x[at]) + raised, y[at], trusted[at], machine_weight, matrix)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def hidden(network: Network, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network.hidden(torch.from_numpy(x)).double().numpy()


def head_of(network: Network) -> Head:
    return Head(network.head.weight.detach().double().numpy(), network.head.bias.detach().double().numpy())


def probabilities(network: Network, x: np.ndarray) -> np.ndarray:
    return head_of(network).probabilities(hidden(network, x))


def run_seed(data: Set, seed: int, what: str) -> list[dict[str, Any]]:
    """Plain training and the remedies of the tail and of noise (`remedies`), or those of prior shift (`priors`), with one seed."""
    frame = pd.DataFrame(
        {
            "split": np.where(data.train, "train", "test"),
            "label_kind": np.where(data.trusted, "human", "machine"),
        }
    )
    validates = held_out(frame, VALIDATION_SHARE, seed) & data.train
    fit = np.flatnonzero(data.train & ~validates)
    validation, test = np.flatnonzero(validates), np.flatnonzero(data.test)
    training = np.bincount(data.labels[fit], minlength=len(data.classes))
    rows: list[dict[str, Any]] = []

    def note(part: str, remedy: str, answers: np.ndarray, seconds: float, **more: Any) -> None:
        right = tails.accuracies(answers, data.truth[test], training)
        given = float((answers == data.labels[test]).mean())
        row = {"part": part, "remedy": remedy, "seed": seed, **right, "top1_given": given}
        rows.append(row | {"seconds": round(seconds, 2)} | more)

    started = time.monotonic()
    plain = train(data, fit, data.labels, seed)
    trained = time.monotonic() - started
    if what == "priors":
        _shift(data, plain, fit, validation, test, note)
        return rows
    note("plain", "plain", probabilities(plain, data.x[test]).argmax(axis=1), trained)
    _tail(data, seed, plain, fit, validation, test, note, trained)
    _noise(data, seed, plain, fit, validation, test, note)
    return rows


def _tail(
    data: Set,
    seed: int,
    plain: Network,
    fit: np.ndarray,
    validation: np.ndarray,
    test: np.ndarray,
    note: Any,
    before: float,
) -> None:
    classes, labels = len(data.classes), data.labels
    for name in TAIL:
        started = time.monotonic()
        if name in ("logit-adjustment", "sampling"):
            answers = probabilities(train(data, fit, labels, seed, balance=name), data.x[test])
            note("tail", name, answers.argmax(axis=1), time.monotonic() - started)
            continue
        head, more = head_of(plain), {}
        if name == "post-hoc":
            made = tails.post_hoc(head, labels[fit])
        elif name == "crt":
            made = tails.retrained(hidden(plain, data.x[fit]), labels[fit], classes)
        elif name == "tau-norm":
            made, more["tau"] = tails.best_normalised(
                head, hidden(plain, data.x[validation]), labels[validation]
            )
        else:
            made = tails.scaled(head, hidden(plain, data.x[fit]), labels[fit])
        answers = made.logits(hidden(plain, data.x[test]))
        note("tail", name, answers.argmax(axis=1), before + time.monotonic() - started, **more)


def _noise(
    data: Set, seed: int, plain: Network, fit: np.ndarray, validation: np.ndarray, test: np.ndarray, note: Any
) -> None:
    classes, labels, trusted = len(data.classes), data.labels, data.trusted
    people = fit[trusted[fit]]
    alone = train(data, people, labels, seed)
    guessed: np.ndarray | None = None
    for name in NOISE:
        started, more = time.monotonic(), {}
        if name == "human only":
            network = alone
        elif name == "weights":
            scored = {}
            for weight in WEIGHTS:
                tried = {0.0: alone, 1.0: plain}.get(weight) or train(
                    data, fit, labels, seed, machine_weight=weight
                )
                own = probabilities(tried, data.x[validation])[np.arange(len(validation)), labels[validation]]
                scored[weight] = (float(np.log(np.maximum(own, 1e-12)).mean()), tried)
            more["machine_weight"] = max(reversed(WEIGHTS), key=lambda weight: scored[weight][0])
            network = scored[more["machine_weight"]][1]
            fixed = probabilities(scored[MACHINE_WEIGHT][1], data.x[test]).argmax(axis=1)
            note("noise", f"weights, {MACHINE_WEIGHT:g}", fixed, (time.monotonic() - started) / len(WEIGHTS))
        elif name == "finetune":
            network = train(data, fit, labels, seed, last=people)
        else:
            groups = np.where(data.pictures[fit] == "", fit.astype(str), data.pictures[fit])
            if name == "drop":  # and of `relabel`
                guessed = out_of_fold(data.x[fit], labels[fit], classes, groups, seed=seed)
            treated = treat(
                name, data.x[fit], labels[fit], trusted[fit], classes, groups, seed=seed, probabilities=guessed  # type: ignore[arg-type]
            )  # fmt: skip
            changed = labels.copy()
            changed[fit] = treated.labels
            wrong = labels[fit] != data.truth[fit]
            touched = (treated.weights == 0) | (treated.labels != labels[fit])
            if touched.any():
                more |= {
                    "touched": int(touched.sum()),
                    "touched_wrong": int((touched & wrong).sum()),
                    "machine_wrong": int((wrong & ~trusted[fit]).sum()),
                }
            network = train(data, fit[treated.weights > 0], changed, seed, transition=treated.transition)
        answers = probabilities(network, data.x[test]).argmax(axis=1)
        note("noise", name, answers, time.monotonic() - started, **more)


def _shift(
    data: Set, plain: Network, fit: np.ndarray, validation: np.ndarray, test: np.ndarray, note: Any
) -> None:
    """Priors of each country's test products, by every method; accuracy adjusted to them beside that of the true ones."""
    classes = len(data.classes)
    given = probabilities(plain, data.x[test])
    estimator = Estimator.fit(probabilities(plain, data.x[validation]), data.labels[validation])
    calibrated = estimator.calibrated(given).astype(np.float32)
    counts = priors_from_counts(counted(data.geos[fit].tolist(), data.labels[fit], classes))
    places = sorted(set(data.geos[test]) - {""})
    uncalibrated = np.bincount(data.labels[fit], minlength=classes) / len(fit)

    def by_country(name: str, prior_of: Any, plainly: bool = False) -> None:
        started = time.monotonic()
        answers, errors, before = given.argmax(axis=1), [], []
        for place in places:
            here = data.geos[test] == place
            if here.sum() < 20:
                continue
            prior = prior_of(place, here)
            source = uncalibrated if plainly else estimator.source
            asked = given.astype(np.float32) if plainly else calibrated
            answers[here] = adjusted(asked[here], prior, source).argmax(axis=1)
            true = np.bincount(data.truth[test][here], minlength=classes) / here.sum()
            errors.append(np.abs(prior - true).sum() / 2)
            before.append(np.abs(uncalibrated - true).sum() / 2)
        note(
            "shift",
            name,
            answers,
            time.monotonic() - started,
            prior_error=float(np.mean(errors)),
            prior_error_before=float(np.mean(before)),
        )

    note("shift", "calibration alone", calibrated.argmax(axis=1), 0.0)
    by_country("training counts of the country", lambda place, here: counts.countries[place], plainly=True)
    by_country(
        "em, not calibrated",
        lambda place, here: replace(estimator, calibration=None, source=uncalibrated).prior(
            "em", given[here]
        ),
        plainly=True,
    )
    for method in METHODS:
        by_country(
            method,
            lambda place, here, method=method: estimator.prior(method, calibrated[here].astype(np.float64)),
        )
    by_country(
        "true priors",
        lambda place, here: np.bincount(data.truth[test][here], minlength=classes) / here.sum(),
    )


def simulated(data: Set, seed: int, repeats: int = 20) -> list[dict[str, Any]]:
    """Targets drawn from the test split with priors of a Dirichlet and with the reverse of the training's: error and gain."""
    network_rows = np.flatnonzero(data.train)
    rng = np.random.default_rng((seed, 23))
    picked = rng.permutation(network_rows)
    fit, validation = picked[len(picked) // 5 :], picked[: len(picked) // 5]
    network = train(data, fit, data.labels, seed)
    classes, test = len(data.classes), np.flatnonzero(data.test)
    estimator = Estimator.fit(probabilities(network, data.x[validation]), data.labels[validation])
    given, truth = probabilities(network, data.x[test]), data.truth[test]
    calibrated = estimator.calibrated(given)
    there = np.bincount(truth, minlength=classes)
    shares = np.bincount(data.labels[fit], minlength=classes) / len(fit)
    order = np.argsort(shares)
    reverse = np.zeros(classes)
    reverse[order] = shares[order[::-1]]
    rows = []
    for name, draw in (
        ("Dirichlet(1)", lambda: rng.dirichlet(np.ones(classes))),
        ("reversed", lambda: reverse),
    ):
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(repeats):
            prior = draw() * (there > 0)
            prior = prior / prior.sum()
            labels = rng.choice(classes, 400, p=prior)
            sample = np.array([rng.choice(np.flatnonzero(truth == label)) for label in labels])
            real = np.bincount(labels, minlength=classes) / 400
            asked, plainly = calibrated[sample], given[sample]
            found.setdefault("as trained", []).append(
                (np.abs(shares - real).sum() / 2, (plainly.argmax(1) == labels).mean())
            )
            for method in METHODS:
                estimate = estimator.prior(method, asked)
                hits = adjusted(asked.astype(np.float32), estimate, estimator.source).argmax(1) == labels
                found.setdefault(method, []).append((np.abs(estimate - real).sum() / 2, hits.mean()))
            hits = adjusted(asked.astype(np.float32), real, estimator.source).argmax(1) == labels
            found.setdefault("true priors", []).append((0.0, hits.mean()))
        rows += [
            {"shift": name, "method": method, "seed": seed, "error": float(np.mean([e for e, _ in each])), "top1": float(np.mean([a for _, a in each]))}
            for method, each in found.items()
        ]  # fmt: skip
    return rows


def confusion(data: Set) -> dict[str, Any]:
    """The estimated errors of machine labels beside the planted ones."""
    rows = np.flatnonzero(data.train)
    labels, truth, trusted = data.labels[rows], data.truth[rows], data.trusted[rows]
    groups = np.where(data.pictures[rows] == "", rows.astype(str), data.pictures[rows])
    found = machine_errors(data.x[rows], labels, trusted, data.geos[rows].tolist(), len(data.classes), groups)
    machine = ~trusted
    countries = []
    for one in (*found.countries, found.whole):
        here = machine & ((data.geos[rows] == one.country) if one.country else True)
        countries.append(
            {
                "country": one.country,
                "n": one.n,
                "estimated": one.wrong,
                "low": one.low,
                "high": one.high,
                "planted": float((labels != truth)[here].mean()),
            }
        )
    differences = []
    for j in np.flatnonzero(np.isfinite(found.truth).all(axis=1)):
        mine = machine & (labels == j)
        real = np.bincount(truth[mine], minlength=len(data.classes)) / mine.sum()
        differences.append(np.abs(found.truth[j] - real).max())
    inside = [row["low"] <= row["planted"] <= row["high"] for row in countries if row["country"]]
    confused = [
        {"machine": data.classes[j], "class": data.classes[i], "estimated": n, "planted": int((machine & (labels == j) & (truth == i)).sum())}
        for j, i, n in found.confused()
    ]  # fmt: skip
    return {
        "countries": countries, "largest_difference": float(max((abs(r["estimated"] - r["planted"]) for r in countries if r["country"]), default=float("nan"))),
        "largest_entry_difference": float(max(differences, default=float("nan"))), "mean_entry_difference": float(np.mean(differences)) if differences else None,
        "covered": sum(inside), "intervals": len(inside), "confused": confused, "strength": found.strength,
    }  # fmt: skip


def measured(name: str, truth_file: str, parts: Path) -> dict[str, Any]:
    """All seeds of a dataset; each is kept in `parts`, so that an interrupted run goes on."""
    data = read(name, truth_file)

    def kept(called: str, make: Any) -> Any:
        path = parts / f"{name}-{called}.json"
        if not path.exists():
            started = time.monotonic()
            path.write_text(json.dumps(make()), encoding="utf-8")
            print(f"{name}, {called}: {time.monotonic() - started:.0f} s", flush=True)
        return json.loads(path.read_text(encoding="utf-8"))

    rows, shifts = [], []
    for seed in SEEDS:
        rows += kept(f"remedies-{seed}", lambda seed=seed: run_seed(data, seed, "remedies"))
        rows += kept(f"priors-{seed}", lambda seed=seed: run_seed(data, seed, "priors"))
        shifts += kept(f"shifts-{seed}", lambda seed=seed: simulated(data, seed))
    machine = data.train & ~data.trusted
    people = data.train & data.trusted
    wrong = data.labels != data.truth
    return {
        "name": name, "products": {"train": int(data.train.sum()), "test": int(data.test.sum())}, "classes": len(data.classes),
        "machine": int(machine.sum()), "machine_wrong": float(wrong[machine].mean()), "human_wrong": float(wrong[people].mean()),
        "rows": rows, "simulated": shifts, "confusion": kept("confusion", lambda: confusion(data)),
    }  # fmt: skip


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("datasets", nargs="+", metavar="NAME[=TRUTH.csv]")
    made.add_argument("--write", action="store_true")
    made.add_argument(
        "--parts", type=Path, required=True, help="folder of what is done already; an empty one measures anew"
    )
    arguments = made.parse_args()
    torch.set_num_threads(1)
    arguments.parts.mkdir(parents=True, exist_ok=True)
    found = []
    for given in arguments.datasets:
        name, _, truth = given.partition("=")
        found.append(measured(name, truth, arguments.parts))
    result = {"version": 1, "seeds": list(SEEDS), "datasets": found}
    if arguments.write:
        OUT.parent.mkdir(parents=True, exist_ok=True)
        OUT.write_text(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(tables(result))


def tables(result: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = []
    for dataset in result["datasets"]:
        found = figures.means(dataset)
        lines += [
            f"### {dataset['name']}: {dataset['products']['train']:,} training products, {dataset['products']['test']:,} test, {dataset['classes']} classes",
            "", "| remedy | top-1 | beside plain (over seeds) | balanced | head | middle | tail |", "|---|---|---|---|---|---|---|",
        ]  # fmt: skip
        for row in found.itertuples():
            change = (
                ""
                if row.part == "plain"
                else f"{100 * row.top1_change:+.1f} ({100 * row.top1_low:+.1f} to {100 * row.top1_high:+.1f})"
            )
            shares = " | ".join(
                "" if value != value else f"{100 * value:.1f}"
                for value in (row.balanced, row.head, row.middle, row.tail)
            )
            lines.append(f"| {row.part}: {row.remedy} | {100 * row.top1:.1f} | {change} | {shares} |")
        lines += ["", "| simulated shift | method | error of the priors | top-1 |", "|---|---|---|---|"]
        shifts = (
            pd.DataFrame(dataset["simulated"])
            .groupby(["shift", "method"], sort=False)[["error", "top1"]]
            .mean()
        )
        lines += [
            f"| {shift} | {method} | {row.error:.3f} | {100 * row.top1:.1f} |"
            for (shift, method), row in shifts.iterrows()
        ]
        said = dataset["confusion"]
        lines += ["", "| machine labels | n | estimated wrong (95%) | planted |", "|---|---|---|---|"]
        lines += [
            f"| {row['country'] or 'all'} | {row['n']} | {100 * row['estimated']:.1f} ({100 * row['low']:.1f} to {100 * row['high']:.1f}) | {100 * row['planted']:.1f} |"
            for row in said["countries"]
        ]
        lines += [
            "",
            f"{said['covered']} of {said['intervals']} intervals hold the planted share; largest difference {100 * said['largest_difference']:.1f} points; of entries of the confusion matrix {100 * said['largest_entry_difference']:.1f} at most, {100 * (said['mean_entry_difference'] or 0):.1f} in the mean over classes' largest.",
            "",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
