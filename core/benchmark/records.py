"""What the benchmark stores: a submission with its card, and how a benchmark is closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from core.benchmark.truth import Task
from core.errors import BenchmarkError

NAME_CHARACTERS, CARD_CHARACTERS = 80, 400
URLS = ("paper", "code")


@dataclass(frozen=True)
class Card:
    """What a submission says of itself; nothing of it is checked, but that addresses are web addresses."""

    authors: str = ""
    paper: str = ""  # an address
    code: str = ""  # an address
    inputs: str = ""  # such as picture and text
    training_data: str = ""
    date: str = ""
    note: str = ""

    def checked(self) -> Card:
        """The same in one line each.

        Raises:
            BenchmarkError: a text is too long, or an address is none.
        """
        found = {key: " ".join(str(value).split()) for key, value in asdict(self).items()}
        for key, value in found.items():
            if len(value) > CARD_CHARACTERS or not value.isprintable():
                raise BenchmarkError(
                    f"{key.replace('_', ' ')} has {len(value):,} characters; up to {CARD_CHARACTERS} printable ones are kept."
                )
            if key in URLS and value and not _is_address(value):
                raise BenchmarkError(f"{key} is no web address: write https://…")
        return Card(**found)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and " " not in text


@dataclass(frozen=True)
class Submission:
    """Predictions that were scored. Nothing of it changes but `withdrawn`."""

    id: str
    task: Task
    name: str
    kind: str  # file or evaluation
    fingerprint: str  # of the dataset
    card: Card
    report: dict[str, Any]
    digest: str = ""  # of the file, or of the model's weights
    notes: tuple[str, ...] = field(default_factory=tuple)
    created: str = ""  # UTC
    created_by: str = ""

    @property
    def n(self) -> int:
        return int(self.report["n"])

    @property
    def unread(self) -> int:
        """Products that its model could not read, and that its figures leave out."""
        return int(self.report.get("unseen") or 0)


@dataclass(frozen=True)
class Closed:
    """The labels of a split are kept from everybody but the owner, and scores are of a public part until it is opened."""

    dataset: str
    split: str = "test"
    per_day: int = 5  # submissions of one person
    public: float = 0.5  # share of the products that public scores are of
    seed: int = 0  # of the public part

    def __post_init__(self) -> None:
        if not 1 <= self.per_day <= 1_000:
            raise BenchmarkError(f"{self.per_day} submissions a day; expected 1 to 1,000.")
        if not 0.05 <= self.public <= 1:
            raise BenchmarkError(f"The public share is {self.public:g}; expected 0.05 to 1.")

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Closed:
        return cls(**{one.name: row[one.name] for one in fields(cls)})


def checked_name(name: str) -> str:
    """A model's name in one line; any characters that can be printed, which pages escape.

    Raises:
        BenchmarkError: it is empty or too long.
    """
    found = " ".join(name.split())
    if not found or len(found) > NAME_CHARACTERS or not found.isprintable():
        raise BenchmarkError(f"A submission needs a name of 1 to {NAME_CHARACTERS} printable characters.")
    return found
