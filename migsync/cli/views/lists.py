"""Long lists: how many rows are left out on a terminal, and how to see all, in the same words everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from migsync.cli.views.blocks import Line, Span, Style, line

T = TypeVar("T")

MORE: Final = "… and {} more (--verbose shows all)"
MORE_OF: Final = "… and {} more of [{}] (--verbose shows all)"


def cut(items: Sequence[T], most: int, *, shorten: bool) -> tuple[Sequence[T], int]:
    """The first `most` items and how many more there are; all of them, and 0, unless `shorten`.

    A single item is never left out: the line that counts it would take as much room.
    """
    if not shorten or len(items) <= most + 1:
        return items, 0
    return items[:most], len(items) - most


def more(hidden: int, indent: int = 0) -> Iterator[Line]:
    """The line that counts what was left out; none for 0."""
    if hidden:
        yield line(Span(MORE.format(hidden), Style.DIM), indent=indent)
