"""Weights of a hub, downloaded on purpose: safetensors alone, compared with the digest that the hub gives of them.

open_clip takes a pickle where it finds no safetensors, or where these could not be downloaded whole. Here the file is
asked for first, by its name, and open_clip finds it in the hub's cache.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.embeddings.clip import EncoderSpec, published, why_missing
from core.errors import ModelError
from core.outgoing import checked_names

BLOCK = 1 << 20  # bytes that are read at a time


def fetch(spec: EncoderSpec) -> None:
    """Download a hub encoder's weights and tokenizer into the libraries' own caches.

    A download that is cut goes on from where it was; one that cannot be completed leaves nothing behind.

    Raises:
        ModelError: it needs no download, the network does not give it, or what came is not what the hub says it is.
    """
    if spec.weights == "converted" and spec.folder is not None and not spec.folder.exists():
        raise ModelError(why_missing(spec, FileNotFoundError()))
    if spec.weights != "hub":
        raise ModelError(f"{spec.name} is already on this machine.")
    started = time.time()
    try:
        with _online(), checked_names():
            import open_clip

            repository, names = published(spec)
            if repository:
                verify(_downloaded(repository, names))
            open_clip.create_model(spec.model, spec.tag, require_pretrained=True)
            open_clip.get_tokenizer(spec.model)
            for blob in _blobs(since=started):
                verify(blob)
    except ModelError:
        raise
    except Exception as error:  # whatever the hub, transformers or safetensors raise
        raise ModelError(f"{spec.name} could not be downloaded: {error}") from error


def _downloaded(repository: str, names: list[str]) -> Path:
    """The first of these files that a repository has.

    Raises:
        ModelError: it has none: its weights are a pickle, which can run any code.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    for name in names:
        try:
            return Path(hf_hub_download(repository, name))
        except EntryNotFoundError:
            continue
    raise ModelError(f"{repository} has no safetensors ({', '.join(names)}), and Vitrine takes no pickles.")


def verify(path: Path) -> None:
    """Compare a file of the hub's cache with the digest that the hub gave, which is what it is stored under.

    Raises:
        ModelError: they differ; the file is removed.
    """
    blob = path.resolve()
    if re.fullmatch(r"[0-9a-f]{64}", blob.name):  # of large files
        digest = hashlib.sha256()
    elif re.fullmatch(r"[0-9a-f]{40}", blob.name):  # of others, as git counts them
        digest = hashlib.sha1(f"blob {blob.stat().st_size}\0".encode(), usedforsecurity=False)
    else:
        return
    with blob.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    if digest.hexdigest() != blob.name:
        blob.unlink()
        if path.is_symlink():
            path.unlink()
        raise ModelError(
            f"{path.name} is not what the hub says it is (digest {digest.hexdigest()[:12]}, expected "
            f"{blob.name[:12]}), and was removed. Try again."
        )


def _blobs(since: float) -> Iterator[Path]:
    """Files of the hub's cache that were downloaded since a time."""
    from huggingface_hub import constants

    for blob in Path(constants.HF_HUB_CACHE).glob("models--*/blobs/*"):
        if blob.stat().st_mtime >= since - 1 and not blob.name.endswith(".incomplete"):
            yield blob


@contextmanager
def _online() -> Iterator[None]:
    """The hub's library may ask the network, by Python's sockets alone: Xet's own are not checked."""
    from huggingface_hub import constants

    wanted = {"HF_HUB_OFFLINE": False, "HF_HUB_DISABLE_XET": True}
    before = {name: (getattr(constants, name), os.environ.get(name)) for name in wanted}
    for name, value in wanted.items():
        setattr(constants, name, value)
        os.environ[name] = str(int(value))
    try:
        yield
    finally:
        for name, (constant, variable) in before.items():
            setattr(constants, name, constant)
            if variable is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = variable
