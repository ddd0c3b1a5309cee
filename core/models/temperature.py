"""Calibration by temperature scaling, fitted on held-out products.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2. A product with both inputs, with a
picture alone and with a text alone has a temperature each, since a network is not equally sure of these. They are kept in the notes
of the weights' file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.models.data import ReadProducts
from core.models.inputs import IMAGE, TEXT

HAS: dict[str, tuple[bool, bool]] = {"both": (True, True), "text": (True, False), "picture": (False, True)}
LOWEST, HIGHEST = 0.05, 20.0
BATCH = 256


def temperatures_in(notes: dict[str, Any]) -> dict[str, float]:
    """The temperatures in the metadata of a weights file; empty if missing or invalid."""
    found = notes.get("temperatures")
    if not isinstance(found, dict):
        return {}
    return {
        name: float(found[name])
        for name in HAS
        if isinstance(found.get(name), int | float) and LOWEST <= found[name] <= HIGHEST
    }


def cooled(logs: Tensor, available: Tensor, temperatures: dict[str, float]) -> Tensor:
    """(n, classes) log-probabilities at their products' temperatures.

    Args:
        logs: (n, classes) log-probabilities; the softmax does not see how they differ from logits.
        available: (n, 3) what each product has.
    """
    if not temperatures:
        return logs
    by = torch.ones(len(logs), device=logs.device)
    for name, (text, picture) in HAS.items():
        here = (available[:, TEXT] == text) & (available[:, IMAGE] == picture)
        by[here] = temperatures.get(name, 1.0)
    return (logs.float() / by[:, None]).log_softmax(-1)


def fit_temperatures(network: Any, data: ReadProducts, rows: NDArray[np.int64]) -> dict[str, float]:
    """Fit the temperatures by maximum likelihood on held-out products, for each input alone and for both.

    Args:
        rows: positions of held-out products with a known label.
    """
    reads = [modality for modality in (TEXT, IMAGE) if modality in network.used]
    found: dict[str, float] = {}
    network.eval()
    device = next(network.parameters()).device
    for name, (text, picture) in HAS.items():
        if not {modality for modality, has in ((TEXT, text), (IMAGE, picture)) if has} <= set(reads):
            continue
        logs, labels = [], []
        for at in range(0, len(rows), BATCH):
            part = rows[at : at + BATCH]
            inputs = data.inputs(part)
            has = inputs.available[:, [TEXT, IMAGE]]
            kept = (~torch.tensor([text, picture]) | has).all(dim=1)
            if not bool(kept.any()):
                continue
            withheld = [modality for modality, wanted in ((TEXT, text), (IMAGE, picture)) if not wanted]
            given = (
                inputs.rows(kept).without(*withheld).to(device) if withheld else inputs.rows(kept).to(device)
            )
            with torch.no_grad():
                logs.append(network(given, inference="expected").float().cpu())
            labels.append(torch.from_numpy(data.labels[part])[kept])
        if logs:
            found[name] = round(best_temperature(torch.cat(logs), torch.cat(labels)), 4)
    return found


def best_temperature(logs: Tensor, labels: Tensor) -> float:
    """The temperature with the lowest negative log-likelihood, by golden-section search over its logarithm.

    >>> sharp = torch.tensor([[5.0, 0.0]] * 10)  # right in 7 of 10: 5 / T is to be log(7 / 3)
    >>> round(best_temperature(sharp, torch.tensor([0] * 7 + [1] * 3)), 2)
    5.9
    """
    from scipy.optimize import minimize_scalar

    def unlikely(log_temperature: float) -> float:
        return float(torch.nn.functional.cross_entropy(logs.double() / np.exp(log_temperature), labels))

    bounds = (float(np.log(LOWEST)), float(np.log(HIGHEST)))
    return float(np.exp(minimize_scalar(unlikely, bounds=bounds, method="bounded").x))
