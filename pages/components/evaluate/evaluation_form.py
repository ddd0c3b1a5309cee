"""The choices of an evaluation, in the sidebar and the address, and the process that computes it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import streamlit as st

from core.catalog.cohort import Cohort, path_text
from core.catalog.info import DatasetInfo
from core.embeddings.clip import encoder
from core.errors import ModelError
from core.evaluation import cache
from core.evaluation.cache import Evaluation
from core.evaluation.choice import Choice, splits
from core.evaluation.fit import best
from core.models import registry
from core.models.registry import ModelSpec, zero_shot_parts
from core.settings import PROJECT
from core.training.runs import RunConfig
from pages import access
from pages.components.shared import chart, filter_bar, preparing
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import duration
from pages.resources import datasets, products

SEES = {"Both": "both", "Picture": "picture", "Text": "text"}
LABELS = {"All": "all", "By a person": "human"}
INFERENCE = {"Expected": "expected", "Sampled": "sampled", "Ensemble": "ensemble"}
SUMS = {"Unit vectors": "normalised", "As published": "published"}  # of a zero-shot model's two vectors
AMONG = {"All its classes": "all", "The dataset's": "dataset"}
TIES = {"As GLAMI": "glami", "Fair": "fair"}
CHOSEN = "chosen-model"


def models() -> list[ModelSpec]:
    """Every model that can be evaluated now, by name; read on every run of the page, since runs come and go."""
    found: dict[str, ModelSpec] = {}
    for spec in registry.models():
        found.setdefault(spec.name, spec)
    return list(found.values())


def show_no_model() -> None:
    """There is no model: say how to train one."""
    st.info("There is no model yet. Train one; it appears here when training is done.")
    st.code(registry.TRAIN_COMMAND, language=None)
    if (PROJECT / "pages" / "train.py").exists():
        st.page_link("train.py", label="Go to Train")


def choose_default_dataset(specs: Sequence[ModelSpec]) -> None:
    """Without a dataset in the address, choose the one that its model, or else the first model, was trained on."""
    wanted = st.query_params.get("model")
    if "dataset" in st.query_params or (wanted is None and st.session_state.get(filter_bar.KEPT) is not None):
        return
    there = {info.name for info in datasets.available()}
    for spec in specs:
        if wanted in (None, spec.name) and (name := cache.training_dataset(spec)) in there:
            st.query_params["dataset"] = name
            return


def choose_model(specs: Sequence[ModelSpec], info: DatasetInfo) -> ModelSpec:
    """The model selector. The address always names the model: a link must mean the same after another came."""
    names = [spec.name for spec in specs]
    asked = st.query_params.get("model")
    if asked is not None and asked not in names:
        st.warning(
            f"There is no model named {plain(asked)} any more: its run was deleted, or has no weights."
        )
    by_name = {spec.name: spec for spec in specs}
    chosen = by_name.get(asked or "")
    if chosen is None:
        counts = {path_text(path): count for path, count in products.table(info.name).categories()}
        chosen = best(specs, counts, info.name)
    st.query_params["model"] = chosen.name
    with st.sidebar:
        st.session_state[CHOSEN] = chosen.name
        st.selectbox(
            "Model", names, key=CHOSEN, on_change=_change_model,
            format_func=lambda name: f"{by_name[name].title}: {name}" if name in by_name else name,
        )  # fmt: skip
        st.caption(plain(f"Trained on {chosen.trained_on}."))
    return chosen


def _change_model() -> None:
    st.query_params["model"] = st.session_state[CHOSEN]


def choose(spec: ModelSpec, info: DatasetInfo) -> Choice:
    """All other choices; each is in the address unless it is the default."""
    with st.sidebar:
        split = st.segmented_control(
            "Split", splits(info), default=splits(info)[0], required=True, key="evaluated", bind="query-params"
        )  # fmt: skip
        sees = "Both"
        if set(spec.inputs) >= {"text", "image"}:
            sees = _one("Inputs", SEES, "sees")
        labels = "All"
        if len(products.filter_choices(info.name)["label_kind"]) > 1:
            labels = _one("Labels", LABELS, "labels")
        with st.expander("Options"):
            inference = "expected"
            if spec.architecture == registry.ZERO_SHOT:
                sums = sums_of(spec)
                inference = sums[_one(
                    "Sum of picture and text", sums, "sum",
                    "Unit vectors: both are normalised to length 1 first, for encoders trained on directions alone (all of "
                    "open_clip). As published: the encoder's vectors are added unnormalised, for encoders trained to reproduce lengths.",
                )]  # fmt: skip
            elif spec.architecture == "embracenet":
                inference = INFERENCE[_one(
                    "Inference", INFERENCE, "inference",
                    "EmbraceNet samples the modality of each fused component. Expected: the expectation, deterministic. "
                    "Sampled: one draw per product, as published; five repeats with their spread. Ensemble: the mean of sixteen draws.",
                )]  # fmt: skip
            ties = _one(
                "Equal probabilities", TIES, "ties",
                "As GLAMI: of tied classes the last one ranks first. Fair: ties count as the chance of a hit.",
            )  # fmt: skip
            among = _one(
                "Candidate classes", AMONG, "among",
                "A model trained on several datasets has classes that this one lacks. Fewer candidates make the task easier.",
            )  # fmt: skip
        chart.choose_format()
    return Choice(
        info.name, str(split or splits(info)[0]), SEES[sees], LABELS[labels], inference, TIES[ties], AMONG[among],
    )  # fmt: skip


def sums_of(spec: ModelSpec) -> dict[str, str]:
    """The two sums of a zero-shot model, the encoder's own first: that one is kept as `expected`."""
    try:
        keeps_lengths = encoder(zero_shot_parts(spec.name)[0]).keeps_lengths
    except ModelError:
        keeps_lengths = False
    own = "As published" if keeps_lengths else "Unit vectors"
    return {own: "expected"} | {name: how for name, how in SUMS.items() if name != own}


