"""``CREATE TABLE`` taken apart: what it says of each column and each constraint, in no order; pure.

For the engines whose own words for a table are that statement: SQLite and MySQL.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

TOKEN: Final = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/) | (?P<text>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\]) | (?P<word>[\w$.]+) | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
KINDS: Final = {
    "primary": "primary key",
    "unique": "unique constraint",
    "foreign": "foreign key",
    "check": "check",
    "key": "index",
    "fulltext": "index",
    "spatial": "index",
}
REFERENCE: Final = re.compile(r"(?: constraint \S+)? references .*?(?= (?:unique|check|generated|collate|default)\b|$)")


class Item(NamedTuple):
    """One column or constraint: its `kind`, its name ("" where it has none), and the rest of what is said of it."""

    kind: str
    name: str
    definition: str


@functools.lru_cache(maxsize=4096)  # of one migration to the next, hardly any table changes
def table_items(statement: str) -> tuple[Item, ...]:
    """The columns and constraints of a ``CREATE TABLE``, and its options."""
    tokens = _tokens(statement)
    if "(" not in tokens:
        return (Item("table options", "", _joined(tokens)),)
    start = tokens.index("(")
    parts: list[list[str]] = [[]]
    depth = end = 0
    for place, piece in enumerate(tokens[start:], start):
        depth += (piece == "(") - (piece == ")")
        if depth == 0:
            end = place
            break
        if piece == "," and depth == 1:
            parts.append([])
        elif place > start:
            parts[-1].append(piece)
    # The counter goes with the rows, and is not part of the schema.
    options = re.sub(r" ?auto_increment ?= ?\d+", "", _joined(tokens[end + 1 :]))
    items = [item for part in parts if part for item in _items(part)]
    return (*items, *([Item("table options", "", options)] if options else ()))


@functools.lru_cache(maxsize=4096)
def normal(statement: str) -> str:
    """A statement with one way to quote names and to put spaces; keywords are in lower case."""
    return _joined(_tokens(statement))


def _tokens(statement: str) -> list[str]:
    found = []
    for match in TOKEN.finditer(statement):
        text = match[0]
        match match.lastgroup:
            case "space":
                continue
            case "name":
                found.append(f'"{text[1:-1]}"')
            case "word":
                found.append(text.lower())
            case _:
                found.append(text)
    return found


def _joined(tokens: list[str]) -> str:
    return re.sub(r"(?<=\() | (?=[(),])", "", " ".join(tokens)).strip()


def _items(tokens: list[str]) -> Iterator[Item]:
    first = tokens[0]
    # A quoted name is a column's, also where it is called ``key``.
    if first.startswith('"') or first not in {*KINDS, "constraint"}:
        yield from _column(first.strip('"'), tokens[1:])
        return
    name = ""
    if first == "constraint":
        name, tokens = tokens[1].strip('"'), tokens[2:]
    elif len(tokens) > 2 and tokens[0] in ("unique", "key", "fulltext", "spatial"):
        # MySQL: UNIQUE KEY `name` (…); SQLite: UNIQUE (…).
        place = 2 if tokens[1] in ("key", "index") else 1
        if tokens[place].startswith('"'):
            name = tokens[place].strip('"')
            tokens = [*tokens[:place], *tokens[place + 1 :]]
    yield Item(KINDS.get(tokens[0], "constraint"), name, _joined(tokens))


def _column(name: str, tokens: list[str]) -> Iterator[Item]:
    said = f" {_joined(tokens)}"
    for match in REFERENCE.finditer(said):
        reference = match[0].strip()
        yield Item("foreign key", "", f"({name}) {reference[reference.index('references') :]}")
    said = REFERENCE.sub("", said)
    # NULL alone is what a column is without a word.
    yield Item("column", name, re.sub(r"(?<!not)(?<!default)(?<!set) null\b", "", said).strip())
