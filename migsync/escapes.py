"""Names and messages made harmless for the place where they are shown: one function for each medium.

They come from file names, rows, git, drivers and settings, and may hold what a terminal obeys, what turns the direction
of a line around, or markup. What is not printable is shown as Python would escape it, so that a reader sees it.
"""

from __future__ import annotations

import html
import json
import re
from typing import Final

REPLACEMENT: Final = "�"
# Within a word an underscore means nothing in GitHub's Markdown. Names of migrations are full of them, and stay
# readable.
_MARKDOWN = re.compile(r"([\\`*{}\[\]<>|#~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
# A code span of one backtick at each end, in which nothing could end it or mean something else.
_CODE = re.compile(r"(?<!`)`([^`<>&|\\]+)`(?!`)")
# Mermaid writes an entity as #NAME; without an ampersand. So a # and a ; of the text are themselves entities.
_MERMAID: Final = {
    "#": "#35;",
    '"': "#quot;",
    "<": "#lt;",
    ">": "#gt;",
    "&": "#amp;",
    "`": "#96;",
    "\\": "#92;",
    ";": "#59;",
}


def printable(text: str) -> str:
    """One line for a terminal, without control characters, bidirectional marks and lone surrogates."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def printable_lines(text: str) -> str:
    """A message of several lines for a terminal."""
    return "\n".join(map(printable, text.split("\n")))


def json_text(text: str) -> str:
    """A JSON document that can be shown on a terminal: the same values, with escapes for what is not printable."""
    # json.dumps() has escaped every newline of a value. Those that are left lie between values, where no escape may
    # stand.
    return "\n".join(
        line if line.isprintable() else "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)
        for line in text.split("\n")
    )


def toml_text(text: str) -> str:
    """The inside of a TOML string that :func:`json.dumps` has quoted, with escapes for what is not printable."""
    if text.isprintable():
        return text
    # Not as in json_text(): TOML has no surrogate pairs for what is beyond U+FFFF, but one escape of eight digits.
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in text)


def markdown(text: str) -> str:
    """One line of Markdown that is only text; what stands between two backticks stays code."""
    # split() with one group gives text and code in turn: every odd piece is code.
    pieces = _CODE.split(printable(" ".join(text.split())))
    return "".join(f"`{one}`" if place % 2 else _MARKDOWN.sub(r"\\\1", one) for place, one in enumerate(pieces))


def html_text(text: str) -> str:
    """The content of an element, or of an attribute in quotes."""
    return html.escape(printable(text))


def html_code(text: str) -> str:
    """The content of an element, in which what stands between two backticks is a ``<code>`` element."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html_text(text))


def sql_comment(text: str) -> str:
    """The rest of a ``--`` comment: ASCII on one line, which no name can leave."""
    return text.encode("unicode_escape").decode("ascii")


def dot_string(text: str) -> str:
    """A string of Graphviz's language; in it only a quote and a backslash mean something."""
    return '"' + _visible(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def mermaid_label(text: str) -> str:
    """A label between double quotes: what Mermaid, or the page around it, would read is spelled as an entity."""
    return "".join(_MERMAID.get(one, one) for one in _visible(text))


def _visible(text: str) -> str:
    return "".join(one if one.isprintable() else REPLACEMENT for one in text)
