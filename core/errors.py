"""Errors that are shown to the user.

A `VitrineError` is raised on purpose. Its text says what happened, where, and what
to do next. Any other exception is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence


class VitrineError(Exception):
    """Raised on purpose; the command line and every page print its text as it is."""


class UsageError(VitrineError):
    """A command, a form or a URL has an invalid value."""


class SourceError(VitrineError):
    """Files given to an import are missing, truncated or invalid."""


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
    """A model cannot be loaded or used: missing, truncated, incompatible, or without input."""


class DamagedRunError(ModelError):
    """A run's configuration cannot be used. The run can be deleted; all others work."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"The run {name!r} is damaged: config.json cannot be read ({reason}). "
            "Train it again, or delete it on the page Train."
        )


class TrainingError(VitrineError):
    """A training run cannot start or continue; the last checkpoint is kept."""


class EmbeddingError(VitrineError):
    """Vectors are missing, outdated, of another encoder, broken, or being written by another process."""


class PreparationError(VitrineError):
    """A dataset is being prepared by another process."""


class MapError(VitrineError):
    """A map is missing, outdated, broken, or being made by another process."""


class DuplicatesError(VitrineError):
    """Duplicates cannot be computed, or are not computed yet."""


class AnswersError(StorageError):
    """The database of answers does not answer. What was not stored can be sent again with the same key."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            f"The database of answers ({place}) does not answer: {why}. Nothing that was stored is lost; "
            "what was not is sent again."
        )


class UnknownPlanError(UsageError):
    def __init__(self, plan: str) -> None:
        super().__init__(f"There is no audit plan {plan!r}. See `vitrine audit list`.")


class ClosedPlanError(UsageError):
    def __init__(self, plan: str) -> None:
        super().__init__(
            f"The audit {plan} is closed and takes no more answers. Whoever leads it can open it again."
        )


class PairsError(VitrineError):
    """Incorrect pairs are missing, outdated or broken, or cannot be generated."""


class TranslationError(VitrineError):
    """Translations are missing or outdated, or are being made by another process."""


class BenchmarkError(UsageError):
    """A file of predictions, a submission or a setting of the benchmark cannot be taken as it is."""
