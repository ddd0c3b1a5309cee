"""One run: state, progress, curves, log; and the buttons to stop, resume and delete it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import streamlit as st

from core.embeddings.store import sets
from core.errors import VitrineError
from core.training import jobs
from core.training.curves import Curve, read_curve
from core.training.jobs import Run
from pages import access
from pages.components.shared import background
from pages.components.shared.markdown import plain
from pages.components.shared.numbers import duration
from pages.components.train import run_charts, run_facts, run_list
from pages.resources import datasets

BLOWN_UP = 10_000  # a loss above it is shown in scientific notation
LIVE_S, QUIET_S = 2.0, 10.0  # between refreshes, of an active run and of an ended one
SEES = {"both": "All inputs", "picture": "Picture alone", "text": "Text alone"}

ENDING = "It stops after the current step and saves a checkpoint. Ending it now loses the steps since the last checkpoint."
ENDING_EARLY = (
    "It is still preparing and stops before its first step. Ending it now loses only the preparation."
)
INPUTS = {"text": "reads texts", "image": "decodes pictures that are not cached"}
COUNTING = re.compile(r".+: [\d,]+ of [\d,]+")  # what a trainer says while it reads
SHIPPED = "The bundled classifier, which Classify and Evaluate begin with. It is only read: press New run to train one of your own."
REPEATS = "Resuming repeats the same steps: start a new run with a lower learning rate instead."


def show(name: str) -> None:
    """
    Raises:
        ModelError: the run was deleted in between.
    """
    run = jobs.read_run(name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(run_facts.title(run)), anchor=False, width="content")
        run_facts.badge(run)
    st.caption(plain(name))
    if run.shipped:
        st.caption(SHIPPED)
    _actions(run)
    with st.container(key="run-live"):
        st.fragment(_live, run_every=LIVE_S if run.alive else QUIET_S)(name, _head(run))


def _actions(run: Run) -> None:
    """Links to use the model, for every visitor; stop, resume and delete, for a local visitor only."""
    with st.container(horizontal=True):
        if run.usable:
            st.link_button("Evaluate", f"evaluate?model={quote(run.name)}")
            st.link_button("Classify", f"classify?model={quote(run.name)}")
        _as_encoder(run)
        if run.shipped or not access.may(access.COMPUTE):
            return
        if run.state == "running" and st.button("Stop", type="primary", help="Save a checkpoint, then stop"):
            _do(lambda: jobs.stop(run.name))
        if run.state == "stopping" and st.button("End without saving"):
            _do(lambda: jobs.stop(run.name, at_once=True))
        if run.state in ("stopped", "failed", "interrupted") and st.button("Resume", type="primary"):
            _do(lambda: jobs.start(run.name, jobs.resuming(run)))
        if not run.alive and st.button("Delete"):
            _confirm(run.name)
    if run.state == "stopping":
        st.caption(ENDING_EARLY if run.preparing else ENDING)


def _as_encoder(run: Run) -> None:
    """What a finished encoder is for: its vectors of the dataset first, then search, map and the live panel."""
    there = {info.name: info for info in datasets.available()} if run.encodes and run.datasets else {}
    info = there.get(run.datasets[0]) if there else None
    if info is None:
        return
    if run.name in dict(sets(info)):
        st.link_button("Search", f"search?dataset={quote(info.name)}&vectors={quote(run.name)}")
    elif access.may(access.COMPUTE) and st.button(
        "Compute vectors", help=f"Of {info.name}: then search, map and zero-shot can use this run"
    ):
        _do(lambda: background.run(["embed", info.name, "--encoder", run.name], "pictures"))


def _do(action: Any) -> None:
    """Run an action; show its error, and leave the rest of the page as it is."""
    try:
        action()
    except VitrineError as error:
        st.error(plain(str(error)))
        return
    st.rerun()


@st.dialog("Delete the run?")
def _confirm(name: str) -> None:
    st.markdown(
        f"**{plain(name)}** with its checkpoints and weights will be deleted. The model will no longer be available."
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
    """What is shown above the live part."""
    return run.state, run_facts.title(run)


def _live(name: str, head: tuple[str, str]) -> None:
    """Read the run's folder again; rerun the whole page if the part above it has changed."""
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
        _charts(run, curve)
    _result(run)
    _details(run)


def _state(run: Run) -> None:
    if run.state == "failed":
        st.error(plain(run.error))
        st.caption(REPEATS if "not a number" in run.error else _kept(run))
    elif run.state == "interrupted":
        st.warning(
            "The process was killed: by a user, by the system when memory ran out, or by a shutdown. "
            + _kept(run)
        )
    elif run.state == "stopped":
        st.info("Stopped. " + _kept(run))
    if run.preparing:
        goes_on = f" It continues from step {run.saved:,}." if run.saved else ""
        said = jobs.log_tail(run.folder).rstrip().rpartition("\n")[2]
        st.info(f"{_preparing(run)}{goes_on} {plain(said) if COUNTING.fullmatch(said) else ''}")
    if run.steps and run.state != "done":
        share = min(1.0, run.step / run.steps)
        text = f"Step {run.step:,} of {run.steps:,}, {share:.0%}"
        if run.alive and share == 1.0:
            text += "; evaluating on the test split"
        st.progress(share, text)


def _preparing(run: Run) -> str:
    """What a run is doing before its first step."""
    if run.trainer == "ngrams":
        return "It is fitted to all texts in one pass, without steps to show."
    model = run.config.get("model")
    model = model if isinstance(model, dict) else {}
    reads = [name for name in INPUTS if model.get(name) is not None] or list(INPUTS)
    return f"Preparing: {', '.join(INPUTS[name] for name in reads)}."


