"""The few forms that text output is made of: lines of styled spans, and tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeAlias


class Style(Enum):
    """What a span means; a terminal gives it a colour, a pipe nothing."""

    PLAIN = "plain"
    HEADING = "heading"
    DIM = "dim"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line. Control characters in `text` are shown escaped, so that no name can drive a terminal."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Line:
    """One line, never broken unless a terminal is too narrow for it. No spans: an empty line.

    `hang`: where it is broken, the rest begins so many columns further in than the line, under what follows a label.
    `verbatim`: a line of a file, which only the terminal itself may break.
    """

    spans: tuple[Span, ...] = ()
    indent: int = 0
    hang: int = 0
    verbatim: bool = False


@dataclass(frozen=True, slots=True)
class TextTable:
    """Rows under a header; every row has as many cells as the header.

    `prose`: the last column holds sentences or lists, which may wrap at their words.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[Span, ...], ...]
    indent: int = 2
    prose: bool = False


Block: TypeAlias = Line | TextTable
EMPTY = Line()


def line(*parts: str | Span, indent: int = 0, hang: int = 0) -> Line:
    """A line of spans, where a plain string is a plain span."""
    return Line(tuple(Span(part) if isinstance(part, str) else part for part in parts), indent, hang)


def table(
    header: Iterable[str], rows: Iterable[Iterable[str | Span]], indent: int = 2, *, prose: bool = False
) -> TextTable:
    """A table of spans, where a plain string is a plain span."""
    return TextTable(
        tuple(header),
        tuple(tuple(Span(cell) if isinstance(cell, str) else cell for cell in row) for row in rows),
        indent,
        prose,
    )


def near(path: Path) -> str:
    """The path as a person would type it from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
