"""Changes of files as text: what happens to each in a word, and unified diffs."""

from __future__ import annotations

import difflib
import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from migsync.cli.views.blocks import Line, Span, Style, line

if TYPE_CHECKING:
    from pathlib import Path

    from migsync.files.proposal import FileChange

WORDS = ("edited", "renamed", "new", "removed")
ALIKE = 0.5
"""As in git: a file was moved where more than half of it is still there."""

COLOURS = {"+": Style.GOOD, "-": Style.BAD, "@": Style.DIM, "r": Style.HEADING}


def kind(change: FileChange) -> str:
    """One of WORDS."""
    if change.old_path is None:
        return "new"
    if change.new_path is None:
        return "removed"
    return "edited" if change.old_path == change.new_path else "renamed"


def counted(changes: Iterable[FileChange]) -> str:
    """``2 edited, 1 renamed``."""
    found = Counter(map(kind, changes))
    return ", ".join(f"{found[word]} {word}" for word in WORDS if found[word])


def moves(changes: Iterable[FileChange]) -> list[FileChange]:
    """The changes with a removed and a new file of one directory as one, where most of their lines are the same."""
    found = list(changes)
    removed = {change: Counter(_lines(change.old)) for change in found if change.new_path is None}
    for number, change in enumerate(found):
        if change.old_path is None and change.new_path:
            lines = Counter(_lines(change.new))
            likely = [(_alike(lines, others), other) for other, others in removed.items() if _beside(other, change)]
            share, old = max(likely, key=lambda each: each[0], default=(0.0, change))
            if share > ALIKE:
                del removed[old]
                found[number] = replace(change, old_path=old.old_path, old=old.old)
    return [change for change in found if change.new_path or change in removed]


def _beside(removed: FileChange, new: FileChange) -> bool:
    return bool(removed.old_path and new.new_path and removed.old_path.parent == new.new_path.parent)


def _alike(lines: Counter[str], others: Counter[str]) -> float:
    return (lines & others).total() / max(lines.total(), others.total(), 1)


def diff_blocks(changes: Iterable[FileChange], root: Path, *, verbose: bool) -> Iterator[Line]:
    """The diff of each file, with paths from `root`; a removed file is one line, unless `verbose`."""
    for change in changes:
        # The whole text of each file with a minus before it would hide the changes that have to be read.
        if change.new is None and not verbose:
            yield line(Span(f"removed {place(change.old_path, root)}", Style.HEADING))
        else:
            yield from (_coloured(text) for text in diff(change, root))


def diff(change: FileChange, root: Path) -> list[str]:
    """A unified diff with git's line about a move before it; without lines for a file that only moves."""
    old, new = place(change.old_path, root), place(change.new_path, root)
    moved = [f"rename from {old}", f"rename to {new}"] if old and new and old != new else []
    return moved + list(
        difflib.unified_diff(
            _lines(change.old),
            _lines(change.new),
            f"a/{old}" if old else "/dev/null",
            f"b/{new}" if new else "/dev/null",
            lineterm="",
            n=2,
        )
    )


def place(path: Path | None, root: Path) -> str | None:
    """The path as it is shown: from the project's root, if it is below."""
    if path is None:
        return None
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _coloured(text: str) -> Line:
    style = Style.HEADING if text.startswith(("+++", "---")) else COLOURS.get(text[:1], Style.PLAIN)
    return Line((Span(text, style),), verbatim=True)


def _lines(content: bytes | None) -> Sequence[str]:
    if content is None:
        return ()
    try:
        # By the file's own coding line, as Python reads it. An unknown encoding there is a SyntaxError; a diff is
        # shown all the same.
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:
        encoding = "utf-8"
    return content.decode(encoding, errors="replace").splitlines()
