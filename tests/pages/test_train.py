"""The Train page in every state of a run, without training anything."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from streamlit.testing.v1 import AppTest

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.embeddings.imported import import_vectors
from core.training.jobs import read_run
from core.training.process import Process
from core.training.runs import runs_folder
from tests.pages.conftest import Open
from trainers import probe

Make = Callable[..., Path]


@pytest.fixture
def make(home: Path) -> Make:
    """make("name", ended="failed", error="...", steps=40) writes a run as a trainer would leave it."""

    def write(name: str, steps: int = 40, alive: bool = False, **process: object) -> Path:
        folder = runs_folder() / name
        folder.mkdir(parents=True)
        config = {
            "architecture": "embracenet", "model": {"text": {}, "image": {}}, "training": {"steps": 40},
            "preset": "tiny", "dataset": "<b>shop</b>", "fingerprint": "", "licence": "", "classes": ["a", "b"], "result": {},
        }  # fmt: skip
        if process.get("ended") == "done":
            config["result"] = {"test": {"both": {"top1": 0.75, "top5": 1.0, "n": 8}}}
            (folder / "model.safetensors").touch()
        (folder / "config.json").write_text(json.dumps(config))
        lines = [
            {"step": step, "loss": 3 / step, "learning_rate": 1e-3, "items_per_s": 99, "remaining_s": 7}
            | ({"validation": {"top1": 0.5}} if step == 20 else {})
            for step in range(1, steps + 1)
        ]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        pid, created = (os.getpid(), psutil.Process().create_time()) if alive else (2**22 - 1, 0.0)
        said = {"held": True, "finished": time.time(), **process}
        Process(pid, created, ["python", "-m", "trainers.embracenet"], time.time() - 60, **said).write(folder)  # type: ignore[arg-type]
        return folder

    return write


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> str:
    table = tmp_path / "shop.csv"
    rows = [f"i{n},Boty {n},{'Boots' if n % 2 else 'Hats'},train" for n in range(30)]
    table.write_text("\n".join(["item_id,name,category,split", *rows]), encoding="utf-8")
    import_dataset("table", [str(table)], "shop")
    return "shop"


def buttons(page: object) -> list[str]:
    return [button.label for button in page.button]  # type: ignore[attr-defined]


def test_without_a_dataset_or_a_run_it_says_what_to_do(home: Path, open_page: Open) -> None:
    page = open_page("train.py")
    assert not page.exception
    assert any("no dataset to train on" in info.value for info in page.info)
    assert any("EmbraceNet" in subheader.value for subheader in page.subheader)  # the run that is shipped
    assert not {"Stop", "Resume", "Delete"} & set(buttons(page))


STATES = {
    "done": ({"ended": "done"}, ["Delete"], "test accuracy 75.0%"),
    "stopped": ({"ended": "stopped", "steps": 25}, ["Resume", "Delete"], "Stopped"),
    "failed": ({"ended": "failed", "error": "The loss at step 7 is not a number.", "steps": 6}, ["Resume", "Delete"], "is not a number"),
    "interrupted": ({"steps": 25}, ["Resume", "Delete"], "The process was killed"),
    "running": ({"alive": True, "steps": 25}, ["Stop"], "Running"),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_a_run_in_every_state(make: Make, shop: str, open_page: Open, state: str) -> None:
    given, offered, says = STATES[state]
    make("my-run", **given)
    page = open_page("train.py", run="my-run")
    assert not page.exception
    assert [label for label in buttons(page) if label in ("Stop", "Resume", "Delete")] == offered
    texts = [*page.markdown, *page.caption, *page.info, *page.warning, *page.error]
    assert any(says in text.value.replace("\\", "") for text in texts)
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["Products per second"] == "99"
    assert ("Time left" in figures) == (state == "running")
    assert not any("<b>" in text.value for text in texts), "a dataset's name is no markup"
    if state == "done":
        assert figures["All inputs"] == "75.0%"


def test_a_run_that_reads_texts_alone_speaks_of_no_pictures(make: Make, open_page: Open) -> None:
    folder = make("my-run", alive=True, steps=0)
    config = json.loads((folder / "config.json").read_text()) | {
        "architecture": "ngrams",
        "model": {"text": {}},
    }
    (folder / "config.json").write_text(json.dumps(config))
    page = open_page("train.py", run="my-run")
    assert not page.exception
    assert not any("picture" in info.value for info in page.info)
    (folder / "stop-asked").touch()
    page = open_page("train.py", run="my-run")
    assert any("stops before its first step" in caption.value for caption in page.caption)
    test = {sees: {"top1": 0.75, "top5": 1.0, "n": 8} for sees in ("both", "text")}
    (folder / "config.json").write_text(json.dumps(config | {"result": {"test": test}}))
    page = open_page("train.py", run="my-run")
    assert [metric.label for metric in page.metric if metric.value == "75.0%"] == ["Text alone"]


def test_a_resumed_run_prepares_before_it_steps(make: Make, open_page: Open) -> None:
    folder = make("my-run", alive=True, steps=25)
    (folder / "checkpoint-0000025.safetensors").touch()
    (folder / "log.txt").write_text("Stopped at step 25.\nDecoding: 1 of 3\n")
    os.utime(folder / "metrics.jsonl", (0, 0))  # what an earlier process measured
    page = open_page("train.py", run="my-run")
    assert not page.exception
    assert "It continues from step 25. Decoding" in page.info[-1].value
    assert not {"Products per second", "Time left"} & {metric.label for metric in page.metric}


def test_a_loss_beyond_all_bounds_hides_no_other(make: Make, open_page: Open) -> None:
    lines = [{"step": step, "loss": 10.0 ** (4 * step), "learning_rate": 1.0} for step in range(1, 9)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (make("burst", ended="failed", error="The loss is not a number.") / "metrics.jsonl").write_text(text)
    make("sound", ended="stopped")
    page = open_page("train.py", run="burst")
    assert next(metric.value for metric in page.metric if metric.label == "Loss") == "1.0e+32"
    page = open_page("train.py", run=["sound", "burst"])
    assert not page.exception
    assert json.loads(page.get("plotly_chart")[0].proto.spec)["layout"]["yaxis"]["range"][1] < 1e6


def test_who_is_not_at_the_machine_only_watches(
    make: Make, shop: str, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.resources.visitor.is_local", lambda: False)
    make("my-run", alive=True, steps=25)
    page = open_page("train.py", run="my-run")
    assert not page.exception and buttons(page) == ["my\\-run", "embracenet\\-tiny"]
    assert any("on the machine that serves Vitrine only" in caption.value for caption in page.caption)
    assert page.metric[0].label == "Loss"


def test_several_runs_are_compared(make: Make, open_page: Open) -> None:
    for name in ("one", "two", "three"):
        make(name, ended="stopped")
    page = open_page("train.py", run=["one", "two"])
    assert not page.exception
    assert any("2 runs compared" in heading.value for heading in page.subheader)
    assert page.dataframe[0].value["Run"].tolist() == ["one", "two"]


@pytest.mark.parametrize("name", ["absent", "../../etc", "<script>"])
def test_a_run_that_is_not_there_is_said(make: Make, open_page: Open, name: str) -> None:
    make("my-run", ended="stopped")
    page = open_page("train.py", run=name)
    assert not page.exception
    assert "There is no run named" in page.warning[0].value


def test_a_folder_deleted_while_it_is_watched_is_said(
    make: Make, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from core.training import jobs

    folder = make("my-run", alive=True, steps=25)
    read, calls = jobs.read_run, []

    def vanishes(name: str) -> jobs.Run:
        """Somebody deletes it after the page's head was drawn, before its figures are."""
        calls.append(name)
        if len(calls) == 2:
            shutil.rmtree(folder)
        return read(name)

    monkeypatch.setattr(jobs, "read_run", vanishes)
    page = open_page("train.py", run="my-run")
    assert not page.exception
    assert "It may have been deleted" in page.warning[0].value
    assert not {"Stop", "Resume", "Delete"} & set(buttons(page))


