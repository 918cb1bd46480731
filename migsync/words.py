"""Numbers, lists and corrections in the sentences that people read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final


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


PART: Final = 4
"""So many letters of a word say which one is meant."""


def similar(given: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """What of the known words a person may have meant by `given`: the likeliest first, at most `most`."""
    from difflib import SequenceMatcher, get_close_matches  # only a mistake needs it

    # Nobody means another case; and who types a part, first of all the beginning, has not misspelled it.
    spelled = {word.lower(): word for word in sorted(known)}
    typed = given.lower()
    begun = [word for word in spelled if typed and word.startswith(typed)]
    if parts := begun or [word for word in spelled if len(typed) >= PART and typed in word]:
        return [spelled[word] for word in parts[:most]]
    found = get_close_matches(typed, spelled, most, cutoff=0.55)
    # Names of migrations have much in common. Where one is meant for sure, the others are no help.
    ratios = {word: SequenceMatcher(None, word, typed).ratio() for word in found}
    return [spelled[word] for word in found if ratios[word] > ratios[found[0]] - 0.1]


def did_you_mean(given: str, known: Iterable[str], otherwise: str = "") -> str:
    """``Did you mean shop or store?``; `otherwise` where none of the known words is like `given`."""
    near = similar(given, known)
    return f"Did you mean {text_list(near, last='or')}?" if near else otherwise


def clock_text(seconds: float) -> str:
    """A duration as a clock shows it: ``1:05``, ``2:00:00``."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def rate_text(per_second: float) -> str:
    """How much is done in a second, or in a minute where that is little."""
    if per_second < 1:
        return f"{per_second * 60:.0f}/min"
    return f"{per_second:.0f}/s" if per_second >= 10 else f"{per_second:.1f}/s"