def _kept(run: Run) -> str:
    if not run.saved:
        return "No checkpoint was saved yet: Resume starts from the beginning."
    return f"The checkpoint of step {run.saved:,} is saved: Resume continues from there."


def _figures(run: Run, curve: Curve) -> None:
    best = max((value for _, value in curve.validations), default=None)
    last = run.last
    with st.container(horizontal=True, key="run-figures"):
        if "loss" in last:
            st.metric(
                "Loss", f"{last['loss']:.{'3f' if abs(last['loss']) < BLOWN_UP else '1e'}}", width="content"
            )
        if best is not None:
            st.metric(f"Best validation {run_facts.validated([run])[0]}", f"{best:.1%}", width="content")
        if "items_per_s" in last and not run.preparing:
            st.metric("Products per second", f"{last['items_per_s']:,.0f}", width="content")
        if run.alive and "remaining_s" in last and not run.preparing:
            st.metric("Time left", duration(last["remaining_s"]), width="content")
        if run.seconds:
            st.metric("Time taken", duration(run.seconds), width="content")


def _charts(run: Run, curve: Curve) -> None:
    name, (called, what) = run.name, run_facts.validated([run])
    left, right = st.columns(2, gap="medium")
    with left:
        run_charts.draw(run_charts.loss({name: curve}), "run-loss", "Loss by step")
        rare = " Only some steps of a run this long are drawn." if curve.sampled else ""
        st.caption(f"Training loss; it should fall. Pale: each step. Strong: moving average.{rare}")
    with right:
        if curve.validations:
            figure = run_charts.accuracy({name: curve}, called)
            run_charts.draw(figure, "run-accuracy", f"Validation {called} by step")
            st.caption(what)
        else:
            st.caption("No validation yet, or the preset has none.")
    with st.expander("Learning rate and throughput"):
        left, right = st.columns(2, gap="medium")
        with left:
            run_charts.draw(run_charts.learning_rate(curve), "run-rate", "Learning rate by step")
            st.caption("The preset's schedule.")
        with right:
            run_charts.draw(run_charts.throughput(curve), "run-throughput", "Products per second by step")
            st.caption("Mean since the process started; it falls when other processes use the machine.")


def _result(run: Run) -> None:
    if (figures := run_facts.retrieval(run)) is not None:
        _retrieval(run, figures)
    result = run.config.get("result")
    test = result.get("test") if isinstance(result, dict) else None
    if isinstance(test, dict) and test:
        st.subheader("On the test split", anchor=False)
        with st.container(horizontal=True):
            for sees, figures in _distinct(test).items():
                if isinstance(figures, dict) and "top1" in figures:
                    st.metric(SEES.get(sees, plain(sees)), f"{figures['top1']:.1%}", f"top-5 {figures.get('top5', 0):.1%}",
                              delta_color="off", delta_arrow="off", width="content")  # fmt: skip
        n = max(int(figures.get("n", 0)) for figures in test.values() if isinstance(figures, dict))
        st.caption(f"Top-1 accuracy on {n:,} test products; below it, top-5.")


def _retrieval(run: Run, figures: dict[str, float]) -> None:
    """How well an encoder finds test products, by the protocol of the incorrect-pairs paper."""
    report = run.config["result"]["retrieval"]
    spread = report["hundred"].get("deviation") or {}
    st.subheader("Retrieval of test products", anchor=False)
    with st.container(horizontal=True):
        for key, label in (("rank1", "Rank@1"), ("rank5", "Rank@5"), ("rank10", "Rank@10"), ("map", "mAP")):
            around = spread.get(key)
            st.metric(label, f"{figures[key]:.1%}", f"± {100 * around:.1f}" if around else None, delta_color="off",
                      delta_arrow="off", width="content")  # fmt: skip
    st.caption(
        plain(
            f"{report.get('trials', 0):,} trials of {report.get('items', 0):,} of {report.get('n', 0):,} test products of "
            f"{report.get('dataset', '')}: each picture is searched by its own text. Below: the deviation over trials. "
            f"Compare with others: vitrine evaluate {run.name} --protocol pairs --against {run.config.get('model', {}).get('start', 'clip-tiny')}"
        )
    )


def _distinct(test: dict[str, Any]) -> dict[str, Any]:
    """The results to show: a model of one input has the same for `both` and that input, which is shown once."""
    alone = [sees for sees in test if sees != "both"]
    if len(alone) == 1 and test[alone[0]] == test.get("both"):
        return {alone[0]: test[alone[0]]}
    return test


def _details(run: Run) -> None:
    with st.expander("Log"):
        text = jobs.log_tail(run.folder)
        if text:
            st.code(text, language=None, height=260 if text.count("\n") > 10 else "content")
        else:
            st.caption(
                "Its log is not shipped."
                if run.shipped
                else "It was started from a terminal, which shows its log."
            )
    with st.expander("Configuration"):
        if run.process:
            st.caption("Command of the latest process:")
            st.code(jobs.shown(run.process.command[1:]), language="bash", wrap_lines=True)
        config = {key: value for key, value in run.config.items() if key not in ("result", "classes")}
        classes = run.config.get("classes")
        if isinstance(classes, list):
            config["classes"] = len(classes)
        st.code(json.dumps(config, ensure_ascii=False, indent=1)[:20_000], language="json", height=320)
