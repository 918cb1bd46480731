"""Numbers and lists of things in the sentences that people read."""

from __future__ import annotations

from collections.abc import Iterable


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 row``, ``2 rows``, ``3 branches``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def text_list(items: Iterable[object], most: int | None = None, *, last: str = "and") -> str:
    """``a, b and c``; with more than `most` items ``a, b and 3 more``. Empty for no items."""
    words = truncated(items, most)
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def truncated(items: Iterable[object], most: int | None, more: str = "{} more", *, spare: int = 0) -> list[str]:
    """The first `most` of the items (None: all), and how many were left out, as `more` puts it.

    Up to `spare` items over `most` are kept: ``1 more`` takes as much room as the item itself.
    """
    words = list(map(str, items))
    if most is None or len(words) <= most + spare:
        return words
    return [*words[:most], more.format(len(words) - most)]


def sample(items: Iterable[object], most: int, separator: str = ", ") -> str:
    """``a, b``; with more than `most` items ``a, b and 3 more``. Unlike :func:`text_list` never ``a and b``."""
    words = list(map(str, items))
    left_out = len(words) - most
    return separator.join(words[:most]) + (f" and {left_out} more" if left_out > 0 else "")
