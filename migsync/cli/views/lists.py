"""Long lists: how many rows are left out on a terminal, and how to see all, in the same words everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import click

from migsync.alias import schema_of
from migsync.cli.views.blocks import Line, Span, Style, line
from migsync.findings import Finding
from migsync.words import count

T = TypeVar("T")

OTHERS: Final = 5
"""So many other members of a group are named without --verbose, also where the output is no terminal."""
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


def same_in(aliases: Sequence[str], *, indent: int, findings: Iterable[Finding] = ()) -> Iterator[Line]:
    """That the same holds for other targets; nothing where there are none.

    `findings` are those of the target that stands for all. Where the hint of one would be otherwise without the alias,
    its commands are for this target alone, and that is said too.
    """
    if aliases:
        context = click.get_current_context(silent=True)
        verbose = bool(context and context.obj and context.obj.verbose)
        named, hidden = cut(aliases, OTHERS, shorten=not verbose)
        said = f"the same in {count(len(aliases), 'other target')}: "
        yield line(said, ", ".join(schema_of(alias) or alias for alias in named), indent=indent, hang=2)
        yield from more(hidden, indent=indent)
        own = (each for each in findings if replace(each.with_facts(alias=""), found=each.found) != each)
        if alias := next((each.facts["alias"] for each in own), ""):
            told = f"the commands shown are for {alias}; run them for the others too (migsync takes -d more than once)"
            yield line(told, indent=indent)
