"""Checks of the installation before a demo."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from core.catalog import info as catalog
from core.embeddings.clip import encoder
from core.embeddings.loading import load_encoder
from core.embeddings.store import open_set
from core.errors import DamagedDatasetError, EmbeddingError, ImageError, ModelError
from core.models.registry import TRAIN_COMMAND, damaged_runs, models
from core.settings import ASSETS, OFFLINE, PROJECT, settings
from core.storage import sweep

FREE_BYTES = 2 * 2**30  # below this, a presenter should make room


@dataclass(frozen=True)
class Finding:
    subject: str
    ok: bool
    finding: str


def examine() -> list[Finding]:
    """Every check; one that breaks is itself a finding."""
    checks: dict[str, Callable[[], tuple[bool, str]]] = {
        "packages": _packages,
        "home": _home,
        "disk": _disk,
        "datasets": _datasets,
        "pictures": _pictures,
        "vectors": _vectors,
        "fonts": _fonts,
        "models": _models,
        "gpu": _gpu,
        "network": _network,
        "browser": _browser,
    }
    findings = []
    for subject, check in checks.items():
        try:
            ok, text = check()
        except Exception as error:  # a check must never stop the others
            ok, text = False, f"{type(error).__name__}: {error}"
        findings.append(Finding(subject, ok, text))
    return findings


def _packages() -> tuple[bool, str]:
    wrong = []
    pins = re.findall(
        r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?={2,3}(\S+)",
        (PROJECT / "requirements.txt").read_text(),
        re.MULTILINE,
    )
    for name, version in pins:
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            installed = "missing"
        if installed.split("+")[0] != version:
            wrong.append(f"{name} is {installed}, not {version}")
    return not wrong, "; ".join(wrong) + ". Run: make env" if wrong else f"{len(pins)} packages as pinned"


def _home() -> tuple[bool, str]:
    home = settings().home
    home.mkdir(parents=True, exist_ok=True)
    writable = os.access(home, os.W_OK)
    swept = f"; {gone:,} folders that killed imports left were deleted" if (gone := sweep()) else ""
    return (
        writable,
        f"{home} {'can be written' if writable else 'cannot be written; choose another with VITRINE_HOME'}{swept}",
    )


def _disk() -> tuple[bool, str]:
    free = shutil.disk_usage(settings().home).free
    return free >= FREE_BYTES, f"{free / 2**30:.1f} GB free"


def _datasets() -> tuple[bool, str]:
    found = catalog.datasets()
    names = ", ".join(f"{info.name} ({info.rows:,})" for info in found)
    if broken := catalog.damaged():
        return False, " ".join(broken.values()) + (f" Complete: {names}" if names else "")
    return bool(found), names or "none yet: vitrine import --help"


def _pictures() -> tuple[bool, str]:
    """One picture of every dataset can be read and decoded, without the network where it is local."""
    from core.catalog.products import Products
    from core.images.pictures import Pictures, decode

    broken, seen = [], 0
    for info in catalog.datasets():
        try:
            sql = "SELECT image_id FROM cohort WHERE image IS NOT NULL LIMIT 1"
            for (image_id,) in Products(info).query(sql).fetchall():
                decode(Pictures(info).read(image_id))
                seen += 1
        except (ImageError, DamagedDatasetError) as error:
            broken.append(f"{info.name}: {error}")
    return not broken, "; ".join(broken) or f"one picture of each of {seen} datasets was opened"


def _vectors() -> tuple[bool, str]:
    """Every set of vectors can be opened and fits its dataset and the weights that are here."""
    weights = cache(lambda name: load_encoder(encoder(name)).weights)
    broken, whole = [], []
    for info in catalog.datasets():
        for folder in sorted((info.folder / "embeddings").glob("*/encoder.json")):
            name = folder.parent.name
            try:
                described = open_set(info, name).description
                if described.weights:
                    open_set(info, name, weights(described.encoder))
                whole.append(f"{info.name}/{name} ({described.present:,})")
            except (EmbeddingError, ModelError) as error:
                broken.append(str(error))
    return not broken, " ".join(broken) or ", ".join(whole) or "none yet: vitrine embed NAME"


def _fonts() -> tuple[bool, str]:
    fonts = sorted(path.name for path in (ASSETS / "fonts").glob("*.woff2"))
    return len(fonts) >= 3, f"{len(fonts)} shipped"


def _models() -> tuple[bool, str]:
    """Every model that the panels would offer can be loaded."""
    from core.models.loading import load

    broken = [f"{name}: {why}" for name, why in damaged_runs().items()]
    found = models()
    for spec in found:
        try:
            load(spec)
        except ModelError as error:
            broken.append(f"{spec.name}: {error}")
    if broken:
        return False, "; ".join(broken)
    names = ", ".join(spec.name for spec in found)
    return bool(found), f"{names}: loaded" if found else f"none: {TRAIN_COMMAND}"


def _gpu() -> tuple[bool, str]:
    import torch

    if torch.cuda.is_available():
        return True, f"{torch.cuda.get_device_name(0)}, {torch.cuda.mem_get_info()[0] / 2**30:.0f} GB free"
    return True, "none; models run on the CPU"


def _network() -> tuple[bool, str]:
    loose = [name for name in OFFLINE if os.environ.get(name) != OFFLINE[name]]
    return (
        not loose,
        f"{', '.join(loose)} set in the environment: frameworks may use the network" if loose else "not used",
    )


def _browser() -> tuple[bool, str]:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )
    return True, found or "no Chromium; only tests need it"
