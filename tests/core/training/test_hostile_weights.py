"""Weights from elsewhere: a pickle is never opened, and what is broken is one clear line."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.training.checkpoints import read_tensors, write_tensors

HUGE = 2**64 - 1
F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


class Runs:
    """Writes a file where a pickle of it is opened."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.write_text, (self.target, "was run")


def pickled(kind: str, target: Path) -> bytes:
    out = io.BytesIO()
    if kind.startswith("protocol"):
        return pickle.dumps(Runs(target), protocol=int(kind[-1]))
    if kind == "zip":
        torch.save({"a": Runs(target)}, out)
    elif kind == "legacy":
        torch.save({"a": Runs(target)}, out, _use_new_zipfile_serialization=False)
    elif kind == "npy":
        np.save(out, np.array([Runs(target)], dtype=object), allow_pickle=True)
    elif kind == "npz":
        np.savez(out, a=np.array([Runs(target)], dtype=object))
    else:
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(Runs(target)))
    return out.getvalue()


@pytest.mark.parametrize(
    "kind", [*(f"protocol{number}" for number in range(6)), "zip", "legacy", "npy", "npz", "other zip"]
)
def test_no_pickle_is_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickled(kind, tmp_path / "ran"))
    with pytest.raises(ModelError) as caught:
        read_tensors(path)
    assert len(str(caught.value).splitlines()) == 1 and not (tmp_path / "ran").exists()


def header(said: Any, length: int | None = None, data: bytes = bytes(8)) -> bytes:
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


BROKEN: dict[str, bytes] = {
    "empty": b"", "one byte": b"\0", "eight": bytes(8), "no json": header(b"{"), "a list": header([1]), "text": header("x"), "null": header(None),
    "long header": header({"a": F32}, HUGE), "short header": header({"a": F32}, 3), "100 MB header": header({"a": F32}, 10**8 + 1),
    "deep": header(b'{"a":' * 100_000), "deep lists": header(b"[" * 100_000), "no utf-8": header(b'{"\xff": 1}'), "cut": header({"a": F32}, data=bytes(7)),
    "more": header({"a": F32}, data=bytes(9)), "twice": header(b'{"a": {}, "a": {}}'), "nan": header(b'{"a": NaN}'),
    **{f"dtype {kind!r}": header({"a": {**F32, "dtype": kind}}) for kind in ("F8", "O", "", None, 3, "f32", "I64", "BOOL")},
    **{f"shape {shape!r}": header({"a": {**F32, "shape": shape}}) for shape in ([-2], [HUGE], [2**32, 2**32], [2.5], "2", None, [[2]], [3], [], [0])},
    **{f"offsets {at!r}": header({"a": {**F32, "data_offsets": at}})
       for at in ([8, 0], [0, HUGE], [-8, 0], [4, 12], [0], [0, 4], None, "08", [HUGE, HUGE])},
    "overlap": header({"a": F32, "b": F32}), "gap": header({"a": {**F32, "data_offsets": [4, 12]}}, data=bytes(12)), "no fields": header({"a": {}}),
    "html": b"<html>Please log in</html>", "gguf": b"GGUF" + bytes(60), "zip": b"PK\x03\x04" + bytes(60), "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(60), "elf": b"\x7fELF" + bytes(60),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_weights_are_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(BROKEN[kind])
    with pytest.raises(ModelError) as caught:
        read_tensors(path)
    assert len(str(caught.value)) < 1_000 and len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "notes", ["[1]", "3", "null", '"x"', "{", "[" * 100_000, '{"a":' * 100_000, "NaN", "\ud83d", "1" * 5_000]
)
def test_odd_notes_are_one_line(tmp_path: Path, notes: str) -> None:
    path = tmp_path / "model.safetensors"
    write_tensors(path, {"a": torch.ones(2)}, {"step": 1})
    assert read_tensors(path)[1] == {"step": 1}
    said = {"__metadata__": {"notes": notes}, "a": F32}
    path.write_bytes(header(said))
    with pytest.raises(ModelError) as caught:
        read_tensors(path)
    assert len(str(caught.value)) < 1_000 and len(str(caught.value).splitlines()) == 1
