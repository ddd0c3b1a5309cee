"""Fine-tune a CLIP by the variants of the incorrect-pairs paper, or train one from scratch.

    python -m trainers.contrastive --dataset demo --variant ours
    python -m trainers.contrastive --dataset demo --variant 2b --start scratch --train-image

A run is an encoder: once it is done, its name can be given to `vitrine embed`, `map`, `search` and `evaluate --protocol
pairs`. It can be stopped (Ctrl-C) and continued (--resume).
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from core.catalog.info import info
from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.embeddings.clip import WEIGHTS, Preprocessing, encoder, readable
from core.embeddings.loading import load_encoder
from core.embeddings.seen import Seen, SeenDataset, write_seen
from core.errors import ModelError, TrainingError, UsageError
from core.evaluation.retrieval import keep, measure
from core.models.data import product_text
from core.pairs.table import PairSettings
from core.storage import storage_errors
from core.training.checkpoints import read_tensors, write_tensors
from core.training.contrastive import VARIANTS, Variant, in_batch_loss, pairs_loss, siglip_loss, variant
from core.training.loop import Outcome, TrainConfig, checkpoints, fit, load_state
from core.training.process import hold, recorded
from core.training.runs import RUN_MODEL, RunConfig, new_run, run_folders, runs_folder
from trainers.console import Watcher
from trainers.contrastive_data import (
    Batches,
    Chosen,
    Partners,
    Reading,
    before_head,
    hold_out,
    pair_settings,
    partners_of,
    read_split,
    validated,
)
from trainers.runner import native_precision, state_of, tell
from trainers.towers import SCRATCH, Batch, Towers, lay_out, open_start

ARCHITECTURE = "contrastive"
NAME = "contrastive"


@dataclass(frozen=True)
class ContrastiveModel:
    """What a run decides besides the optimiser; config.json holds it as `model`."""

    variant: str = "ours"
    start: str = "clip-tiny"  # an encoder, a folder, or `scratch`
    train_image: bool = False  # else the picture tower is frozen, and its vectors are computed once
    train_text: str = "all"  # or `head`: the last projection alone, with what comes before it computed once
    alpha: float = 1.0  # of L_p
    beta: float = 1.0  # of L_n
    chunk: int = 0  # pairs encoded at a time; 0: the whole batch
    image_vectors: str = "clip-tiny"  # sets of vectors that incorrect pairs are generated from
    text_vectors: str = "clip-tiny.text"
    clusters: int = 10
    text: str = "clip"  # what it reads, for whoever lists it
    image: str = "clip"


@dataclass(frozen=True)
class ContrastiveRecipe:
    """One preset."""

    model: ContrastiveModel
    training: TrainConfig
    epochs: float
    validations: int = 6
    size: str = "Small"  # for a screen
    needs: str = ""  # a sentence on the hardware
    architecture: str = ARCHITECTURE
    pretrained: tuple[str, ...] = ()


PRESETS: Mapping[str, ContrastiveRecipe] = {
    # A rate and a number of epochs chosen before any variant was compared, the same for all.
    "pairs-tiny": ContrastiveRecipe(
        ContrastiveModel(),
        TrainConfig(
            batch_size=128, learning_rate=1e-4, weight_decay=0.05, warmup=0.1, clip_norm=1.0, patience=3
        ),
        epochs=10,
        size="Small, from the bundled CLIP",
        needs="Small: a CPU is enough. The picture tower is frozen and runs once.",
    ),
    # The paper names CLIP and no settings; these are usual ones for fine-tuning both towers.
    "pairs-vit-b-32": ContrastiveRecipe(
        ContrastiveModel(start="ViT-B-32", train_image=True, chunk=64),
        TrainConfig(
            batch_size=256, learning_rate=1e-5, weight_decay=0.1, warmup=0.1, clip_norm=1.0, patience=3
        ),
        epochs=5,
        size="ViT-B/32, both towers",
        needs="Made for a GPU; the weights are OpenAI's, once fetched: vitrine weights fetch ViT-B-32.",
    ),
}


def loss_of(one: Variant, alpha: float, beta: float, model: Any, batch: Batch) -> torch.Tensor:
    """A variant's loss of a batch, through the model that Accelerate prepared."""
    bare: Towers = getattr(model, "module", model)
    given = batch.to(bare.mean.device)
    pictures, texts = model(given.pictures, given.texts)
    n = len(pictures)
    if one.loss == "in-batch":
        return in_batch_loss(pictures @ texts.T, bare.scale)
    if one.loss == "siglip":
        assert bare.bias is not None
        return siglip_loss(pictures @ texts.T, bare.scale, bare.bias)
    correct = (pictures * texts[:n]).sum(dim=-1)
    incorrect = (pictures * texts[n:]).sum(dim=-1) if one.negatives != "none" else None
    weights = (given.positive, given.negative) if one.weighted else None
    return pairs_loss(one, correct, incorrect, weights, given.present, alpha, beta)


