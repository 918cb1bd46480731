"""The summary of a change: a label, and behind it a few lines about files, names or databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from migsync.cli.views.blocks import EMPTY, Block, Line, Span, Style, line
from migsync.cli.views.lists import cut, more

LABEL: Final = 11
"""The width of what stands before a line."""

LINES: Final = 3
"""On a terminal, so many lines a group has at most: with three groups, and one line about the proof, that is ten."""


def group(label: str, rows: Sequence[str], total: str = "", *, shorten: bool = False) -> Iterator[Line]:
    """The rows behind a label.

    More than LINES of them come after their `total`; with `shorten` all but the first are only counted.
    """
    hidden = 0
    if len(rows) > LINES:
        shown, hidden = cut(rows, LINES - 2, shorten=shorten)
        rows = [total, *shown]
    for number, row in enumerate(rows):
        yield line(Span(f"{'' if number else label:<{LABEL}}", Style.HEADING), row, hang=LABEL)
    yield from more(hidden, indent=LABEL)


def with_gaps(sections: Iterable[Iterable[Block]]) -> list[Block]:
    """The blocks of all sections, with an empty line between two that are not empty."""
    blocks: list[Block] = []
    for section in map(list, sections):
        if section:
            blocks += [*([EMPTY] if blocks else []), *section]
    return blocks
