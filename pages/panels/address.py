"""What the address of a panel asks of it: the page around a panel hands its own on."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from core.catalog.cohort import QUERY_CHARACTERS, Cohort
from core.catalog.info import datasets
from core.errors import UsageError

FIELDS = 2_000  # parameters of an address, at most
OF_THE_PAGE = "() => location.search"  # the script that hands it to the event of opening


def filters_of(search: str | None, dataset: str) -> Cohort:
    """The products of a dataset that the filters of an address select; all, where the address is of another dataset.

    Args:
        search: such as "split=test&label_kind=human"; a program may send anything.

    Raises:
        UsageError: it is too long, or a filter cannot be.
    """
    try:
        given = parse_qs((search or "")[: 2 * QUERY_CHARACTERS].removeprefix("?"), max_num_fields=FIELDS)
    except ValueError as error:
        raise UsageError("The filters are too many to be read.") from error
    if given.get("dataset", [dataset])[0] != dataset:
        return Cohort(dataset)
    return Cohort.from_query(given, dataset)


@dataclass(frozen=True)
class Asked:
    """The parameters of an address that panels read."""

    models: tuple[str, ...] = ()
    cohort: Cohort | None = None  # None where no dataset is named that is here
    product: str = ""  # as Browse names it in an address
    name: str = ""
    description: str = ""
    q: str = ""
    without: str = ""
    photo: str = ""
    like: int | None = None  # a row of the dataset
    says: str = ""  # what of it cannot be followed

    @classmethod
    def read(cls, search: str | None) -> Asked:
        """Read "?dataset=demo&geo=cz&model=x"; what cannot be read is left out and said."""
        try:
            given = parse_qs((search or "")[: 2 * QUERY_CHARACTERS].removeprefix("?"), max_num_fields=FIELDS)
        except ValueError:
            return cls(says="The address is too long to be read.")
        one = {key: values[0].replace("\0", "") for key, values in given.items()}
        cohort, says = None, ""
        if dataset := one.get("dataset", ""):
            if dataset in {info.name for info in datasets()}:
                try:
                    cohort = Cohort.from_query(given)
                except UsageError as error:
                    cohort, says = Cohort(dataset), str(error)
            else:
                says = f"There is no dataset named {dataset!r}."
        like = one.get("like", "")
        return cls(
            models=tuple(dict.fromkeys(given.get("model", ()))),
            cohort=cohort,
            **{key: one.get(key, "") for key in ("product", "name", "description", "q", "without", "photo")},
            like=int(like) if like.isdecimal() and len(like) < 12 else None,
            says=says,
        )
