"""The runner of all trainers: prepare a run, train, evaluate, report. Recipes are in the other modules."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from numpy.typing import NDArray

from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.embeddings.tokenizers import open_tokenizer
from core.errors import TrainingError, VitrineError
from core.evaluation.evaluate import evaluate
from core.labels.noise import MACHINE_WEIGHT, Treatment
from core.models.classifier import frozen_text
from core.models.data import InputConfig, product_text
from core.models.inputs import Inputs
from core.models.priors import counted, write_counts
from core.models.registry import ARCHITECTURES
from core.models.temperature import fit_temperatures
from core.settings import go_offline
from core.training.balance import log_shares
from core.training.checkpoints import read_tensors, weights_digest, write_tensors
from core.training.loop import Outcome, Precision, TrainConfig, checkpoints, fit, load_state
from core.training.process import hold, recorded
from core.training.runs import TOKENIZER, WEIGHTS, RunConfig, new_run, run_folders
from trainers import label_options
from trainers.console import Watcher, parser
from trainers.initialisation import (
    IMAGENET,
    VECTORS,
    check_weights,
    load_pretrained,
    only,
    train_tokenizer_of,
)
from trainers.labels import LAST_STAGE, second_stage, treatment, trusted_in
from trainers.products import Batches, Stages, classes_of, held_out_of, open_sources, read, unchanged_sources
from trainers.recipe import Recipe

VALIDATED = 2_000  # largest number of validation products
FEWEST_TO_CALIBRATE = 100  # least number of products to fit temperatures


def loss_of(model: Any, batch: tuple[Inputs, torch.Tensor]) -> torch.Tensor:
    inputs, labels = batch
    device = next(model.parameters()).device
    return model(inputs.to(device), labels=labels.to(device))


def prepare(recipe: Recipe, arguments: argparse.Namespace, run_dir: Path) -> RunConfig:
    """Write the configuration of a new run, and train its tokenizer."""
    label_options.chosen(arguments)  # refuses before anything is read
    sources = open_sources(arguments.dataset, arguments.human_only)
    classes = classes_of(sources)
    if arguments.only:
        recipe = only(recipe, arguments)
    check_weights(recipe.model, recipe.pretrained, arguments)
    hold(run_dir)
    given = {
        modality: path if str(path) == IMAGENET else path.resolve()
        for modality in ("text", "image")
        if (path := getattr(arguments, f"{modality}_weights")) is not None
    }
    training = recipe.training
    for name in ("batch_size", "learning_rate", "seed", "precision", "accumulate"):
        if getattr(arguments, name) is not None:
            training = replace(training, **{name: getattr(arguments, name)})
    if arguments.precision is None:
        training = replace(training, precision=native_precision(arguments.cpu))
    held = held_out_of(sources, recipe.validation_share, training.seed)
    model = recipe.model
    if model.text is not None:
        frames = [source.frame[~out] for source, out in zip(sources, held, strict=True)]
        texts = [
            product_text(*pair)
            for frame in frames
            for pair in zip(frame.name, frame.description, strict=True)
        ]
        model = replace(
            model, text=train_tokenizer_of(model.text, texts, training.seed, run_dir, given.get("text"))
        )
    n = sum(int((~out).sum()) for out in held)
    per_epoch = max(1, n // min(training.batch_size, n))
    steps = arguments.steps or round((arguments.epochs or recipe.epochs) * per_epoch)
    training = replace(
        training,
        steps=steps,
        save_every=max(1, min(500, steps // 10)),
        halve_every=round(recipe.halve_epochs * per_epoch),
        validate_every=max(1, steps // recipe.validations) if recipe.validations else 0,
    )
    infos = [source.products.info for source in sources]
    config = RunConfig(
        architecture=recipe.architecture,
        model=asdict(model),
        training=asdict(training),
        classes=classes,
        dataset=infos[0].name,
        fingerprint=infos[0].fingerprint,
        licence=" and ".join(dict.fromkeys(info.licence for info in infos)),
        preset=arguments.preset,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        human_only=arguments.human_only,
        pretrained={modality: str(path) for modality, path in given.items()},
        products={"training": n, "validation": sum(int(out.sum()) for out in held)},
        balance=arguments.balance,
        **label_options.chosen(arguments),
        datasets={info.name: info.fingerprint for info in infos} if len(infos) > 1 else {},
    )
    config.write(run_dir)
    return config


def native_precision(cpu: bool) -> Precision:
    """`bf16` if the hardware supports it, else `no`."""
    if torch.cuda.is_available() and not cpu:
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no"
    return "bf16" if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported() else "no"


def train(config: RunConfig, recipe: Recipe, run_dir: Path, arguments: argparse.Namespace) -> Outcome:
    """Train or resume the run in `run_dir`, and write its weights when it is finished."""
    training = TrainConfig(**config.training)
    sources = unchanged_sources(config)
    torch.manual_seed(training.seed)
    network = importlib.import_module(ARCHITECTURES[config.architecture]).build(
        config.model, len(config.classes)
    )
    if kept := checkpoints(run_dir):  # also read by `fit`, but a frozen encoder is used before
        load_state(network, kept[-1])
    else:
        load_pretrained(network, config)
    if (run_dir / VECTORS).exists():
        network.text.vectors.weight.data.copy_(read_tensors(run_dir / VECTORS)[0]["vectors"])
    tokenizer = open_tokenizer(run_dir / TOKENIZER) if network.config.text is not None else None
    input_config = InputConfig(tuple(config.classes), network.config.text, network.config.image, tokenizer)
    with state_of(arguments).main_process_first():  # the others reuse its decoded pictures
        frozen = None if arguments.no_text_features else frozen_text(network)
        seen = network.image if network.config.image is not None and network.config.image.frozen else None
        data = read(sources, input_config, arguments.workers, run_dir, frozen, seen)
    holds_out = data.held_out(recipe.validation_share, training.seed)
    usable = data.usable()
    positions, validating = usable[~holds_out[usable]], usable[holds_out[usable]][:VALIDATED]
    if not len(positions):
        raise TrainingError(
            f"No training product of {' and '.join(config.trained_on())} has a label and an input."
        )
    made = treatment(config, sources, data, positions)
    if state_of(arguments).is_main_process:
        _count(config, run_dir, data, positions, made)
    batches = _batches(config, recipe, training, network, data, positions, made)
    if left := len(data) - len(usable):
        print(f"{left:,} products are skipped: they have no readable input.", file=sys.stderr)

    def validate(model: Any) -> dict[str, float]:
        hits = []
        for at in range(0, len(validating), 256):
            rows = validating[at : at + 256]
            inputs = data.inputs(rows).to(next(model.parameters()).device)
            logs = model(inputs, inference="expected").float().cpu().numpy()
            hits.append(logs.argmax(axis=1) == data.labels[rows])
        accuracy = float(np.concatenate(hits).mean())
        return {"score": accuracy, "top1": accuracy, "n": float(len(validating))}

    watcher = Watcher(config.dataset, run_dir)
    before = [
        (number, signal.signal(number, watcher.ask_to_stop)) for number in (signal.SIGTERM, signal.SIGINT)
    ]
    try:
        outcome = fit(
            network,
            loss_of,
            batches,
            training,
            run_dir,
            on_step=watcher.stepped,
            validate=validate if len(validating) else None,
            stop=lambda: watcher.stopping,
            cpu=arguments.cpu,
        )
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    if outcome.reason == "stopped":
        return outcome
    if not state_of(arguments).is_main_process:
        return outcome
    tensors = dict(network.state_dict())
    if (run_dir / "best.safetensors").exists():
        tensors, _ = read_tensors(run_dir / "best.safetensors")
    network.load_state_dict(tensors)
    notes: dict[str, Any] = {"classes": list(config.classes)}
    if chosen := second_stage(network, config, data, positions, validating):
        notes["remedies"] = chosen
    tensors = dict(network.state_dict())
    if len(validating) >= FEWEST_TO_CALIBRATE:
        notes["temperatures"] = fit_temperatures(network, data, validating)
    write_tensors(run_dir / WEIGHTS, tensors, notes)
    return outcome


def _count(
    config: RunConfig, run_dir: Path, data: Any, positions: NDArray[np.int64], made: Treatment | None
) -> None:
    """Write what the network learns its priors from: the products as the remedies weigh and label them."""
    labels, weights = data.labels[positions], None
    if made is not None:
        labels, weights = made.labels, made.weights
    if config.noise == "finetune":
        weights = trusted_in(data)[positions].astype(np.float64)
    geos = data.frame.geo.iloc[positions].tolist()
    write_counts(run_dir, counted(geos, labels, len(config.classes), weights))


def _batches(
    config: RunConfig,
    recipe: Recipe,
    training: TrainConfig,
    network: Any,
    data: Any,
    positions: NDArray[np.int64],
    made: Treatment | None,
) -> Batches | Stages:
    """The batches of a run, and the network's loss, as the remedies of the run want them."""
    tail, trusted = config.tail_of(), trusted_in(data)
    told = None
    if made is not None:
        data.labels[positions] = made.labels
        if config.noise == "weights":
            network.machine_weight, told = config.setting("machine_weight", MACHINE_WEIGHT), trusted
        if made.transition is not None:
            network.transition, told = torch.from_numpy(made.transition).float(), trusted
        positions = positions[made.weights > 0]
        if not len(positions):
            raise TrainingError(f"--noise {config.noise} leaves no product to train on.")
    if tail in ("logit-adjustment", "balanced-softmax"):
        tau = config.setting("tau", 1.0) if tail == "logit-adjustment" else 1.0
        shares = log_shares(data.labels[positions], len(config.classes), tau)
        network.log_shares.copy_(torch.from_numpy(shares))
    batches = Batches(data, positions, training, recipe.augment, tail, told)
    if config.noise != "finetune":
        return batches
    last = Batches(data, positions[trusted[positions]], training, recipe.augment, tail)
    return Stages(batches, last, round(training.steps * (1 - LAST_STAGE)))


