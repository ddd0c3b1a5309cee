"""The model that a page begins with is the one that knows the dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.evaluation import fit
from core.models.registry import ZERO_SHOT, ModelSpec

SPEC = ModelSpec("", "", "classification", ("text",), "run", "", "", "", Path(), "embracenet")


def test_the_best_model_knows_most_products(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = {"few": {"dress"}, "most": {"dress", "boots"}, "none": {"lamp"}}
    trained = [replace(SPEC, name=name, folder=Path(name)) for name in classes]
    prompted = replace(SPEC, name="zero-shot-clip@shop", architecture=ZERO_SHOT, dataset="shop")

    class Config:
        @staticmethod
        def read(folder: Path) -> object:
            return type("Read", (), {"classes": classes[folder.name]})

    monkeypatch.setattr(fit, "RunConfig", Config)
    counts = {"dress": 60, "boots": 30, "hat": 10}
    assert [fit.known_share(spec, counts) for spec in trained] == [0.6, 0.9, 0.0]
    assert fit.best([prompted, *trained], counts, "shop").name == "most"
    assert fit.best([*trained, prompted], {"hat": 10, "boots": 4}, "shop") == prompted
    assert fit.best(trained, {"hat": 10, "boots": 4}, "shop").name == "few"
    assert fit.best(trained, {}, "shop").name == "few"
