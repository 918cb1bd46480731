"""A MySQL or MariaDB catalog without what depends on the version of Django, or on the settings of the server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from migsync.engines.catalog import PartRow, link_tables

CHARACTERS: Final = re.compile(r' (?:character set|collate) (?:"[^"]*"|\w+)')
POSITIVE: Final = re.compile(r' check\("[^"]*" > = 0\)$')
"""What newer versions of Django say of an unsigned column besides."""
COMMENT: Final = re.compile(r" comment '(?:[^'\\]|''|\\.)*'")
DEFAULT: Final = re.compile(r" default ('(?:[^'\\]|''|\\.)*'|\((?:[^()]|\([^()]*\))*\)|\w+(?:\(\d*\))?|[^\s(]+)")
PRECISION: Final = re.compile(r"^ (datetime|time|timestamp)\(6\)")
NUMBER: Final = re.compile(r"^(?:small|big)?int(?:\(\d+\))?(?= )")
WIDTH: Final = re.compile(r"^ ((?:small|medium|big)?int)\(\d+\)")


def comparable(rows: Iterable[PartRow]) -> Iterator[PartRow]:
    """The same parts; a UUID is one in either type, and a time is one with and without microseconds."""
    found = list(rows)
    links = link_tables(found)
    partitioned = {table for kind, table, _, said in found if kind == "table options" and "partition by" in said}
    for kind, table, name, definition in found:
        if kind == "table":
            yield kind, table, name, "partitioned" if table in partitioned else ""
        elif kind == "column":
            number = name == "id" and table in links
            yield from _column(table, name, NUMBER.sub("int", definition) if number else definition)
        elif kind != "table options":
            yield kind, table, name, COMMENT.sub("", definition.replace(" using btree", ""))


def _column(table: str, name: str, definition: str) -> Iterator[PartRow]:
    said = COMMENT.sub("", CHARACTERS.sub("", f" {definition}"))
    if default := DEFAULT.search(said):
        if default[1] != "null":
            yield "default", table, name, default[1]
        said = said.replace(default[0], "", 1)
    said = WIDTH.sub(r" \1", PRECISION.sub(r" \1", said)).strip()
    if " unsigned" in said:
        said = POSITIVE.sub("", said)
    yield "column", table, name, re.sub(r"^char\(32\)", "uuid", said)