def test_deleting_asks_first(make: Make, open_page: Open) -> None:
    folder = make("my-run", ended="stopped")
    page = open_page("train.py", run="my-run")
    next(button for button in page.button if button.label == "Delete").click().run()
    assert folder.exists()
    assert "Delete it" in buttons(page) and not page.exception


def open_form() -> AppTest:
    """The form alone: a tested page closes its dialogs when a widget in them changes."""

    def script() -> None:
        from pages.components.train import run_form

        run_form.form()

    return AppTest.from_function(script, default_timeout=120).run()


def test_a_new_run_shows_its_command_and_starts_it(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("core.training.jobs.start", lambda name, command: started.append((name, command)))
    page = open_form()
    assert not page.exception
    page.selectbox(key="new-model").select("LSTM").run()
    page.number_input(key="new-epochs-lstm-tiny").set_value(3.0).run()
    page.number_input(key="new-seed").set_value(7).run()
    options = "--dataset shop --preset lstm-tiny --epochs 3 --seed 7 --out"
    assert options in page.code[0].value
    next(button for button in page.button if button.label == "Start").click().run()
    name, command = started[0]
    assert name == "single-lstm-tiny-shop"
    assert command[:2] == ["-m", "trainers.single"] and command[-1] == str(runs_folder() / name)


def test_a_probe_reads_vectors_that_are_there(
    shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("core.training.jobs.start", lambda name, command: started.append((name, command)))
    page = open_form()
    page.selectbox(key="new-model").select("Linear probe").run()
    assert "shop has none" in page.info[0].value and not page.button
    np.save(tmp_path / "mine.npy", np.eye(30, 8, dtype=np.float32) + 0.1)
    import_vectors(Products.open("shop"), tmp_path / "mine.npy", "mine")
    page = open_form()
    page.selectbox(key="new-model").select("Linear probe").run()
    assert not page.exception and page.selectbox(key="new-reads-mine").options == ["Pictures"]
    next(button for button in page.button if button.label == "Start").click().run()
    name, command = started[0]
    assert name == "probe-shop" and command[:2] == ["-m", "trainers.probe"]
    assert command[2:-2] == ["--dataset", "shop", "--vectors", "mine", "--reads", "image"]
    probe.run(command[2:])  # what the page starts does run, and says how it ended
    run = read_run("probe-shop")
    assert run.trainer == "probe" and run.process is not None and run.process.ended == "done"


def test_a_papers_preset_says_what_it_needs(shop: str) -> None:
    page = open_form()
    page.selectbox(key="new-size").select("As published (GLAMI-1M)").run()
    assert any("GLAMI-1M paper, made for a GPU" in caption.value for caption in page.caption)
    assert any(code.value == "hf download google/mt5-small" for code in page.code)
    start = next(button for button in page.button if button.label == "Start")
    assert start.disabled
    next(box for box in page.checkbox if "Train from scratch" in box.label).check().run()
    assert any("--random-weights" in code.value for code in page.code)
    assert not next(button for button in page.button if button.label == "Start").disabled
