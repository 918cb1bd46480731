"""Help in the width of the terminal, from 60 columns up: no option, name or command is broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

import click

WIDTH = 100
"""Help is no wider than this, also on a wider terminal."""
NARROW = 72
"""Where there is less room, the texts about options begin further left, below most of the options."""


class HelpText(click.HelpFormatter):
    """Click's help, but wrapped at blanks only; click itself cuts ``--lock-timeout`` at its hyphens."""

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        indent = " " * self.current_indent
        room = self.width - self.current_indent
        paragraphs = ("\n".join(f"{indent}{line}" for line in _wrapped(part, room)) for part in text.split("\n\n"))
        self.write("\n\n".join(paragraphs) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write options, or commands, each with what is said about it."""
        rows = list(rows)
        widest = max(len(term) for term, _ in rows)
        first = min(widest, 16 if self.width < NARROW else col_max) + col_spacing
        hang = " " * (self.current_indent + first)
        for term, text in rows:
            lines = _wrapped(text, self.width - len(hang))
            beside = len(term) <= first - col_spacing
            head = term.ljust(first) + lines.pop(0) if lines and beside else term
            self.write("\n".join([" " * self.current_indent + head, *(f"{hang}{line}" for line in lines)]) + "\n")


def example_lines(text: str, room: int) -> Iterator[str]:
    """Commands with remarks behind them, ``migsync plan  # all``; each remark above its command where there is no room.

    A command that is too long goes on behind a backslash, as a shell takes it.
    """
    lines = text.splitlines()
    if max(map(len, lines), default=0) <= room:
        yield from lines
        return
    for line in lines:
        command, _, remark = line.partition("  # ")
        yield from (f"# {part}" for part in _wrapped(remark, room - 2))
        yield from _command(command.rstrip(), room)


def _command(command: str, room: int) -> Iterator[str]:
    if len(command) <= room:
        yield command
        return
    # An option keeps its value beside it.
    parts: Sequence[str] = re.split(r" (?=-)", command)
    line = parts[0]
    for part in parts[1:]:
        if len(line) + len(part) + 3 > room:
            yield f"{line} \\"
            line = f"  {part}"
        else:
            line = f"{line} {part}"
    yield line


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, break_long_words=False, break_on_hyphens=False)
