"""How alike two sub-classes are: their names (S_label), the words of their titles (S_content), and vectors of both.

Source: MEP-3M (Liu et al., 2021), section 3.1. S_label is difflib's ratio. S_content is the cosine of counts of words as
the package simtext gave it up to version 1.1, which the paper used; later versions take presence instead of counts.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.statistics.tokens import chinese_tokenizer

CHARACTERS = 22_000  # of a sub-class's titles joined, as in the paper


def s_label(one: str, other: str) -> float:
    """Similarity of two names in [0, 1]: difflib's ratio, the greater of both orders, since it is not symmetric.

    >>> round(s_label("婴幼奶粉", "婴幼儿奶粉"), 2)
    0.89
    """
    return max(difflib.SequenceMatcher(None, *names).ratio() for names in ((one, other), (other, one)))


def normal(name: str) -> str:
    """A name without differences of case, width (NFKC) and spaces, for comparison only.

    >>> normal("ＵＳＢ　Cable") == normal("usb cable")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def is_chinese(text: str) -> bool:
    """Does it hold a character of simtext's range, the unified ideographs of the first plane?"""
    return any("\u4e00" <= one <= "\u9fff" for one in text)


def s_content(firsts: Sequence[str], seconds: Sequence[str]) -> NDArray[np.float64]:
    """S_content of each first text with each second one.

    Both texts of a pair are segmented by jieba if the first has a Chinese character, else neither; words are runs of two or
    more word characters, in lower case; their counts are compared by cosine.

    Args:
        firsts, seconds: F and S texts: titles joined, at most `CHARACTERS` each.

    Returns:
        (F, S) in [0, 1]; 0 where a text has no word.
    """
    found = np.zeros((len(firsts), len(seconds)))
    chinese = np.array([is_chinese(text) for text in firsts], bool)
    for segmented, rows in ((True, np.flatnonzero(chinese)), (False, np.flatnonzero(~chinese))):
        if len(rows) and len(seconds):
            found[rows] = _cosines([firsts[row] for row in rows.tolist()], seconds, segmented)
    return found


def _cosines(firsts: Sequence[str], seconds: Sequence[str], segmented: bool) -> NDArray[np.float64]:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    texts = [*firsts, *seconds]
    if segmented:
        texts = [" ".join(chinese_tokenizer().lcut(text)) for text in texts]
    try:  # words that a pair lacks add zeros to both vectors: one vocabulary for all pairs gives the same cosines
        counts = normalize(CountVectorizer().fit_transform(texts).astype(np.float64))
    except ValueError:  # no text has a word
        return np.zeros((len(firsts), len(seconds)))
    return np.asarray((counts[: len(firsts)] @ counts[len(firsts) :].T).toarray())


def by_characters(texts: Sequence[str]) -> Any:
    """Vectors of texts in any language without a model: TF-IDF of groups of one to three characters.

    Returns:
        (n, d), a sparse matrix; a row is 0 where nothing can be read.
    """
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        return TfidfVectorizer(
            analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True, max_features=50_000
        ).fit_transform([normal(text) for text in texts])
    except ValueError:
        return csr_array((len(texts), 1))


def cosines(vectors: Any, centred: bool = False) -> NDArray[np.float64]:
    """(n, d) vectors, dense or sparse, to their (n, n) cosines; 0 where a vector is 0.

    Args:
        centred: take the mean of all vectors that are not 0 away first, since what all share says nothing.
    """
    found = vectors @ vectors.T
    products = np.asarray(found if isinstance(found, np.ndarray) else found.toarray(), np.float64)
    there = np.diagonal(products) > 0
    if centred and there.sum() > 2:  # the products of centred vectors follow from those of the vectors
        part = products[np.ix_(there, there)]
        mean = part.mean(axis=0)
        products[np.ix_(there, there)] = part - mean[:, None] - mean[None, :] + mean.mean()
    length = np.sqrt(np.maximum(np.diagonal(products), 0))
    safe = np.where(length > 1e-12, length, 1.0)
    return np.clip(products / safe[:, None] / safe[None, :], -1, 1)
