"""The options --tail and --noise of every trainer."""

from __future__ import annotations

import argparse
import math
from typing import Any

from core.errors import TrainingError
from core.labels.noise import MACHINE_WEIGHT, NOISES
from core.labels.tail import TAILS


def add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--tail", choices=tuple(TAILS), default="none",
        help="; ".join(f"{name}: {what}" for name, what in TAILS.items()),
    )  # fmt: skip
    made.add_argument(
        "--tau", type=float, default=1.0, help="strength of logit adjustment, in the loss or post hoc"
    )
    made.add_argument(
        "--noise", choices=tuple(NOISES), default="none",
        help="; ".join(f"{name}: {what}" for name, what in NOISES.items()),
    )  # fmt: skip
    made.add_argument(
        "--machine-weight", type=float, help=f"of --noise weights, 0 to 1; default: {MACHINE_WEIGHT}, or chosen on "
        "human validation products where that takes seconds (probe, TF-IDF)",
    )  # fmt: skip


def chosen(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of a RunConfig.

    Raises:
        TrainingError: a setting is out of range, or both --balance and --tail are given.
    """
    if getattr(arguments, "balance", "none") != "none" and arguments.tail != "none":
        raise TrainingError("--balance and --tail are for the same: give one of them.")
    if not (math.isfinite(arguments.tau) and 0 <= arguments.tau <= 10):
        raise TrainingError(f"--tau is {arguments.tau}; expected 0 to 10.")
    weight = arguments.machine_weight
    if weight is not None and not 0 <= weight <= 1:
        raise TrainingError(f"--machine-weight is {weight}; expected 0 to 1.")
    remedies: dict[str, Any] = {}
    if arguments.tail in ("logit-adjustment", "post-hoc"):
        remedies["tau"] = arguments.tau
    if arguments.noise == "weights" and weight is not None:
        remedies["machine_weight"] = weight
    return {"tail": arguments.tail, "noise": arguments.noise, "remedies": remedies}
