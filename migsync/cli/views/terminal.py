"""Blocks on a terminal, with colour and tables by Rich. The only module that imports it."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from typing import TextIO

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from migsync.cli.views.blocks import EMPTY, Block, Line, Span, Style, TextTable
from migsync.escapes import printable

STYLES = {
    Style.PLAIN: "",
    Style.HEADING: "bold",
    Style.DIM: "dim",
    Style.GOOD: "green",
    Style.WARNING: "yellow",
    Style.BAD: "bold red",
    Style.COMMAND: "cyan",
}
UNBOUNDED = 100_000


def draw(blocks: Iterable[Block], stream: TextIO | None, *, colour: bool) -> str:
    """The blocks as `stream` shows them; where it is no terminal (``--color always | less -R``) nothing is wrapped."""
    terminal = stream is not None and stream.isatty()
    drawn = StringIO()
    console = Console(
        file=drawn,
        # The console draws into a string, which is no terminal; whether colour is wanted was decided before.
        force_terminal=True,
        no_color=not colour,
        color_system=("auto" if terminal else "standard") if colour else None,
        width=None if terminal else UNBOUNDED,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for block in blocks:
        if block == EMPTY:
            console.print()
            continue
        content = _line(block) if isinstance(block, Line) else _table(block)
        console.print(Padding(content, (0, 0, 0, block.indent), expand=False))
    # Rich pads what it draws; blanks at a line's end are of no use to anybody.
    return "".join(f"{text.rstrip()}\n" for text in drawn.getvalue().splitlines())


def _text(span: Span) -> Text:
    return Text(printable(span.text), style=STYLES[span.style])


def _line(block: Line) -> Text | RichTable:
    content = Text("", overflow="fold").join(_text(span) for span in block.spans)
    if not block.hang:
        return content
    label, rest = content.divide([block.hang])
    drawn = RichTable.grid()
    drawn.add_column(width=block.hang)
    drawn.add_column(overflow="fold")
    drawn.add_row(label, rest)
    return drawn


def _table(block: TextTable) -> RichTable:
    drawn = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for name in block.header:
        drawn.add_column(name, overflow="fold")
    for row in block.rows:
        drawn.add_row(*(_text(cell) for cell in row))
    return drawn
