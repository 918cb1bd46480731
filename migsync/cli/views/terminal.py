"""Blocks on a terminal, with colour by Rich. Only this module and :mod:`.bars` import it."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from typing import TextIO

from rich.console import Console
from rich.text import Text

from migsync.cli.views.blocks import Block, Style
from migsync.cli.views.layout import lay_out
from migsync.cli.views.width import UNBOUNDED, width_of

STYLES = {
    Style.PLAIN: "",
    Style.HEADING: "bold",
    Style.DIM: "dim",
    Style.GOOD: "green",
    Style.WARNING: "yellow",
    Style.BAD: "bold red",
    Style.COMMAND: "cyan",
}


def draw(blocks: Iterable[Block], stream: TextIO | None, *, colour: bool) -> str:
    """The blocks as `stream` shows them; where it is no terminal (``--color always | less -R``) nothing is wrapped."""
    terminal = stream is not None and stream.isatty()
    width = width_of(stream) or UNBOUNDED
    drawn = StringIO()
    console = Console(
        file=drawn,
        # The console draws into a string, which is no terminal; whether colour is wanted was decided before.
        force_terminal=True,
        no_color=not colour,
        color_system=("auto" if terminal else "standard") if colour else None,
        width=UNBOUNDED,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for block in blocks:
        for spans in lay_out(block, width):
            text = Text.assemble(*((span.text, STYLES[span.style]) for span in spans))
            # Blanks at a line's end are of no use to anybody.
            text.rstrip()
            console.print(text, soft_wrap=True)
    return drawn.getvalue()
