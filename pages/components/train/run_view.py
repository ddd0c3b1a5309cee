"""One run: how far it is, what it measures, what it says; and what may be done with it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import streamlit as st

from core.errors import VitrineError
from core.training import jobs
from core.training.curves import Curve, read_curve
from core.training.jobs import Run
from pages.components.shared.markdown import plain
from pages.components.train import run_charts, run_list
from pages.resources import visitor

BLOWN_UP = 10_000  # a loss so high is told by its magnitude
LIVE_S, QUIET_S = 2.0, 10.0  # between two looks, at a run that goes on and at one that does not
SEES = {"both": "All it reads", "picture": "Picture alone", "text": "Text alone"}

ENDING = (
    "It ends after its present step, and saves. Ended at once, it loses the steps since the last checkpoint."
)
ENDING_EARLY = "It still prepares: it ends when that is over, at its first step at the latest. Ended at once, it loses only that."
INPUTS = {"text": "reads the texts", "image": "decodes pictures that were not decoded before"}
COUNTING = re.compile(r".+: [\d,]+ of [\d,]+")  # what a trainer says while it reads
REPEATS = "Resume takes the same steps again: begin a new run with a lower learning rate instead."


def show(name: str) -> None:
    """
    Raises:
        ModelError: the run was deleted in between.
    """
    run = jobs.read_run(name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(run_list.title(run)), anchor=False, width="content")
        run_list.badge(run)
    st.caption(plain(name))
    _actions(run)
    with st.container(key="run-live"):
        st.fragment(_live, run_every=LIVE_S if run.alive else QUIET_S)(name, _head(run))


def _actions(run: Run) -> None:
    """What its model can be asked, for everybody; what becomes of the run, for who sits at the machine."""
    with st.container(horizontal=True):
        if run.usable:
            st.link_button("Evaluate", f"evaluate?model={quote(run.name)}")
            st.link_button("Classify", f"classify?model={quote(run.name)}")
        if not visitor.is_local():
            return
        if run.state == "running" and st.button("Stop", type="primary", help="Saves, then ends"):
            _do(lambda: jobs.stop(run.name))
        if run.state == "stopping" and st.button("End without saving"):
            _do(lambda: jobs.stop(run.name, at_once=True))
        if run.state in ("stopped", "failed", "interrupted") and st.button("Resume", type="primary"):
            _do(lambda: jobs.start(run.name, jobs.resuming(run)))
        if not run.alive and st.button("Delete"):
            _confirm(run.name)
    if run.state == "stopping":
        st.caption(ENDING_EARLY if run.preparing else ENDING)


def _do(action: Any) -> None:
    """What cannot be done is said; the rest of the page stays."""
    try:
        action()
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    st.rerun()


@st.dialog("Delete the run?")
def _confirm(name: str) -> None:
    st.markdown(
        f"**{plain(name)}** with its checkpoints and its weights will be deleted. It cannot be asked any more."
    )
    with st.container(horizontal=True):
        if st.button("Delete it", type="primary"):
            try:
                jobs.delete(name)
            except VitrineError as error:
                st.error(plain(str(error)))
                return
            run_list.open_runs([])
            st.rerun()
        if st.button("Keep it"):
            st.rerun()


def _head(run: Run) -> tuple[str, str]:
    """What stands above the live part."""
    return run.state, run_list.title(run)


def _live(name: str, head: tuple[str, str]) -> None:
    """Reads the folder anew; when what stands above has changed, the whole page does."""
    try:
        run = jobs.read_run(name)
    except VitrineError:  # deleted while it was watched: the page says so, without its buttons
        st.rerun()
    if _head(run) != head:
        st.rerun()
    curve = read_curve(run.folder)
    _state(run)
    _figures(run, curve)
    if len(curve.step):
        _charts(name, curve)
    _result(run)
    _details(run)


def _state(run: Run) -> None:
    if run.state == "failed":
        st.error(plain(run.error))
        st.caption(REPEATS if "not a number" in run.error else _kept(run))
    elif run.state == "interrupted":
        st.warning(
            "It was killed: by somebody, by the system when memory ran out, or when the machine went down. "
            + _kept(run)
        )
    elif run.state == "stopped":
        st.info("Stopped. " + _kept(run))
    if run.preparing:
        goes_on = f" It goes on from step {run.saved:,}." if run.saved else ""
        said = jobs.log_tail(run.folder).rstrip().rpartition("\n")[2]
        st.info(f"{_preparing(run)}{goes_on} {plain(said) if COUNTING.fullmatch(said) else ''}")
    if run.steps and run.state != "done":
        share = min(1.0, run.step / run.steps)
        text = f"Step {run.step:,} of {run.steps:,}, {share:.0%}"
        if run.alive and share == 1.0:
            text += "; it is being judged on the test split"
        st.progress(share, text)


def _preparing(run: Run) -> str:
    """What a run does before its first step."""
    if run.trainer == "ngrams":
        return (
            "It reads the texts and fits to all of them in one go; it takes no steps that could be watched."
        )
    model = run.config.get("model")
    model = model if isinstance(model, dict) else {}
    reads = [name for name in INPUTS if model.get(name) is not None] or list(INPUTS)
    return f"It prepares: {', '.join(INPUTS[name] for name in reads)}."


def _kept(run: Run) -> str:
    if not run.saved:
        return "No checkpoint was saved yet: Resume begins anew."
    return f"The checkpoint of step {run.saved:,} is kept: Resume goes on from there."


def _figures(run: Run, curve: Curve) -> None:
    best = max((value for _, value in curve.validations), default=None)
    last = run.last
    with st.container(horizontal=True, key="run-figures"):
        if "loss" in last:
            st.metric(
                "Loss", f"{last['loss']:.{'3f' if abs(last['loss']) < BLOWN_UP else '1e'}}", width="content"
            )
        if best is not None:
            st.metric("Best validation accuracy", f"{best:.1%}", width="content")
        if "items_per_s" in last and not run.preparing:
            st.metric("Products a second", f"{last['items_per_s']:,.0f}", width="content")
        if run.alive and "remaining_s" in last and not run.preparing:
            st.metric("Time left", run_list.duration(last["remaining_s"]), width="content")
        if run.seconds:
            st.metric("Time taken", run_list.duration(run.seconds), width="content")


def _charts(name: str, curve: Curve) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        run_charts.draw(run_charts.loss({name: curve}), "run-loss", "Loss by step")
        rare = " Of a run this long, some steps are drawn." if curve.sampled else ""
        st.caption(
            "How wrong the model was on the products that it learnt from; it should fall. Pale is each step, strong the "
            f"mean of its neighbours.{rare}"
        )
    with right:
        if curve.validations:
            run_charts.draw(run_charts.accuracy({name: curve}), "run-accuracy", "Validation accuracy by step")
            st.caption(
                "Share of held-out products, which it does not learn from, whose category it says first."
            )
        else:
            st.caption("No validation yet, or the preset makes none.")
    with st.expander("Learning rate and throughput"):
        left, right = st.columns(2, gap="medium")
        with left:
            run_charts.draw(run_charts.learning_rate(curve), "run-rate", "Learning rate by step")
            st.caption("How far a step moves the weights: the preset's schedule.")
        with right:
            run_charts.draw(run_charts.throughput(curve), "run-throughput", "Products a second by step")
            st.caption("The mean since the process began; it falls where others use the machine too.")


def _result(run: Run) -> None:
    result = run.config.get("result")
    test = result.get("test") if isinstance(result, dict) else None
    if isinstance(test, dict) and test:
        st.subheader("On the test split", anchor=False)
        with st.container(horizontal=True):
            for sees, figures in _told_apart(test).items():
                if isinstance(figures, dict) and "top1" in figures:
                    st.metric(SEES.get(sees, plain(sees)), f"{figures['top1']:.1%}", f"top-5 {figures.get('top5', 0):.1%}",
                              delta_color="off", delta_arrow="off", width="content")  # fmt: skip
        n = max(int(figures.get("n", 0)) for figures in test.values() if isinstance(figures, dict))
        st.caption(
            f"Share of {n:,} test products, which it never saw, whose category it says first; below, among its first five."
        )


def _told_apart(test: dict[str, Any]) -> dict[str, Any]:
    """A model of one input has the same figures with all that it reads and with that input alone: shown once."""
    alone = [sees for sees in test if sees != "both"]
    if len(alone) == 1 and test[alone[0]] == test.get("both"):
        return {alone[0]: test[alone[0]]}
    return test


def _details(run: Run) -> None:
    with st.expander("What it says"):
        text = jobs.log_tail(run.folder)
        if text:
            st.code(text, language=None, height=260 if text.count("\n") > 10 else "content")
        else:
            st.caption("It was started from a terminal, which shows its words.")
    with st.expander("Configuration"):
        if run.process:
            st.caption("The command of its newest process:")
            st.code(jobs.shown(run.process.command[1:]), language="bash", wrap_lines=True)
        config = {key: value for key, value in run.config.items() if key not in ("result", "classes")}
        classes = run.config.get("classes")
        if isinstance(classes, list):
            config["classes"] = len(classes)
        st.code(json.dumps(config, ensure_ascii=False, indent=1)[:20_000], language="json", height=320)