def _one(label: str, options: dict[str, str], key: str, help_: str | None = None) -> str:
    first = next(iter(options))
    return str(
        st.segmented_control(
            label, list(options), default=first, required=True, key=key, bind="query-params", help=help_
        )
        or first
    )


def offer(spec: ModelSpec, info: DatasetInfo, choice: Choice) -> Evaluation | None:
    """Shown without an evaluation: its progress, or how to start it; returns an outdated one, if there is one."""
    state = cache.status_of(spec, choice)
    if state is not None and state.state == "running":
        _watch(spec, choice)
        return None
    if (spec.weights == "bundled" and choice == Choice(info.name, splits(info)[0])) and preparing.show(
        info, "evaluation", "The evaluation is"
    ):
        return None
    if state is not None and state.error:
        st.error(f"The last attempt failed: {plain(state.error)}")
    old = cache.outdated(spec, choice)
    if old is not None:
        st.warning(
            f"This evaluation of {plain(old.made[:10])} is outdated: {plain(old.stale(spec, info))}. Evaluate again."
        )
    elif state is None or not state.error:
        st.info(plain(_not_yet(spec, info, choice)))
    if spec.exposure is not None and not spec.exposure.zero_shot:
        st.warning(plain(spec.exposure.sentence()))
    foreign = _foreign_classes(spec, info)
    if foreign:
        st.warning(foreign)
    if access.may(access.COMPUTE):
        if st.button("Evaluate", type="primary"):
            with st.spinner("Starting"):
                cache.start(spec, choice)
            st.rerun()
        st.caption("Or run in a terminal:")
    else:
        st.caption("Run this on the machine that serves Vitrine:")
    st.code(command(spec, choice), language=None, wrap_lines=True)
    return old


def _not_yet(spec: ModelSpec, info: DatasetInfo, choice: Choice) -> str:
    """What is not evaluated yet, and the expected time where a similar evaluation of this model is known."""
    human = ("human",) if choice.labels == "human" else ()
    parted = "train" in info.splits
    n = products.table(info.name).count(
        Cohort(info.name, split=(choice.split,) if parted else (), label_kind=human)
    )
    if not parted:  # 8:2, by ids
        n = n * (1 if choice.split == "test" else 4) // 5
    about = "" if parted else "about "
    alike = [
        made
        for _, made in cache.evaluations([spec], info.name)
        if (made.choice.sees, made.choice.inference) == (choice.sees, choice.inference) and made.report["n"]
    ]
    time = (
        f"It takes about {duration(max(1.0, n * alike[0].seconds / alike[0].report['n']))}, judging by an earlier evaluation."
        if alike
        else "The time is unknown; the page shows the progress."
    )
    return (
        f"{spec.title} is not evaluated yet with these choices on the {choice.split} products of {info.name} "
        f"({about}{n:,}). {time} The result is cached for all visitors."
    )


def command(spec: ModelSpec, choice: Choice) -> str:
    """The command of this evaluation."""
    return shlex.join(["vitrine", "evaluate", spec.name, *choice.options(), "--keep"])


@st.fragment(run_every=1.0)
def _watch(spec: ModelSpec, choice: Choice) -> None:
    """The progress of the evaluation, for every visitor; it continues when nobody watches."""
    state = cache.status_of(spec, choice)
    if state is None or state.state != "running":
        st.rerun()
        return
    share = state.done / state.total if state.total else 0.0
    left = "" if state.left_s is None else f", about {duration(state.left_s)} left"
    count = f" {state.done:,} of {state.total:,}" if state.total else ""
    st.progress(min(1.0, share), f"{state.what}{count}{left}")
    st.caption("You can leave this page meanwhile.")


def _foreign_classes(spec: ModelSpec, info: DatasetInfo) -> str:
    """A warning where the dataset's categories differ from the model's classes."""
    try:
        known = set(RunConfig.read(spec.folder).classes)
    except ModelError:
        return ""
    there = {path_text(path) for path, _ in products.table(info.name).categories()}
    common = len(there & known)
    if not known or common == len(there):
        return ""
    if common == 0:
        return (
            f"None of the {len(there):,} categories of {plain(info.name)} is among the {len(known):,} classes of this "
            "model, so every prediction is wrong. Choose another dataset or model."
        )
    return (
        f"{len(there) - common:,} of the {len(there):,} categories of {plain(info.name)} are not among this model's classes: "
        "their products count as errors."
    )
