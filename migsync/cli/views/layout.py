"""Blocks in the width of a terminal: lines wrap at blanks, and a table that is too wide puts its last columns below.

No name, path, time or command is broken. Where one is wider than the terminal, the terminal wraps it, so that it is
still copied whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from migsync.cli.views.blocks import Block, Line, Span, Style, TextTable, line
from migsync.escapes import printable

GAP = 2
"""Blanks between two columns of a table."""
NARROW = 2
"""How far a line hangs at most where something in it has room only so."""
SHORT = len("Warning: ")
"""Behind so little, what is wider than the terminal follows on the same line."""
LEAST = 24
"""The last column of a table wraps at its words where it has so much room, else it goes below."""

Spans = tuple[Span, ...]

_TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d\S*(?: UTC)?"
# Behind a colon or at the beginning of the line, up to its end. What ends with a full stop is a sentence about migsync.
_COMMAND = r"(?:(?<=: )|^)(?:migsync|python|git|pip|django-admin) \S.*(?<!\.)$"
# A line to copy into a SQL shell: a break in a literal would become part of the value.
_SQL = r"^(?:INSERT|UPDATE|DELETE|DROP|ALTER|CREATE|GRANT|SELECT) \S.*;$"
_WORD = r"(?:`[^`]*`|\S)+"
_WHOLE = re.compile(rf"{_COMMAND}|{_SQL}|{_TIME}|{_WORD}")
"""What is never broken: a word, a time, a statement of SQL on its own, and a command on its own or in backquotes."""


def lay_out(block: Block, width: int) -> Iterator[Spans]:
    """The lines of a block on a terminal of `width` columns, each with its indent; texts are made printable."""
    if isinstance(block, Line):
        yield from _lines(block, width)
    else:
        yield from _table(block, width)


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return len(text) + wide - sum(unicodedata.combining(one) > 0 for one in text)


def _lines(block: Line, width: int) -> Iterator[Spans]:
    spans = [replace(span, text=printable(span.text)) for span in block.spans]
    if block.verbatim:
        yield (Span(" " * block.indent), *spans)
        return
    text = "".join(span.text for span in spans)
    for start, end, hang in _breaks(text, _kept(spans), width - block.indent, block.hang):
        yield (Span(" " * (block.indent + hang)), *_slice(spans, start, end))


def _kept(spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Where in the line the pieces are that are never broken, in their order."""
    text = "".join(span.text for span in spans)
    place = free = 0
    for span in spans:
        end = place + len(span.text)
        if span.style is Style.COMMAND and span.text:
            yield from (match.span() for match in _WHOLE.finditer(text, free, place))
            yield place, end
            free = end
        place = end
    yield from (match.span() for match in _WHOLE.finditer(text, free))


def _breaks(text: str, kept: Iterable[tuple[int, int]], width: int, most: int) -> Iterator[tuple[int, int, int]]:
    """Where each line of the text begins and ends, and how far it hangs: `most`, or less where it is else too wide."""
    begin = end = hang = 0
    for start, stop in kept:
        piece, before = columns(text[start:stop]), hang + columns(text[begin:start])
        deep = min(most, NARROW) if most + piece > width >= NARROW + piece else most
        # Behind a label that is as wide as the next line's indent, a break would win no room. Behind a short word it is
        # of no use where the piece has no room on the next line either.
        useful = before > (deep if deep + piece <= width else SHORT)
        # Pieces that touch, as a name and the comma behind it, stay together.
        if 0 < end < start and before + piece > width and useful:
            yield begin, end, hang
            begin, hang = start, deep
        end = stop
    yield begin, end, hang


def _slice(spans: Iterable[Span], start: int, end: int) -> Iterator[Span]:
    place = 0
    for span in spans:
        piece = span.text[max(0, start - place) : max(0, end - place)]
        place += len(span.text)
        if piece:
            yield replace(span, text=piece)


def _table(block: TextTable, width: int) -> Iterator[Spans]:
    header = [Span(name, Style.DIM) for name in block.header]
    rows = [[replace(cell, text=printable(cell.text)) for cell in row] for row in block.rows]
    widths = [max(columns(cell.text) for cell in column) for column in zip(header, *rows, strict=True)]
    room = width - block.indent
    beside = _beside(block, widths, room)
    if block.prose and beside == len(header):
        widths[-1] = min(widths[-1], room - sum(widths[:-1]) - GAP * (beside - 1))
    indent = Span(" " * block.indent)
    if any(block.header[:beside]):
        yield (indent, *_row(header[:beside], widths))
        yield (indent, Span("─" * min(sum(widths[:beside]) + GAP * (beside - 1), room), Style.DIM))
    for row in rows:
        if beside == len(row):
            yield from _whole_row(row, widths, block, width)
        else:
            yield (indent, *_row(row[:beside], widths))
            yield from _below(list(zip(block.header, row, strict=True))[beside:], block.indent + NARROW, width)


def _beside(block: TextTable, widths: Sequence[int], room: int) -> int:
    """How many of the columns stand beside each other: all that fit, and those without which no row has a name."""
    fits = [sum(widths[:number]) + GAP * (number - 1) <= room for number in range(1, len(widths) + 1)]
    if block.prose and sum(widths[:-1]) + GAP * (len(widths) - 1) + LEAST <= room:
        return len(widths)
    named = next((number for number, name in enumerate(block.header, start=1) if name), 1)
    return max(fits.count(True), named)


def _row(cells: Sequence[Span], widths: Sequence[int]) -> Iterator[Span]:
    for number, cell in enumerate(cells):
        yield cell
        if number < len(cells) - 1:
            yield Span(" " * (widths[number] - columns(cell.text) + GAP))


def _whole_row(row: Sequence[Span], widths: Sequence[int], block: TextTable, width: int) -> Iterator[Spans]:
    hang = sum(widths[:-1]) + GAP * (len(widths) - 1)
    if block.prose:
        yield from _lines(Line(tuple(_row(row, widths)), block.indent, hang), width)
    else:
        yield (Span(" " * block.indent), *_row(row, widths))


def _below(cells: Iterable[tuple[str, Span]], indent: int, width: int) -> Iterator[Spans]:
    """The cells that have no room beside the others, each on a line behind its label."""
    told = [(f"{name}:" if name else "", cell) for name, cell in cells if cell.text]
    hang = max((columns(label) + 1 for label, _ in told), default=0)
    for label, cell in told:
        yield from _lines(line(Span(label.ljust(hang), Style.DIM), cell, indent=indent, hang=hang), width)
