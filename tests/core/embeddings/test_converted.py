"""A checkpoint of OpenFashionCLIP's structure, small: converted, loaded, asked with its prompt; and what is none."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from core.embeddings.clip import encoder
from core.embeddings.converted import convert
from core.embeddings.loading import load_encoder
from core.errors import ModelError

NETWORK = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}


class Evil:
    def __reduce__(self) -> object:
        return os.system, ("touch ran",)


def test_a_published_pickle_becomes_safetensors_without_running_its_code(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip
    import torch

    monkeypatch.chdir(tmp_path)
    spec = encoder("openfashionclip")
    with pytest.raises(ModelError, match="vitrine weights convert openfashionclip"):
        load_encoder(spec, "cpu")
    torch.manual_seed(0)
    model = open_clip.CLIP(**NETWORK)
    torch.save({"CLIP": model.state_dict()}, "finetuned.pt")
    folder = convert(spec, Path("finetuned.pt"), NETWORK)
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".safetensors"]
    loaded = load_encoder(encoder("openfashionclip"), "cpu")
    with torch.no_grad():
        numbers = open_clip.get_tokenizer("ViT-B-32")(["a photo of a red t-shirt"])
        expected = model.eval().encode_text(numbers, normalize=True).numpy()
    found = loaded.encode_texts([loaded.spec.phrase("red t-shirt")])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert loaded.encode_pixels(np.zeros((1, 32, 32, 3), np.uint8)).shape == (1, 16)

    torch.save({"CLIP": {**model.state_dict(), "more": torch.zeros(1)}}, "other.pt")
    torch.save({"state": model.state_dict()}, "keyless.pt")
    with Path("evil.pt").open("wb") as file:
        pickle.dump({"CLIP": Evil()}, file)
    for wrong, said in (
        ("other.pt", "another model"),
        ("keyless.pt", "no tensors under 'CLIP'"),
        ("evil.pt", "without running its code"),
        ("nowhere.pt", "no checkpoint at"),
    ):
        with pytest.raises(ModelError, match=said):
            convert(spec, Path(wrong), NETWORK)
    assert not Path("ran").exists()
    with pytest.raises(ModelError, match="no conversion"):
        convert(encoder("clip-tiny"), Path("finetuned.pt"))