def add_test_metrics(config: RunConfig, run_dir: Path, outcome: Outcome) -> RunConfig:
    """Evaluate a finished run on the test split and add the metrics to config.json."""
    tests = {name: _test_metrics(config, run_dir, name) for name in config.trained_on()}
    result = {
        "weights": weights_digest(run_dir / WEIGHTS),
        "step": outcome.step,
        "ended": outcome.reason,
        "seconds": outcome.seconds,
        "test": _pooled(list(tests.values())),
    }
    if len(tests) > 1:
        result["tests"] = tests
    config = replace(config, result=result)
    config.write(run_dir)
    return config


def _test_metrics(config: RunConfig, run_dir: Path, dataset: str) -> dict[str, dict[str, float]]:
    """Metrics on the test split of a dataset by input (`sees`); empty without a test split."""
    figures: dict[str, dict[str, float]] = {}
    if len(product_frame(Products.open(dataset), ("test",))):
        for sees in (name for name in ("both", "picture", "text") if _reads(config, name)):
            report = evaluate(run_dir, "test", dataset, sees=sees)
            figures[sees] = {key: round(float(report[key]), 4) for key in ("top1", "top5", "n")}
    return figures


def _pooled(tests: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Metrics over the test products of all datasets together."""
    found: dict[str, dict[str, float]] = {}
    for sees in dict.fromkeys(name for test in tests for name in test):
        parts = [test[sees] for test in tests if sees in test]
        n = sum(part["n"] for part in parts)
        shares = {key: round(sum(part[key] * part["n"] for part in parts) / n, 4) for key in ("top1", "top5")}
        found[sees] = {**shares, "n": n}
    return found


def _reads(config: RunConfig, sees: str) -> bool:
    needs = {"both": ("text", "image"), "picture": ("image",), "text": ("text",)}[sees]
    has = [bool(config.model.get(name)) for name in needs]
    return all(has) if sees != "both" else any(has)


def to_resume(arguments: argparse.Namespace, architecture: str) -> Path:
    """The folder of the run to resume.

    Raises:
        TrainingError: there is none.
    """
    if arguments.out is not None:
        return Path(arguments.out)
    for folder in run_folders():
        if (folder / WEIGHTS).exists():
            continue
        config = RunConfig.read(folder)
        if config.architecture == architecture and arguments.dataset in (None, list(config.trained_on())):
            return folder
    raise TrainingError("There is no unfinished run to resume. Leave out --resume for a new one.")


def state_of(arguments: argparse.Namespace) -> PartialState:
    """The state of this process under torch's or (on accelerators) accelerate's launcher."""
    return PartialState(cpu=arguments.cpu)


def begin(name: str, recipe: Recipe, arguments: argparse.Namespace) -> tuple[RunConfig, Path]:
    """Create a new run: the main process writes it, the others read it.

    Raises:
        TrainingError: several processes without --out.
    """
    state = state_of(arguments)
    if state.num_processes > 1 and arguments.out is None:
        raise TrainingError("Several processes need a common folder: give --out DIR.")
    if state.is_main_process:
        run_dir = new_run("-".join((name, arguments.preset, *arguments.dataset))[:80], arguments.out)
        config = prepare(recipe, arguments, run_dir)
        state.wait_for_everyone()
        return config, run_dir
    state.wait_for_everyone()
    return RunConfig.read(arguments.out), Path(arguments.out)


@recorded
def run(
    name: str,
    presets: Mapping[str, Recipe],
    argv: Sequence[str] | None = None,
    trained: Callable[[RunConfig, Recipe, Path, argparse.Namespace], Outcome] | None = None,
) -> dict[str, Any]:
    """Run a trainer; returns the run's folder and metrics."""
    arguments = parser(name, presets).parse_args(argv)
    recipe = presets[arguments.preset]
    main_process = state_of(arguments).is_main_process
    if arguments.resume:
        run_dir = to_resume(arguments, recipe.architecture)
        config = RunConfig.read(run_dir)
        if main_process:
            hold(run_dir)
        recipe = presets.get(config.preset, recipe)
        if not checkpoints(run_dir):
            print("The run has no checkpoint yet: it starts from the beginning.", file=sys.stderr)
    else:
        if not arguments.dataset:
            raise TrainingError("No training dataset: give --dataset NAME. `vitrine datasets` lists them.")
        config, run_dir = begin(name, recipe, arguments)
    if not main_process:
        (trained or train)(config, recipe, run_dir, arguments)
        return {}
    if not arguments.json:
        print(f"Run: {run_dir}", flush=True)
    outcome = (trained or train)(config, recipe, run_dir, arguments)
    if outcome.reason == "stopped":
        command = f"python -m trainers.{name} --resume --out {run_dir}"
        print(f"Stopped at step {outcome.step:,}. Resume it with: {command}", file=sys.stderr)
        return {"run": str(run_dir), "step": outcome.step, "ended": "stopped"}
    config = add_test_metrics(config, run_dir, outcome)
    return {"run": str(run_dir), **config.result}


def main(
    name: str,
    presets: Mapping[str, Recipe],
    trained: Callable[[RunConfig, Recipe, Path, argparse.Namespace], Outcome] | None = None,
) -> None:
    """The command line of a trainer."""
    tell(lambda: run(name, presets, trained=trained))


def tell(work: Callable[[], dict[str, Any]]) -> None:
    """Run a trainer and print its result; a VitrineError is printed as one line."""
    go_offline()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        result = work()
    except VitrineError as error:
        print(str(error), file=sys.stderr)
        raise SystemExit(1) from None
    if "--json" in sys.argv:
        print(json.dumps(result))
        return
    for sees, figures in result.get("test", {}).items():
        print(
            f"test, {sees:8} top-1 {figures['top1']:.3f}  top-5 {figures['top5']:.3f}  (n {figures['n']:.0f})"
        )
    if "weights" in result:
        print(f"Weights: {Path(result['run']) / WEIGHTS}, {result['seconds']:.0f} s of training")
