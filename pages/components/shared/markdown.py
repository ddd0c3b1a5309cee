"""Words of datasets and addresses inside Streamlit's Markdown."""

from __future__ import annotations


def plain(text: str | None) -> str:
    """Text that is shown as it is: nothing in it is markup, a picture to fetch, a link or a colour.

    >>> print(plain("**bold** ![x](http://example.invalid/a.png)"))
    \\*\\*bold\\*\\* \\!\\[x\\]\\(http\\://example\\.invalid/a\\.png\\)
    """
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()<>#+-.!|~:$&" else letter for letter in text or "")
