"""The form of a new run, with its command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.catalog.info import DatasetInfo
from core.errors import VitrineError
from core.training import jobs
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import duration
from pages.components.train import contrastive_form, probe_form, remedies_form, run_list
from pages.resources import datasets, products
from pages.resources.training import trainings

if TYPE_CHECKING:
    from trainers.presets import Choice

LABELS = ("All labels", "Human labels")
ALIKE = 30  # runs that are searched for one of the same preset
INPUTS = {"text": "text", "image": "picture"}


@st.dialog("New run", width="large")
def show() -> None:
    """Open the form as a dialog."""
    form()


def form() -> None:
    """All settings of a run, and the button that starts it."""
    choices = trainings()
    info = _dataset()
    left, right = st.columns(2)
    titles = dict.fromkeys(choice.title for choice in choices)
    title = left.selectbox("Model", [*titles, probe_form.TITLE], key="new-model")
    if title == probe_form.TITLE:
        options = probe_form.options(info, right)
        if options is not None:
            _begin("probe", f"probe-{info.name}", options, "Fitted in one pass, in about a minute on a CPU.")
        return
    sizes = [choice for choice in choices if choice.title == title]
    size = right.selectbox("Settings", [choice.size for choice in sizes], key="new-size")
    choice = next((choice for choice in sizes if choice.size == size), sizes[0])
    # One container, so that elements below keep their place while the page reruns.
    with st.container():
        inputs = _inputs(choice)
        reads = " and ".join(INPUTS[name] for name in inputs)
        st.caption(f"Inputs: {reads}. {_needs(choice)}")
        options = ["--dataset", info.name, "--preset", choice.preset]
        if inputs != choice.inputs:
            options += ["--only", *inputs]
        weights = _weights(choice, inputs)
        options += weights or []
        if choice.trainer == contrastive_form.TRAINER:
            options += contrastive_form.options(choice)
        more, epochs = _settings(info, choice)
        options += more
    of = f"{choice.trainer}-{choice.preset}"
    if choice.trainer == contrastive_form.TRAINER:
        of = f"pairs-{contrastive_form.variant(choice)}"
    _begin(
        choice.trainer,
        f"{of}-{info.name}",
        options,
        _time(info, choice, epochs),
        weights is not None,
    )


def _begin(trainer: str, stem: str, options: list[str], takes: str, ready: bool = True) -> None:
    """Ask for a name, show the command, and start it.

    Args:
        stem: what the run is called unless somebody says otherwise.
        takes: how long, in words.
        ready: may it be started?
    """
    name = st.text_input("Name", jobs.free_name(stem), key=f"new-name-{stem}")
    try:
        command = jobs.command(trainer, name.strip(), options)
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    if (jobs.runs_folder() / name.strip()).exists():
        st.error("A run of this name exists. Choose another name, or resume that run.")
        return
    st.code(jobs.shown(command), language="bash", wrap_lines=True)
    st.caption(takes)
    if st.button("Start", type="primary", disabled=not ready):
        try:
            jobs.start(name.strip(), command)
        except VitrineError as error:
            st.error(plain(str(error)))
            return
        run_list.open_runs([name.strip()])
        st.rerun()


def _dataset() -> DatasetInfo:
    there = datasets.available()
    names = [info.name for info in there]
    wanted = st.query_params.get("dataset")
    name = st.selectbox("Dataset", names, names.index(wanted) if wanted in names else 0, key="new-dataset")
    info = next(info for info in there if info.name == name)
    st.caption(f"{info.splits.get('train', info.rows):,} training products, {info.categories:,} categories.")
    return info


def _inputs(choice: Choice) -> tuple[str, ...]:
    """The model's inputs: EmbraceNet can be trained on one modality; other models have fixed inputs."""
    if choice.recipe.architecture != "embracenet" or len(choice.inputs) < 2:
        return choice.inputs
    ways = {"Text and picture": choice.inputs, "Text alone": ("text",), "Picture alone": ("image",)}
    return ways[st.selectbox("Reads", list(ways), key=f"new-inputs-{choice.preset}")]


def _needs(choice: Choice) -> str:
    """A sentence on the hardware that a preset needs."""
    if choice.trainer == contrastive_form.TRAINER:
        return contrastive_form.needs(choice)
    if not choice.paper:
        if not choice.epochs:
            return "It is fitted in one pass, in about a minute on a CPU."
        return "Small: it is trained from scratch, and a CPU is enough."
    import torch

    gpu = torch.cuda.is_available()
    return f"The settings of the {choice.paper} paper, made for a GPU; " + (
        f"this machine has one ({torch.cuda.get_device_name(0)})."
        if gpu
        else "this machine has none: expect days, not minutes."
    )


