"""What tests stand on: real data beside the checkout, an empty home, small archives of GLAMI's shape."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
os.environ.pop("VITRINE_HOME", None)  # no test may touch the datasets of whoever runs it


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
