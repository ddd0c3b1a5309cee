"""What a class is called in the languages of the built-in word list, so that it is found by whichever name one types."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

from core.demo import tree
from core.demo.words import lexicon

_ENDINGS = (
    ("sses", "ss"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("xes", "x"),
    ("ies", "y"),
    ("ss", "ss"),
    ("s", ""),
)


def names(label: str) -> list[str]:
    """The names of a class in GLAMI's languages and Chinese; empty where the word list does not have it.

    A class is recognised by its English name, in singular or plural.

    >>> "sukně" in names("skirt"), "φούστα" in names("Skirts"), names("no such class")
    (True, True, [])
    """
    return _by_name().get(_singular(label), [])


@cache
def _by_name() -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for slug, leaf in tree.leaves().items():
        said = found[_singular(leaf.path[-1])]
        said[leaf.path_zh[-1]] = None
        for words in lexicon().values():
            said.update(dict.fromkeys(words["kinds"].get(slug, ())))
    return {name: list(said) for name, said in found.items()}


def _singular(label: str) -> str:
    """An English name in lower case without its plural's ending: a rule of thumb, good for the names of clothes.

    >>> _singular("Dresses"), _singular("T-shirts"), _singular("dress")
    ('dress', 'tshirt', 'dress')
    """
    word = re.sub(r"[^\w ]", "", label.lower()).strip()
    return next((word.removesuffix(end) + other for end, other in _ENDINGS if word.endswith(end)), word)