def prepare(recipe: ContrastiveRecipe, arguments: argparse.Namespace, run_dir: Path) -> RunConfig:
    """Decide all that config.json says of a new run; write it, and the start's configuration and tokenizer.

    Raises:
        UsageError: what is asked for does not go together.
    """
    dataset = info(arguments.dataset)
    given = {
        name: value
        for name in ContrastiveModel.__dataclass_fields__
        if (value := getattr(arguments, name, None)) is not None
    }
    model = replace(recipe.model, **given)
    one = variant(model.variant)
    training = recipe.training
    for name in ("batch_size", "learning_rate", "seed", "precision", "accumulate", "patience"):
        if getattr(arguments, name) is not None:
            training = replace(training, **{name: getattr(arguments, name)})
    if arguments.precision is None and torch.cuda.is_available() and not arguments.cpu:
        training = replace(training, precision=native_precision(arguments.cpu))
    check(one, model, training, state_of(arguments).num_processes)
    hold(run_dir)
    products = Products(dataset)
    frame = product_frame(products, ("train",))
    texts = [product_text(*pair) for pair in zip(frame.name, frame.description, strict=True)]
    start = model.start
    if start != SCRATCH and encoder(start).weights == "folder":
        start = str(Path(start).expanduser().resolve())
    with storage_errors(run_dir):
        first = lay_out(start, run_dir / RUN_MODEL, texts)
    per_epoch = max(1, len(frame) // min(training.batch_size, max(1, len(frame))))
    steps = arguments.steps or max(1, round((arguments.epochs or recipe.epochs) * per_epoch))
    training = replace(
        training,
        steps=steps,
        save_every=max(1, min(500, steps // 6)),
        validate_every=max(1, steps // max(1, arguments.validations or recipe.validations)),
    )
    licences = [dataset.licence, *([] if start == SCRATCH else [encoder(start).licence])]
    config = RunConfig(
        architecture=ARCHITECTURE,
        model=asdict(replace(model, start=start)),
        training=asdict(training),
        classes=[],
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        licence=" and ".join(dict.fromkeys(licences)),
        preset=arguments.preset,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        pretrained={"start": str(first)} if first else {},
    )
    config.write(run_dir)
    return config


def check(one: Variant, model: ContrastiveModel, training: TrainConfig, processes: int) -> None:
    """
    Raises:
        UsageError: what is asked for does not go together.
    """
    if one.loss == "none":
        raise UsageError(
            f"Variant 1 is not trained: measure {model.start} as it is (vitrine evaluate {model.start} --protocol pairs)."
        )
    if one.in_batch and training.batch_size < 2:
        raise UsageError(f"Variant {one.name} compares the pairs of a batch: it needs two or more.")
    if one.in_batch and (training.accumulate > 1 or processes > 1):
        raise UsageError(
            f"Variant {one.name} compares all pairs of a batch: its parts and processes would not see each other. For a "
            "large batch in little memory: --chunk N."
        )
    if model.start == SCRATCH and not model.train_image:
        raise UsageError("A picture tower of random weights cannot be frozen: add --train-image.")
    if model.start == SCRATCH and model.train_text == "head":
        raise UsageError("A text tower of random weights cannot be frozen: leave out --train-text head.")
    if min(model.alpha, model.beta) < 0 or not model.alpha + model.beta > 0:
        raise UsageError(f"alpha is {model.alpha} and beta {model.beta}: expected 0 or more, and not both 0.")
    if model.chunk < 0 or training.batch_size < 1 or training.accumulate < 1:
        raise UsageError("A batch, its parts and --chunk are numbers above 0.")


def train(config: RunConfig, run_dir: Path, arguments: argparse.Namespace) -> tuple[Outcome, RunConfig]:
    """Train, or go on training, the run in `run_dir`, and write its encoder when it is done."""
    training, model = TrainConfig(**config.training), ContrastiveModel(**config.model)
    one = variant(model.variant)
    products = Products.open(config.dataset)
    if products.info.fingerprint != config.fingerprint:
        raise TrainingError(f"{config.dataset} has changed since the run began. Start a new run.")
    torch.manual_seed(training.seed)
    first = config.pretrained.get("start")
    clip, tokenizer, takes = open_start(
        run_dir / RUN_MODEL, Path(first) if first and not checkpoints(run_dir) else None
    )
    towers = Towers(
        clip, takes["mean"], takes["std"], not model.train_image, model.chunk, one.loss == "siglip", model.start == SCRATCH,
        model.train_text == "head",
    )  # fmt: skip
    watcher = Watcher(config.dataset, run_dir)
    with state_of(arguments).main_process_first():  # the others find what is computed once
        there, validation, reading = read(
            products, model, tokenizer, takes, training.seed, arguments, watcher
        )
        if model.train_text == "head":
            for kept in reversed(checkpoints(run_dir)):  # what comes before the head is in any of them
                with suppress(ModelError):
                    load_state(towers, kept)
                    break
            key = (first or "", products.info.fingerprint)
            texts = [*there.texts, *validation.texts]
            reading = replace(reading, tokens=before_head(clip, reading.tokens, texts, key, watcher.reading))
        partners: Partners | None = None
        counts: dict[str, int] = {}
        if one.negatives != "none":
            settings = settings_of(one, products, model, training.seed)
            partners, counts = partners_of(products, settings, there, watcher.reading)
    config = replace(
        config,
        products={"training": len(there), "validation": len(validation), **counts, **there.left_out},
    )
    if state_of(arguments).is_main_process:
        config.write(run_dir)
    before = [
        (number, signal.signal(number, watcher.ask_to_stop)) for number in (signal.SIGTERM, signal.SIGINT)
    ]
    try:
        outcome = fit(
            towers,
            partial(loss_of, one, model.alpha, model.beta),
            Batches(there, partners, reading, training),
            training,
            run_dir,
            on_step=watcher.stepped,
            validate=lambda bare: validated(bare, validation, reading),
            stop=lambda: watcher.stopping,
            cpu=arguments.cpu,
        )
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    if outcome.reason != "stopped" and state_of(arguments).is_main_process:
        export(config, towers, run_dir, outcome)
    return outcome, config


def settings_of(one: Variant, products: Products, model: ContrastiveModel, seed: int) -> PairSettings:
    return pair_settings(one, products, seed, model.image_vectors, model.text_vectors, model.clusters)


def read(
    products: Products, model: ContrastiveModel, tokenizer: Any, takes: dict[str, Any], seed: int,
    arguments: argparse.Namespace, watcher: Watcher,
) -> tuple[Chosen, Chosen, Reading]:  # fmt: skip
    """The products that are trained on, those that validate, and how both are read."""
    frozen = (
        None if model.train_image else load_encoder(encoder(model.start), "cpu" if arguments.cpu else None)
    )
    size = takes["size"] if not isinstance(takes["size"], int) else (takes["size"],) * 2
    preprocessing = Preprocessing(
        int(size[0]), int(size[1]), takes["resize_mode"], takes["interpolation"], int(takes["fill_color"])
    )
    given = (frozen, preprocessing, arguments.workers, watcher.reading)
    there, array = read_split(products, "train", *given)
    if "validation" in products.info.splits:
        validation, _ = read_split(products, "validation", *given)
    else:
        there, validation = hold_out(there, seed)
    if min(len(there), len(validation)) < 2:
        raise TrainingError(
            f"{products.info.name} has {len(there)} training and {len(validation)} validation products with a picture "
            "and a text: that is too few."
        )
    for reason, count in there.left_out.items():
        print(f"{count:,} products are left out: {reason}.", file=sys.stderr)
    return there, validation, Reading(array, lambda texts: tokenizer([readable(text) for text in texts]))


def export(config: RunConfig, towers: Towers, run_dir: Path, outcome: Outcome) -> None:
    """Write the encoder: the best weights where a validation chose them, else the last."""
    best = run_dir / "best.safetensors"
    if TrainConfig(**config.training).patience and best.exists():
        towers.load_state_dict(read_tensors(best)[0])
    folder = run_dir / RUN_MODEL
    products = Products.open(config.dataset)
    started = (
        Seen(()) if config.model["start"] == SCRATCH else encoder(config.model["start"]).seen() or Seen(())
    )
    names = {str(path[-1]) for path, _ in products.categories()}
    mine = SeenDataset(config.dataset, config.fingerprint, config.products["training"], ("train",))
    datasets = tuple(one for one in started.datasets if one.fingerprint != config.fingerprint)
    write_seen(folder, Seen((*datasets, mine), tuple(sorted(names.union(started.classes)))))
    tensors = {name: tensor.contiguous() for name, tensor in towers.clip.state_dict().items()}
    write_tensors(folder / WEIGHTS, tensors, {"step": outcome.step, "variant": config.model["variant"]})


def judge(config: RunConfig, run_dir: Path, outcome: Outcome, arguments: argparse.Namespace) -> RunConfig:
    """Add to config.json how well the finished run finds the test products."""
    here = run_dir.name if run_dir.resolve().parent == runs_folder().resolve() else str(run_dir / RUN_MODEL)
    result: dict[str, Any] = {
        "step": outcome.step,
        "ended": outcome.reason,
        "seconds": outcome.seconds,
        "test": {},
    }
    if outcome.best:
        result["validation"] = outcome.best
    try:
        report = measure(here, config.dataset, workers=arguments.workers).report
        result["retrieval"] = report
        if not arguments.json:
            hundred = report["hundred"]
            print(
                f"test: Rank@1 {hundred['rank1']:.3f}, mAP {hundred['map']:.3f} among {report['items']} products, "
                f"{report['trials']} trials of {report['n']:,} products"
            )
        keep(info(config.dataset), report)
    except UsageError as error:  # no test split, or too small a one
        print(f"It is not measured on test products: {error}", file=sys.stderr)
    config = replace(config, result=result)
    config.write(run_dir)
    return config


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=f"python -m trainers.{NAME}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--dataset", help="a dataset of VITRINE_HOME")
    made.add_argument("--preset", default="pairs-tiny", choices=list(PRESETS))
    trained = [one.name for one in VARIANTS if one.loss != "none"]
    made.add_argument("--variant", choices=trained, help="the paper's number, or another loss; default: ours")
    made.add_argument("--start", help="an encoder's name, a run, a folder in open_clip's layout, or scratch")
    made.add_argument(
        "--train-image", action=argparse.BooleanOptionalAction, default=None,
        help="train the picture tower too; else it is frozen and runs once",
    )  # fmt: skip
    made.add_argument(
        "--train-text", choices=("all", "head"), help="head: the last projection alone, in seconds on a CPU"
    )
    made.add_argument("--alpha", type=float, help="of the loss of correct pairs")
    made.add_argument("--beta", type=float, help="of the loss of incorrect pairs")
    made.add_argument("--clusters", type=int, help="of pictures and of texts, k")
    made.add_argument("--image-vectors", help="set of vectors that incorrect pairs are generated from")
    made.add_argument("--text-vectors", help="the same, of texts")
    made.add_argument("--out", type=Path, help="the run's folder; default: one in VITRINE_HOME/runs")
    made.add_argument(
        "--resume", action="store_true", help="continue the run in --out, or the newest unfinished run"
    )
    made.add_argument("--epochs", type=float)
    made.add_argument("--steps", type=int, help="training steps, instead of epochs")
    made.add_argument("--batch-size", type=int, help="batch size over all processes")
    made.add_argument("--learning-rate", type=float)
    made.add_argument("--precision", choices=("no", "bf16", "fp16"), help="bf16 where a GPU supports it")
    made.add_argument("--accumulate", type=int, help="gradient accumulation: parts of a batch")
    made.add_argument(
        "--chunk", type=int, help="gradient caching: pairs encoded at a time, for large batches"
    )
    made.add_argument(
        "--patience", type=int, help="validations without a better one before it stops; 0: never"
    )
    made.add_argument("--validations", type=int, help="over the whole training")
    made.add_argument("--seed", type=int)
    made.add_argument("--workers", type=int, help="processes that decode pictures; default: one per core")
    made.add_argument(
        "--threads", type=int, help="threads of one operation; 1 is fastest where the CPU is shared"
    )
    made.add_argument("--cpu", action="store_true", help="do not use a GPU")
    made.add_argument("--json", action="store_true", help="print the result as JSON")
    return made


@recorded
def run(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Do what the arguments say; the run's folder and figures."""
    arguments = parser().parse_args(argv)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    main_process = state_of(arguments).is_main_process
    if arguments.resume:
        run_dir = arguments.out or unfinished(arguments.dataset)
        config = RunConfig.read(run_dir)
        if main_process:
            hold(run_dir)
    else:
        if not arguments.dataset:
            raise TrainingError("No training dataset: give --dataset NAME. `vitrine datasets` lists them.")
        config, run_dir = begin(arguments)
    if main_process and not arguments.json:
        print(f"Run: {run_dir}", flush=True)
    outcome, config = train(config, run_dir, arguments)
    if not main_process:
        return {}
    if outcome.reason == "stopped":
        print(
            f"Stopped at step {outcome.step:,}. Go on with: python -m trainers.{NAME} --resume --out {run_dir}",
            file=sys.stderr,
        )
        return {"run": str(run_dir), "step": outcome.step, "ended": "stopped"}
    config = judge(config, run_dir, outcome, arguments)
    return {"run": str(run_dir), **config.result}


def unfinished(dataset: str | None) -> Path:
    """The newest run that has no encoder yet.

    Raises:
        TrainingError: there is none.
    """
    for folder in run_folders():
        with suppress(ModelError):
            config = RunConfig.read(folder)
            mine = config.architecture == ARCHITECTURE and dataset in (None, config.dataset)
            if mine and not (folder / RUN_MODEL / WEIGHTS).exists():
                return folder
    raise TrainingError("There is no unfinished run to resume. Leave out --resume for a new one.")


def begin(arguments: argparse.Namespace) -> tuple[RunConfig, Path]:
    """A new run, which the first process writes and the others read."""
    state = state_of(arguments)
    if state.num_processes > 1 and arguments.out is None:
        raise TrainingError("Several processes need a common folder: give --out DIR.")
    recipe = PRESETS[arguments.preset]
    if state.is_main_process:
        name = f"{arguments.variant or recipe.model.variant}-{arguments.dataset}"[:50]
        run_dir = new_run(name, arguments.out)
        config = prepare(recipe, arguments, run_dir)
        state.wait_for_everyone()
        return config, run_dir
    state.wait_for_everyone()
    return RunConfig.read(arguments.out), Path(arguments.out)


if __name__ == "__main__":
    tell(run)
