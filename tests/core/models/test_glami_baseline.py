"""A file of the structure of GLAMI's published weights: converted, the same logits, and refused where it does not fit."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.preprocessing import LabelBinarizer
from torch import nn
from torchvision.models import resnext50_32x4d

from core.catalog.build import import_dataset
from core.errors import ModelError
from core.models import glami_baseline
from core.models.inputs import Inputs
from core.models.loading import open_classifier
from core.models.registry import model

CLASSES, SOURCES, WIDTH = ["bags", "boots", "hats"], ["admin", "custom-tag", "unknown"], 512


class Published(nn.Module):
    """The published forward pass, written again from its description: three docking layers, embracement, one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.pre_2 = resnext50_32x4d(weights=None)
        del self.pre_2.fc
        self.embracenet = nn.Module()
        for at, width in enumerate((32 * 512, 2_048, len(SOURCES))):
            setattr(self.embracenet, f"docking_{at}", nn.Linear(width, WIDTH))
        self.post = nn.Linear(WIDTH, len(CLASSES))

    def forward(self, picture: torch.Tensor, source: torch.Tensor | None) -> torch.Tensor:
        """Log-probabilities of the expectation over draws, of the picture alone or with the label source."""
        net = self.pre_2
        x = net.maxpool(net.relu(net.bn1(net.conv1(picture))))
        x = net.avgpool(net.layer4(net.layer3(net.layer2(net.layer1(x)))))[:, :, 0, 0]
        docked = [torch.relu(self.embracenet.docking_1(x))]
        if source is not None:
            docked.append(torch.relu(self.embracenet.docking_2(source)))
        return torch.log_softmax(self.post(sum(docked) / len(docked)), -1)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Published]:
    """A VITRINE_HOME with a dataset of the classes and a file beside it."""
    folder = tmp_path_factory.mktemp("published")
    table = {"item_id": ["1", "2", "3"], "title": "x", "category": CLASSES, "split": "test"}
    pd.DataFrame(table).to_csv(folder / "shop.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(folder / "home"))
        import_dataset("table", [str(folder / "shop.csv")], "shop")
    torch.manual_seed(0)
    network = Published().eval()
    saved = {
        "epoch": 1, "model_state_dict": network.state_dict(), "loss": 0.5,
        "label_binarizer": LabelBinarizer().fit(CLASSES), "source_binarizer": LabelBinarizer().fit(SOURCES),
    }  # fmt: skip
    torch.save(saved, folder / "embracenet_1_final.pt")
    return folder, network


def test_its_logits_are_those_of_the_published_forward_pass(
    published: tuple[Path, Published], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the label source as a modality and without it, as the published figures have it."""
    folder, network = published
    monkeypatch.setenv("VITRINE_HOME", str(folder / "home"))
    made = glami_baseline.convert(folder / "embracenet_1_final.pt", "shop", keep_source=True)
    assert "texts are left out" in made.notes[0]
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 298, 228), np.uint8))
    nothing = torch.zeros(2, 1, dtype=torch.int64)
    loaded = open_classifier("glami-baseline")
    assert list(loaded.config.classes) == CLASSES and model("glami-baseline").inputs == ("image",)
    for source in (torch.eye(3)[[1, 2]], None):
        available = torch.tensor([[False, True, source is not None]] * 2)
        inputs = Inputs(available, nothing, nothing.bool(), pixels, torch.tensor([1, 2]))
        with torch.no_grad():
            found = loaded.network(inputs, inference="expected")
            expected = network(pixels.float() / 255, source)
        torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


class Evil:
    def __reduce__(self) -> object:
        return os.system, ("touch ran",)


def test_what_does_not_fit_is_named_and_code_is_never_run(
    published: tuple[Path, Published], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, network = published
    monkeypatch.setenv("VITRINE_HOME", str(folder / "home"))
    monkeypatch.chdir(tmp_path)
    state = network.state_dict()
    changed = {**state, "post.bias": torch.zeros(4), "other.weight": torch.zeros(1)}
    del changed["pre_2.conv1.weight"]
    torch.save({"model_state_dict": changed}, "w.pt")
    with pytest.raises(ModelError, match="3 tensors, such as ") as error:
        glami_baseline.convert(Path("w.pt"), "shop", "wrong")
    for said in (
        "post.bias (3,): (4,)",
        "pre_2.conv1.weight (64, 3, 7, 7): missing",
        "other.weight: not of this network",
    ):
        assert said in str(error.value)
    torch.save({"model_state_dict": {}}, "w.pt")
    with pytest.raises(ModelError, match="no state of GLAMI's EmbraceNet"):
        glami_baseline.convert(Path("w.pt"), "shop", "wrong")
    Path("evil.pt").write_bytes(pickle.dumps(Evil()))
    torch.save({"model_state_dict": {}, "label_binarizer": Evil()}, "evil2.pt")
    for file in ("evil.pt", "evil2.pt"):
        with pytest.raises(ModelError, match="without running its code"):
            glami_baseline.convert(Path(file), "shop", "evil")
    assert not Path("ran").exists() and not (folder / "home" / "runs" / "wrong").exists()
