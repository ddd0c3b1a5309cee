"""What tests stand on: real data beside the checkout, an empty home, small archives of GLAMI's shape."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent
os.environ.pop("VITRINE_HOME", None)  # no test may touch the datasets of whoever runs it
if "PYTEST_XDIST_WORKER" in os.environ:
    # Each of several test processes computes on one processor; before torch is imported, and for what it starts.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What takes longest begins first, so that no process waits for it at the end.
LONG = ("tests/browser/", "tests/trainers/", "tests/core/models/", "tests/core/evaluation/", "tests/pages/")
TRAINED = {"trained", "toy_home", "evaluated"}  # fixtures that train a model


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what trains, and put what takes longest first; the order is the same in every process."""
    for item in items:
        if item.nodeid.startswith("tests/trainers/") or TRAINED.intersection(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.training)
    place = {folder: number for number, folder in enumerate(LONG)}
    items.sort(
        key=lambda item: next((place[each] for each in LONG if item.nodeid.startswith(each)), len(LONG))
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file is tested by one process, since its tests share fixtures; all browser tests share one server."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.split("::")[0]
            return "tests/browser" if path.startswith("tests/browser/") else path

    return ByFile(config, log)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: ../shared/data beside the checkout, or VITRINE_SHARED_DATA."""
    path = Path(os.environ.get("VITRINE_SHARED_DATA") or PROJECT.parent / "shared" / "data")
    if not (path / "glami-mini.zip").exists():
        if os.environ.get("REQUIRE_SHARED_DATA") == "1":
            pytest.fail(f"REQUIRE_SHARED_DATA=1, but there is no glami-mini.zip in {path}.")
        pytest.skip(f"no real data in {path}")
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty VITRINE_HOME."""
    path = tmp_path / "home"
    monkeypatch.setenv("VITRINE_HOME", str(path))
    return path


@pytest.fixture(scope="session")
def glami_mini_home(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VITRINE_HOME that holds `glami-mini`, imported once for all tests: not to be changed."""
    from core.catalog.build import import_dataset

    path = tmp_path_factory.mktemp("glami-mini-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(path))
        import_dataset("glami", [str(shared_data / "glami-mini.zip")], "glami-mini")
    return path


@pytest.fixture
def glami_mini(glami_mini_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of the real dataset, with VITRINE_HOME where it is."""
    monkeypatch.setenv("VITRINE_HOME", str(glami_mini_home))
    yield "glami-mini"


# What takes long to make is made once in a process, and only if a test asks: torch is imported inside.


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VITRINE_HOME with the toy dataset and a finished run named `toy-run`: not to be changed."""
    from tests.toy import write_trained

    return write_trained(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def toy_home(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`trained` as VITRINE_HOME."""
    monkeypatch.setenv("VITRINE_HOME", str(trained))
    return trained


@pytest.fixture(scope="session")
def evaluated_once(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`trained` with two evaluations of its run: not to be changed."""
    from tests.toy import write_evaluated

    return write_evaluated(trained, tmp_path_factory.mktemp("evaluated"))


@pytest.fixture(scope="module")
def evaluated(evaluated_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of it as VITRINE_HOME, to be changed."""
    folder = tmp_path_factory.mktemp("evaluated") / "home"
    shutil.copytree(evaluated_once, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CLIP with random weights, as open_clip reads it."""
    from tests.likeness import write_clip

    return write_clip(tmp_path_factory.mktemp("clip") / "toy-clip")
