"""Blocks as plain text, for pipes and files: aligned, never wrapped, never shortened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migsync.cli.views.blocks import Block, Line, TextTable
from migsync.escapes import printable

GAP = "  "


def render(blocks: Iterable[Block]) -> str:
    """The text of the blocks, each line ended by a newline and without trailing blanks."""
    return "".join(f"{text.rstrip()}\n" for block in blocks for text in _lines(block))


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Line):
        yield " " * block.indent + "".join(printable(span.text) for span in block.spans)
    else:
        yield from _table(block)


def _table(block: TextTable) -> Iterator[str]:
    rows = [block.header, *([printable(cell.text) for cell in row] for row in block.rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield " " * block.indent + GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
