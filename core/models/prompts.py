"""Prompts: the text of a category for a zero-shot classifier."""

from __future__ import annotations

from core.catalog.cohort import path_text
from core.catalog.products import Products
from core.errors import UsageError

# From GLAMI's generate_clip_prompts, applied in order.
REPLACEMENTS = (
    ("women-s", "women's"),
    ("womens", "women's"),
    ("men-s", "men's"),
    ("mens", "men's"),
    ("-", " "),
    (" and ", " or "),
)
GLAMI = "A photo of a {}, a type of fashion product"
TEMPLATES = {"glami": GLAMI, "plain": "{}", "fashion": "{}, fashion product"}
LONGEST = 500  # characters of a template


def spoken(category: str) -> str:
    """A category's slug as words.

    >>> spoken("womens-tops-tank-tops-and-t-shirts")
    "women's tops tank tops or t shirts"
    """
    name = category.strip()
    for before, after in REPLACEMENTS:
        name = name.replace(before, after)
    return name


def template_of(prompt: str) -> str:
    """A template by name, or a custom one with {} for the category.

    Raises:
        UsageError: it has no place for the category, or is too long.
    """
    if prompt in TEMPLATES:
        return TEMPLATES[prompt]
    if "{}" not in prompt or len(prompt) > LONGEST:
        raise UsageError(
            f"--prompt {prompt[:80]!r}: write {{}} where the category's name goes, as in {GLAMI!r}, or one of "
            f"{', '.join(TEMPLATES)}."
        )
    return prompt


def prompts_of(products: Products, template: str) -> dict[str, str]:
    """The prompt of each category of a dataset.

    The name is the source's name of the leaf (GLAMI's slug), even if a tree of paths was given.

    Returns:
        The category's path as one line -> its prompt, sorted by the path.

    Raises:
        UsageError: the dataset has fewer than two categories.
    """
    rows = products.query(
        "SELECT category_path, category, count(*) AS n FROM cohort "
        "WHERE category_path IS NOT NULL AND len(category_path) > 0 GROUP BY 1, 2 ORDER BY n, category DESC"
    ).fetchall()
    named = {
        path_text(path): str(category or path[-1]) for path, category, _ in rows
    }  # the most frequent last
    if len(named) < 2:
        raise UsageError(f"{products.info.name} has {len(named)} categories; at least two are needed.")
    return {label: template.replace("{}", spoken(named[label])) for label in sorted(named)}
