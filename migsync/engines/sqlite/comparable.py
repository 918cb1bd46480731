"""A SQLite catalog without what depends on the version of Django that wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from migsync.engines.catalog import GENERATED, PartRow

UNIQUE: Final = re.compile(r" unique\b")
DEFAULT: Final = re.compile(r" default ('(?:[^']|'')*'|\((?:[^()]|\([^()]*\))*\)|[^\s(]+)", re.IGNORECASE)
COLLATION: Final = re.compile(r' collate (?:"[^"]*"|\S+)')


def comparable(rows: Iterable[PartRow]) -> Iterator[PartRow]:
    """The same parts, where a unique column, a unique constraint and an unnamed unique index are one thing."""
    for kind, table, name, definition in rows:
        if kind == "column":
            yield from _column(table, name, definition)
        elif kind == "index" and definition.startswith('unique ("') and GENERATED.search(name):
            yield "unique constraint", table, "", definition
        elif kind != "table options":
            yield kind, table, name, definition


def _column(table: str, name: str, definition: str) -> Iterator[PartRow]:
    said = COLLATION.sub("", f" {definition}")
    if default := DEFAULT.search(said):
        yield "default", table, name, default[1]
        said = said.replace(default[0], "", 1)
    if UNIQUE.search(said):
        yield "unique constraint", table, "", f'unique ("{name}")'
        said = UNIQUE.sub("", said, count=1)
    yield "column", table, name, said.strip()
