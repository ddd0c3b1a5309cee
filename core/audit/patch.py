"""Corrections that an audit found, as a file that a dataset can take and give back."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.answers.log import Decision
from core.audit.estimates import verdict
from core.audit.records import Audit
from core.catalog.corrections import Correction
from core.errors import SourceError, UsageError
from core.storage import storage_errors

FORMAT, VERSION = "vitrine-corrections", 1
BYTES = 256 * 2**20
TEXTS = ("item_id", "image_id")


def corrections(audit: Audit) -> list[dict[str, Any]]:
    """What reviewers corrected, by row: a `Correction`'s fields, who said so, how (blind or shown), plan, and when.

    A product counts where most of its reviewers say wrong, and at least one says what is right instead.
    """
    said: dict[int, list[Decision]] = defaultdict(list)
    for one in audit.answers:
        said[one.item].append(one)
    found = []
    for item, answers in sorted(said.items(), key=lambda entry: audit.items[entry[0]].row_id):
        made = verdict(audit.items[item], answers)
        if made.verdict != "wrong" or made.label is None or made.label == made.item.label:
            continue
        votes = [one for one in answers if one.answer == "wrong" and one.label == made.label]
        fix = Correction(made.item.row_id, made.item.item_id, made.item.image_id, made.item.label, made.label)
        found.append(
            asdict(fix)
            | {
                "who": [vote.who for vote in votes],
                "protocol": f"{'shown' if made.item.shown else 'blind'}, {len(votes)} of {len(answers)}",
                "plan": audit.plan.plan,
                "at": max(vote.at for vote in votes),
            }
        )
    return found


def write_patch(audit: Audit, path: Path) -> dict[str, Any]:
    """Write the corrections of an audit as JSON.

    Raises:
        StorageError: it cannot be written.
    """
    made = {
        "format": FORMAT,
        "version": VERSION,
        "id": audit.plan.plan,
        "dataset": audit.plan.dataset,
        "fingerprint": audit.plan.fingerprint,
        "corrections": corrections(audit),
    }
    with storage_errors(path.parent):
        path.write_text(json.dumps(made, ensure_ascii=False, indent=1), encoding="utf-8")
    return made


def read_patch(path: Path) -> tuple[str, str, list[Correction]]:
    """The id of a patch, its dataset, and its corrections.

    Raises:
        SourceError: the file cannot be read.
        UsageError: it is no patch, or changes one product twice.
    """
    try:
        if path.stat().st_size > BYTES:
            raise SourceError(f"{path} has more than {BYTES // 2**20} MB.")
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{path} cannot be read ({error}).") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT or said.get("version") != VERSION:
        raise UsageError(f"{path} holds no corrections of an audit.")
    found = []
    try:
        for one in said["corrections"]:
            made = Correction(*(one[name] for name in ("row_id", "item_id", "image_id", "old", "new")))
            if type(made.row_id) is not int or not isinstance(made.old, str) or not isinstance(made.new, str):
                raise ValueError(f"row {made.row_id}")
            if any(not isinstance(getattr(made, name), str | None) for name in TEXTS):
                raise ValueError(f"row {made.row_id}")
            found.append(made)
        name, dataset = str(said["id"])[:200], str(said["dataset"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} holds a correction that cannot be read ({error}).") from error
    if len({one.row_id for one in found}) != len(found):
        raise UsageError(f"{path} corrects one product twice.")
    return name, dataset, found
