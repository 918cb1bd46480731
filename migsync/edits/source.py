"""The text of one file, with the places of its syntax nodes, and splices that leave all other bytes alone."""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from migsync.errors import HistoryError

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_ASCII = bytes(range(128)) + b"?" * 128  # tokenize wants the line that names the encoding in UTF-8; Python does not
_MEANING = "This file would have to change, and migsync does not edit code of this form."
_HINT = "Write it as a literal, such as ('app', 'name'), then run the command again."


class CannotEdit(HistoryError):
    """A file would have to change in a place that migsync cannot edit safely. `line` may be 0."""

    def __init__(self, path: str, line: int, what: str, meaning: str = _MEANING, hint: str = _HINT) -> None:
        super().__init__(f"{path}:{line}: {what}." if line else f"{path}: {what}.", meaning, hint)
        self.path = path
        self.line = line


class Splice(NamedTuple):
    """A span of a source, and the text to be put in its place; an empty span is a place to insert it."""

    start: int
    end: int
    text: str


class Source:
    """A file's text. Spans are offsets into its UTF-8 form, as the positions in :mod:`ast` are."""

    def __init__(self, content: bytes, path: str) -> None:
        self.path = path
        self.mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        self.encoding, text = self._decoded(content[len(self.mark) :])
        # In some encodings (ISO-2022-JP, UTF-7) one text can be written in several ways.
        if self.mark + text.encode(self.encoding) != content:
            raise CannotEdit(
                path,
                0,
                f"the text cannot be written back byte by byte in its encoding, {self.encoding}",
                "migsync changes nothing in a file but the names.",
                "Save the file as UTF-8, then run the command again.",
            )
        self.tree = ast.parse(text)
        # Positions in `ast` are bytes of UTF-8, whatever encoding the file is in.
        self._data = text.encode()
        self._starts = [0]
        for line in _LINE.findall(text):  # Python's lines; str.splitlines() knows more kinds of line ends
            self._starts.append(self._starts[-1] + len(line.encode()))
        self.quote = "'" if text.count("'") > text.count('"') else '"'

    def _decoded(self, content: bytes) -> tuple[str, str]:
        """The encoding and the text: Python 3.11's parser lets a comment pass that is not in the encoding."""
        try:
            encoding = tokenize.detect_encoding(io.BytesIO(content.translate(_ASCII)).readline)[0]
            return encoding, content.decode(encoding)
        except (SyntaxError, UnicodeDecodeError) as error:
            hint = "Save it as UTF-8, or name its encoding in its first line: # -*- coding: latin-1 -*-"
            raise CannotEdit(self.path, 0, f"wrong encoding ({error})", "Python cannot import it.", hint) from None

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node is."""
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0),
        )

    @property
    def length(self) -> int:
        """Where the text ends."""
        return len(self._data)

    def line(self, number: int) -> tuple[int, int]:
        """The span of a line, counted from 1, its end included; empty beyond the last."""
        return (self._starts[number - 1], self._starts[number]) if number < len(self._starts) else (self.length,) * 2

    def text(self, start: int, end: int) -> str:
        """The text of a span."""
        return self._data[start:end].decode()

    def words(self, words: Iterable[str]) -> list[str]:
        """All that the text holds of these words, code or not."""
        return re.findall(rf"\b(?:{'|'.join(words)})\b", self.text(0, len(self._data)))

    def line_start(self, node: ast.expr | ast.stmt) -> int:
        """Where the line begins that a node begins on."""
        return self._starts[node.lineno - 1]

    def newline(self, node: ast.expr | ast.stmt) -> str:
        r"""How the line ends that a node begins on: ``\n``, ``\r\n`` or ``\r``."""
        line = self.text(self._starts[node.lineno - 1], self._starts[node.lineno])
        return line[len(line.rstrip("\r\n")) :] or "\n"

    def spliced(self, splices: Iterable[Splice]) -> bytes:
        """The file with these splices made; raises CannotEdit for a character that its encoding does not have."""
        # Of two that begin at one place the longer goes first: the other one is inside of it, and is left out.
        ordered = sorted(splices, key=lambda splice: (splice.start, -splice.end))
        text = self.rendered(0, len(self._data), ordered)
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            character = text[error.start : error.end]
            raise CannotEdit(
                self.path,
                1,
                f"a new name contains {character!r}, which the encoding {self.encoding} does not have",
                "The name cannot be written into the file.",
                "Save the file as UTF-8, then run the command again.",
            ) from None

    def rendered(self, start: int, end: int, splices: Sequence[Splice]) -> str:
        """The text of a span with the splices in it, which are in order. What begins inside of another is left out."""
        parts = []
        for splice in splices:
            if splice.start >= start:
                parts += [self.text(start, splice.start), splice.text]
                start = splice.end
        parts.append(self.text(start, end))
        return "".join(parts)
