"""What --tail and --noise do before and after training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.embeddings.store import open_set, preferred, sets, unit
from core.errors import EmbeddingError, TrainingError
from core.labels.heads import Head
from core.labels.linear import Fitted, Remedies, fit_remedied
from core.labels.noise import MACHINE_WEIGHT, Treatment, check, treat
from core.labels.tail import AFTERWARDS, best_normalised, post_hoc, retrained, scaled
from core.models.data import ReadProducts
from core.training.runs import RunConfig
from trainers.products import Source

MOST_FEATURES = 100_000  # products that the second stage of a long-tail remedy reads
BATCH = 256
LAST_STAGE = 1 / 3  # share of the steps on human labels alone, of `finetune`


def trusted_in(data: Any) -> NDArray[np.bool_]:
    """(n,) which labels a person gave."""
    return np.asarray(data.frame.label_kind == "human", np.bool_)


def treatment(
    config: RunConfig, sources: Sequence[Source], data: Any, positions: NDArray[np.int64]
) -> Treatment | None:
    """What the remedy for noise makes of the training products; None without one.

    Args:
        positions: (n,) of the training products in `data`.

    Raises:
        UsageError: there are not the labels that it needs.
        EmbeddingError: it needs vectors of the dataset, and there are none.
    """
    if config.noise == "none":
        return None
    trusted, labels = trusted_in(data)[positions], data.labels[positions]
    check(trusted, config.noise)
    features, groups = None, None
    if config.noise in ("forward", "drop", "relabel"):
        features = np.concatenate([stored_features(source) for source in sources])[positions]
        groups = groups_of(data)[positions].tolist()
    weight = config.setting("machine_weight", MACHINE_WEIGHT)
    return treat(
        config.noise, features, labels, trusted, len(config.classes), groups, weight, int(config.training["seed"]),  # type: ignore[arg-type]
    )  # fmt: skip


def groups_of(data: Any) -> NDArray[np.object_]:
    """(n,) what puts listings of one picture in one fold: its id, or the product itself."""
    frame = data.frame
    own = [f"\0{number}" for number in range(len(frame))]
    return np.array([image or mine for image, mine in zip(frame.image_id, own, strict=True)], object)


def stored_features(source: Source) -> NDArray[np.float32]:
    """(n, d) stored vectors of pictures and texts side by side, of length 1 each, 0 where one is absent.

    Raises:
        EmbeddingError: the dataset has none.
    """
    info = source.products.info
    there = preferred(sets(info))
    names = [next((name for name, said in there if said.tower == tower), "") for tower in ("image", "text")]
    used = [open_set(info, name) for name in names if name] or [open_set(info, name) for name, _ in there[:1]]
    if not used:
        raise EmbeddingError(
            f"{info.name} has no vectors, by which machine labels are compared with human ones. Compute them: "
            f"vitrine embed {info.name} --encoder clip-tiny"
        )
    rows = source.frame.row_id.to_numpy(np.int64)
    parts = [unit(np.where(one.present[rows, None], one.vectors[rows], 0))[0] for one in used]
    return np.concatenate(parts, axis=1).astype(np.float32)


def last_layer(network: Any, classes: int) -> torch.nn.Linear:
    """
    Raises:
        TrainingError: the network does not end in a linear layer (low-rank fusion does not).
    """
    found = [
        one for one in network.modules() if isinstance(one, torch.nn.Linear) and one.out_features == classes
    ]
    if not found:
        raise TrainingError(
            f"--tail {', '.join(AFTERWARDS)} need a network that ends in a linear layer; this one does not."
        )
    return found[-1]


def second_stage(
    network: Any,
    config: RunConfig,
    data: ReadProducts,
    positions: NDArray[np.int64],
    validating: NDArray[np.int64],
) -> dict[str, float]:
    """Change the last layer of a trained network as `--tail` says; returns what was chosen.

    Args:
        positions, validating: training and validation products in `data`.
    """
    tail, classes = config.tail_of(), len(config.classes)
    if tail not in AFTERWARDS:
        return {}
    layer = last_layer(network, classes)
    bias = layer.bias.detach().cpu().double().numpy() if layer.bias is not None else np.zeros(classes)
    head = Head(layer.weight.detach().cpu().double().numpy(), bias)
    found: dict[str, float] = {}
    if tail == "post-hoc":
        made = post_hoc(head, data.labels[positions], config.setting("tau", 1.0))
    elif tail == "tau-norm":
        rows = validating if len(validating) else positions
        made, found["tau"] = best_normalised(
            head, features_before(network, layer, data, rows), data.labels[rows]
        )
    else:
        rows = positions
        if len(rows) > MOST_FEATURES:
            rows = np.sort(
                np.random.default_rng(int(config.training["seed"])).choice(rows, MOST_FEATURES, replace=False)
            )
        features, labels = features_before(network, layer, data, rows), data.labels[rows]
        made = scaled(head, features, labels) if tail == "scales" else retrained(features, labels, classes)
    put_head(layer, made)
    return found


def features_before(
    network: Any, layer: torch.nn.Linear, data: ReadProducts, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(n, d) what the last layer is given for these products, without augmentation or dropout."""
    kept: list[torch.Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, given: kept.append(given[0].detach().float().cpu()))
    device = next(network.parameters()).device
    network.eval()
    try:
        with torch.no_grad():
            for at in range(0, len(rows), BATCH):
                network(data.inputs(rows[at : at + BATCH]).to(device), inference="expected")
    finally:
        hook.remove()
    return torch.cat(kept).double().numpy()


def remedied(
    said: dict[str, Any],
    features: Any,
    data: Any,
    rows: NDArray[np.int64],
    classes: int,
    strength: float,
    validates: NDArray[np.bool_],
    seed: int,
) -> Fitted:
    """A linear classifier under the remedies.

    Args:
        said: of trainers.label_options.chosen.
        features: (n, d) of the products `rows` of `data`.
        validates: (n,) which of them choose settings: only human labels among them do.

    Raises:
        UsageError: see core.labels.noise.treat.
    """
    trusted = trusted_in(data)[rows]
    settings = said["remedies"]
    remedies = Remedies(said["tail"], said["noise"], settings.get("tau", 1.0), settings.get("machine_weight"))
    held = validates & trusted if trusted.any() else validates
    return fit_remedied(
        remedies,
        features,
        data.labels[rows],
        trusted,
        classes,
        strength,
        held,
        groups_of(data)[rows].tolist(),
        seed,
    )


def put_head(layer: torch.nn.Linear, head: Head) -> None:
    """Copy a head's weights to a linear layer."""
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(head.weight))
        if layer.bias is not None:
            layer.bias.copy_(torch.from_numpy(head.bias))