def _weights(choice: Choice, inputs: tuple[str, ...]) -> list[str] | None:
    """The options that say where published weights are; None while they are missing."""
    wanted = [weights for weights in choice.weights if weights.modality in inputs]
    if not wanted:
        return []
    names = ", ".join(weights.name for weights in wanted)
    if st.checkbox("Train from scratch instead of the published weights", key=f"new-random-{choice.preset}"):
        return ["--random-weights"]
    options: list[str] = []
    for weights in wanted:
        what = (
            "folder of model.safetensors and spiece.model"
            if weights.modality == "text"
            else "model.safetensors or its folder"
        )
        path = st.text_input(
            f"Weights of {weights.name} ({what})",
            str(weights.found or ""),
            key=f"new-{weights.modality}-{choice.preset}",
        ).strip()
        if not path:
            st.caption("Download them once, or give their path:")
            st.code(weights.command, language="bash")
            continue
        options += [f"--{weights.modality}-weights", path]
    if len(options) < 2 * len(wanted):
        st.warning(plain(f"This preset starts from {names}, not found on this machine."))
        return None
    return options


def _settings(info: DatasetInfo, choice: Choice) -> tuple[list[str], float]:
    """Options that differ from the preset, and the number of epochs."""
    options: list[str] = []
    training = choice.recipe.training
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    human = (
        choice.trainer != contrastive_form.TRAINER
        and "human" in products.filter_choices(info.name)["label_kind"]
    )
    labels = left.selectbox("Labels", LABELS if human else LABELS[:1], key="new-labels")
    if labels == LABELS[1]:
        options.append("--human-only")
    epochs = 0.0
    if choice.epochs:
        epochs = middle.number_input(
            "Epochs", 0.1, 1_000.0, float(choice.epochs), 1.0, format="%g", key=f"new-epochs-{choice.preset}",
            help="Passes over the training products",
        )  # fmt: skip
        if epochs != choice.epochs:
            options += ["--epochs", f"{epochs:g}"]
    seed = right.number_input(
        "Seed", 0, 2**31 - 1, training.seed, key="new-seed", help="The same seed gives the same run"
    )
    if seed != training.seed:
        options += ["--seed", str(seed)]
    if choice.epochs:
        with st.expander("More settings"):
            left, middle, right = st.columns(3, vertical_alignment="bottom")
            batch = left.number_input(
                "Batch size", 1, 65_536, training.batch_size, key=f"new-batch-{choice.preset}"
            )
            rate = middle.number_input(
                "Learning rate",
                1e-7,
                1e6,
                training.learning_rate,
                format="%g",
                key=f"new-rate-{choice.preset}",
            )
            steps = right.number_input(
                "Steps instead of epochs", 1, 10_000_000, None, key=f"new-steps-{choice.preset}"
            )
            if choice.trainer != contrastive_form.TRAINER:
                options += remedies_form.options(info, "--human-only" in options)
            if batch != training.batch_size:
                options += ["--batch-size", str(batch)]
            if rate != training.learning_rate:
                options += ["--learning-rate", f"{rate:g}"]
            if steps:
                options += ["--steps", str(steps)]
                epochs = steps * batch / max(1, info.splits.get("train", info.rows))
    return options, epochs


def _time(info: DatasetInfo, choice: Choice, epochs: float) -> str:
    """The expected time, where a run of the same preset was made on this machine."""
    busy = [name for name in jobs.run_names()[:ALIKE] if _alive(name)]
    beside = " Another run is in progress; both are slower until it ends." if len(busy) == 1 else ""
    beside = (
        f" {len(busy)} other runs are in progress; all are slower until they end."
        if len(busy) > 1
        else beside
    )
    for name in jobs.run_names()[:ALIKE]:
        try:
            run = jobs.read_run(name)
        except VitrineError:
            continue
        pace = None if run.shipped else run.last.get("items_per_s")
        if epochs and run.trainer == choice.trainer and run.preset == choice.preset and pace:
            seconds = epochs * info.splits.get("train", info.rows) / pace
            return f"About {duration(seconds)}: the last such run processed {pace:,.0f} products per second.{beside}"
    return f"Time unknown: no run of this preset was made on this machine yet.{beside}"


def _alive(name: str) -> bool:
    try:
        return jobs.read_run(name).alive
    except VitrineError:
        return False
