"""What a person is shown when something cannot be done.

A `VitrineError` is raised on purpose and its text is for the reader: what happened, where, and what
to do next. Anything else that escapes is a bug and stays loud.
"""

from __future__ import annotations

from collections.abc import Sequence


class VitrineError(Exception):
    """Raised on purpose; the command line and every page print its text as it is."""


class UsageError(VitrineError):
    """A command, a form or a URL asked for something that cannot be."""


class SourceError(VitrineError):
    """Files given to an import are missing, cut short or not what they claim to be."""


class StorageError(VitrineError):
    """A folder cannot be written, or the disk is full."""


class ImageError(VitrineError):
    """A picture is missing, broken, or larger than Vitrine opens."""


class UnknownDatasetError(VitrineError):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        have = ", ".join(known) if known else "none yet"
        super().__init__(
            f"There is no dataset named {name!r} (there is: {have}). "
            "It may have been removed; see `vitrine datasets`."
        )


class DamagedDatasetError(UnknownDatasetError, StorageError):
    """A dataset whose files cannot be read. It can be removed; all others work."""

    def __init__(self, name: str, reason: str) -> None:
        VitrineError.__init__(
            self,
            f"The dataset {name!r} is damaged: {reason}. "
            f"Remove it and import it again: vitrine remove {name}",
        )


class DatasetExistsError(VitrineError):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"A dataset named {name!r} exists already. Choose another name, "
            f"or remove it first: vitrine remove {name}"
        )


class ModelError(VitrineError):
    """A model cannot be loaded or used: not there, cut short, not fitting, or given nothing to look at."""


class DamagedRunError(ModelError):
    """A run's configuration cannot be used. The run can be deleted; all others work."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The run {name!r} is damaged: config.json cannot be read ({reason}). "
            "Train it again, or delete it on the page Train."
        )


class TrainingError(VitrineError):
    """A training cannot begin or go on; what was saved last is kept."""


class EmbeddingError(VitrineError):
    """Vectors are missing, stale, of another encoder, broken, or being written by somebody else."""


class PreparationError(VitrineError):
    """A dataset is being prepared by another process."""


class MapError(VitrineError):
    """A map is missing, stale, broken, or being made by somebody else."""


class DuplicatesError(VitrineError):
    """Duplicates cannot be looked for, or have not been looked for yet."""
