"""Renames in files of the layout that ``makemigrations`` writes: no syntax tree, so some fifty times faster.

The reader's expression has matched the whole file: up to ``operations = [`` there is nothing but comments, imports and
plain assignments whose pairs are literals without escapes. So a pair between a line ``    dependencies = …`` and the
next attribute is an entry of it, and its name is the text between the quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from migsync.edits.outcomes import Outcome
from migsync.history.layout import read_generated
from migsync.history.migration import Key
from migsync.history.parser import Header

_ATTRIBUTE = re.compile(r"^    (dependencies|run_before|replaces) = ", re.MULTILINE)
_PAIR = re.compile(r"""\((['"])(.+?)\1, \1(.+?)\1\)""")
_CLASS = "\nclass Migration("
_OPERATIONS = "\n    operations = ["
_PLAIN = re.compile(r"""[^'"\\\x00-\x1f\x7f]+""")

Decide = Callable[[str, Sequence[Key]], tuple[Outcome, list[Outcome]]]
"""From an attribute and its keys to what must be put in front of them, and what becomes of each one."""


def rename_generated(content: bytes, decide: Decide) -> bytes | None:
    """The file with its keys as `decide` has them.

    None for a file of another layout, and for entries that come or go.
    """
    header = read_generated(content)
    if header is None or (not header.dependencies and decide("dependencies", ())[0]):
        return None
    text = content.decode()
    start = text.index(_CLASS) if not text.startswith(_CLASS[1:]) else 0
    stop = text.index(_OPERATIONS, start)
    marks = [*_ATTRIBUTE.finditer(text, start, stop)]
    pieces, done = [], 0
    expected: dict[str, tuple[Key, ...]] = {}
    for number, mark in enumerate(marks):
        end = marks[number + 1].start() if number + 1 < len(marks) else stop
        pairs = [*_PAIR.finditer(text, mark.end(), end)]
        keys = [Key(pair[2], pair[3]) for pair in pairs]
        becomes = {}
        front, outcomes = decide(mark[1], keys)
        # An entry that comes or goes takes line breaks and commas with it, which edits.sequences knows how to place.
        if front or not all(len(outcome) == 1 for outcome in outcomes):
            return None
        for pair, key, outcome in zip(pairs, keys, outcomes, strict=True):
            if outcome[0] != key:
                # A name with a quote or a backslash would need escapes, and the file would no longer have this layout.
                if not all(_PLAIN.fullmatch(part) for part in outcome[0]):
                    return None
                pieces += [text[done : pair.start(2)], f"{outcome[0].app}{pair[1]}, {pair[1]}{outcome[0].name}"]
                done = pair.end(3)
            becomes[key] = outcome[0]
        expected[mark[1]] = tuple(becomes.get(key, key) for key in getattr(header, mark[1]))
    changed = ("".join(pieces) + text[done:]).encode()
    # Read once more in place of trusting the expressions: where they differ, the syntax tree does it.
    return changed if read_generated(changed) == _expected(header, expected) else None


def _expected(header: Header, keys: dict[str, tuple[Key, ...]]) -> Header:
    return Header(
        keys.get("dependencies", ()),
        keys.get("run_before", ()),
        keys.get("replaces", ()),
        header.initial,
        header.atomic,
        header.operations,
        header.problems,
    )
