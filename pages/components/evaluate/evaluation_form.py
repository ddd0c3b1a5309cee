"""What is to be evaluated: the choices, in the sidebar and the address; and a process that does it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import streamlit as st

from core.catalog.cohort import Cohort, path_text
from core.catalog.info import DatasetInfo
from core.errors import ModelError
from core.evaluation import cache
from core.evaluation.cache import Choice, Kept
from core.models import registry
from core.models.registry import ModelSpec
from core.settings import PROJECT
from core.training.runs import RunConfig
from pages.components.shared import chart, filter_bar
from pages.components.shared.markdown import plain
from pages.components.train import run_list
from pages.resources import datasets, products, visitor

SEES = {"Both": "both", "Picture": "picture", "Text": "text"}
LABELS = {"All": "all", "By a person": "human"}
INFERENCE = {"Expected": "expected", "Sampled": "sampled", "Ensemble": "ensemble"}
SUMS = {"As published": "expected", "Unit vectors": "normalised"}  # of a zero-shot model's two vectors
AMONG = {"All its classes": "all", "The dataset's": "dataset"}
TIES = {"As GLAMI": "glami", "Fair": "fair"}
CHOSEN = "chosen-model"


def models() -> list[ModelSpec]:
    """Every model that can be evaluated now, by name; read anew each time, since runs come and go."""
    found: dict[str, ModelSpec] = {}
    for spec in registry.models():
        found.setdefault(spec.name, spec)
    return list(found.values())


def say_no_model() -> None:
    """There is nothing to evaluate: how to get something."""
    st.info("There is no model yet. Train one; it appears here when it is done.")
    st.code(registry.TRAIN_COMMAND, language=None)
    if (PROJECT / "pages" / "train.py").exists():
        st.page_link("train.py", label="Go to Train")


def begin_with_a_fitting_dataset(specs: Sequence[ModelSpec]) -> None:
    """Who comes without a dataset in mind sees the one that the model of the address, or the first, learned."""
    wanted = st.query_params.get("model")
    if "dataset" in st.query_params or (wanted is None and st.session_state.get(filter_bar.KEPT) is not None):
        return
    there = {info.name for info in datasets.available()}
    for spec in specs:
        if wanted in (None, spec.name) and (name := cache.learned(spec)) in there:
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
    fitting = next((spec for spec in specs if cache.learned(spec) == info.name), specs[0])
    chosen = by_name.get(asked or "", fitting)
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
    """Everything else that decides the figures; each in the address, and left out of it by default."""
    with st.sidebar:
        split = st.segmented_control(
            "Products of", splits(info), default=splits(info)[0], required=True, key="evaluated", bind="query-params"
        )  # fmt: skip
        sees = "Both"
        if set(spec.inputs) >= {"text", "image"}:
            sees = _one("The model sees", SEES, "sees")
        labels = "All"
        if len(products.filter_choices(info.name)["label_kind"]) > 1:
            labels = _one("Products labelled", LABELS, "labels")
        with st.expander("How it is counted"):
            inference = "expected"
            if spec.architecture == registry.ZERO_SHOT:
                inference = SUMS[_one(
                    "Sum of picture and text", SUMS, "sum",
                    "As published: the two vectors as long as the encoder gives them. Unit vectors: both of length 1.",
                )]  # fmt: skip
            elif spec.architecture == "embracenet":
                inference = INFERENCE[_one(
                    "Inference", INFERENCE, "inference",
                    "EmbraceNet draws which input each of its numbers comes from. Expected: their mean, always the same. "
                    "Sampled: one draw, as published, five times, with the spread. Ensemble: the mean of sixteen draws.",
                )]  # fmt: skip
            ties = _one(
                "Equal probabilities", TIES, "ties",
                "As GLAMI: of equal classes the later counts as first. Fair: the chance of a hit at random.",
            )  # fmt: skip
            among = _one(
                "It may answer with", AMONG, "among",
                "A model of several datasets knows classes that this one lacks. Fewer classes are an easier question.",
            )  # fmt: skip
        chart.choose_format()
    return Choice(
        info.name, str(split or splits(info)[0]), SEES[sees], LABELS[labels], inference, TIES[ties], AMONG[among],
    )  # fmt: skip


def splits(info: DatasetInfo) -> list[str]:
    """Those that can be judged; a dataset without a training split is parted 8:2 by its ids."""
    if "train" not in info.splits:
        return ["test", "train"]
    return [split for split in cache.CHOICES["split"] if split in info.splits]


def _one(label: str, options: dict[str, str], key: str, help_: str | None = None) -> str:
    first = next(iter(options))
    return str(
        st.segmented_control(
            label, list(options), default=first, required=True, key=key, bind="query-params", help=help_
        )
        or first
    )


def offer(spec: ModelSpec, info: DatasetInfo, choice: Choice) -> Kept | None:
    """What stands where there is no evaluation: how far it is, or how to begin; an outdated one, if there is."""
    state = cache.underway(spec, choice)
    if state is not None and state.state == "running":
        _watch(spec, choice)
        return None
    if state is not None and state.error:
        st.error(f"The last attempt ended: {plain(state.error)}")
    old = cache.outdated(spec, choice)
    if old is not None:
        st.warning(
            f"This was measured {plain(old.made[:10])}; since then {plain(old.stale(spec, info))}. Evaluate it again."
        )
    elif state is None or not state.error:
        st.info(plain(_not_yet(spec, info, choice)))
    foreign = _foreign_classes(spec, info)
    if foreign:
        st.warning(foreign)
    if visitor.is_local():
        if st.button("Evaluate", type="primary"):
            with st.spinner("Starting"):
                cache.start(spec, choice)
            st.rerun()
        st.caption("Or in a terminal:")
    else:
        st.caption("Evaluations are started on the machine that serves Vitrine:")
    st.code(command(spec, choice), language=None, wrap_lines=True)
    return old


def _not_yet(spec: ModelSpec, info: DatasetInfo, choice: Choice) -> str:
    """What is not evaluated yet; and how long it takes, where the model was seen at the same on this dataset."""
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
        for _, made in cache.every([spec], info.name)
        if (made.choice.sees, made.choice.inference) == (choice.sees, choice.inference) and made.report["n"]
    ]
    time = (
        f"It takes about {run_list.duration(max(1.0, n * alike[0].seconds / alike[0].report['n']))}, as fast as it was before."
        if alike
        else "How long it takes is not known before; the page shows how far it is."
    )
    return (
        f"{spec.title} has not been evaluated yet with these choices, on the {choice.split} products of {info.name} "
        f"({about}{n:,}). {time} It is done once, and kept for everybody who looks."
    )


def command(spec: ModelSpec, choice: Choice) -> str:
    """What makes this evaluation in a terminal."""
    return shlex.join(["vitrine", "evaluate", spec.name, *choice.options(), "--keep"])


@st.fragment(run_every=1.0)
def _watch(spec: ModelSpec, choice: Choice) -> None:
    """How far it is, for everybody who looks; it goes on when nobody does."""
    state = cache.underway(spec, choice)
    if state is None or state.state != "running":
        st.rerun()
        return
    share = state.done / state.total if state.total else 0.0
    left = "" if state.left_s is None else f", about {run_list.duration(state.left_s)} left"
    count = f" {state.done:,} of {state.total:,}" if state.total else ""
    st.progress(min(1.0, share), f"{state.what}{count}{left}")
    st.caption("The page can be left meanwhile.")


def _foreign_classes(spec: ModelSpec, info: DatasetInfo) -> str:
    """A warning where the dataset's categories are not the model's."""
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
            f"None of the {len(there):,} categories of {plain(info.name)} is among the {len(known):,} classes that this "
            "model knows: nothing that it says can be right. Choose another dataset or model."
        )
    return (
        f"{len(there) - common:,} of the {len(there):,} categories of {plain(info.name)} were never taught to this model: "
        "their products count as mistakes."
    )
