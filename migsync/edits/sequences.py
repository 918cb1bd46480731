"""Entries taken out of a list, tuple or set, and put in, while the commas, comments and line breaks of the others stay.

A sequence is seen as its elements and the spaces around them: one before each element, and one at the end. The syntax
tree has the elements. Between two of them there are only blanks, line ends, comments, one comma, and parentheses that
belong to an element, so one expression takes that apart.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from migsync.edits.entries import Holder
from migsync.edits.source import Source, Splice

# Possessive (*+): what they match is never given back, so that a long gap which does not match costs no backtracking.
_COMMENT = r"#[^\r\n]*+"
_SPACE = rf"(?:[ \t\f\r\n\\]|{_COMMENT})*+"
_GAP = re.compile(rf"(?P<closing>(?:{_SPACE}\))*)(?P<comma>(?:{_SPACE},)?)(?P<space>{_SPACE})(?P<opening>(?s:\(.*)?)")
_LINE = re.compile(rf"(?:[ \t\f]|\\(?:\r\n|\r|\n))*+(?:{_COMMENT})?(?:\r\n|\r|\n)")


def with_elements(
    source: Source,
    node: Holder,
    removed: Collection[int],
    added: Mapping[int, Sequence[str]],
    front: Sequence[str] = (),
) -> list[Splice] | None:
    """The splices that take out the elements of `node` at the places `removed`, and put `added` ones after others.

    `front` are put before all. A comment at the end of an element's line goes with it; a comment on a line of its own
    stays. None for a layout that cannot be kept: a comma on the line after its element's comment.
    """
    layout = _layout(source, node)
    if layout is None:
        return None
    for place in sorted({*removed, *added}, reverse=True):  # from the end: what stands in front keeps its place
        for text in reversed(added.get(place, ())):
            layout.insert(place + 1, text)
        if place in removed:
            layout.remove(place)
    for text in reversed(front):
        layout.insert(0, text)
    return list(layout.splices(node, source.span(node)))


class _Space(NamedTuple):
    """What stands between two elements, their comma apart.

    `first` is the rest of the line that the element before it ends on, `lines` are whole lines, and `last` is the start
    of the next element's line. Where no line ends in it, all of it is `last`.
    """

    first: str
    lines: str
    last: str

    @property
    def breaks_line(self) -> bool:
        return bool(self.first)

    @property
    def has_comment(self) -> bool:
        return "#" in self.first or "#" in self.lines

    @property
    def line_end(self) -> str:
        """The line end of the first line alone, without what stands before it."""
        return self.first[-2:] if self.first.endswith("\r\n") else self.first[-1:]

    def __str__(self) -> str:
        return "".join(self)


_NOTHING = _Space("", "", "")


class _Element(NamedTuple):
    """An element of the file, by its span, or a new one, by its text; and its comma with the blanks in front."""

    start: int = 0
    end: int = 0
    comma: str = ","
    new: str = ""


@dataclass
class _Layout:
    """The inside of a sequence, and its span: all of a tuple that has no parentheses of its own."""

    inside: tuple[int, int]
    elements: list[_Element]
    spaces: list[_Space]
    comma_at_end: bool

    def remove(self, place: int) -> None:
        before, after = self.spaces[place : place + 2]
        at_start, at_end = place == 0, place == len(self.elements) - 1
        del self.elements[place]
        self.spaces[place : place + 2] = [_joined(before, after, at_start=at_start, at_end=at_end)]

    def insert(self, place: int, text: str) -> None:
        """Put an element in, on a line of its own where its neighbours have that."""
        around = self.spaces[place]
        if not self.elements:
            spaces = [around, _NOTHING]
        elif place == 0:
            spaces = [around, _own_line(self.spaces[1] if len(self.elements) > 1 else around)]
        else:
            spaces = _parted(around, _own_line(self.spaces[place - 1]))
        self.elements.insert(place, _Element(new=text))
        self.spaces[place : place + 1] = spaces

    def splices(self, node: Holder, whole: tuple[int, int]) -> Iterator[Splice]:
        """A splice from each element that stays to the next one: the elements themselves may hold other splices."""
        is_tuple = isinstance(node, ast.Tuple)
        if not self.elements:
            # Nothing is left but comments that stood on lines of their own; an empty set would be a dict.
            comments = self.spaces[0] if self.spaces[0].has_comment else ""
            yield Splice(*whole, f"({comments})" if is_tuple else f"[{comments}]")
            return
        # Without its comma, a tuple of one is the element in parentheses.
        comma_at_end = self.comma_at_end or (is_tuple and len(self.elements) == 1)
        start, text = self.inside[0], str(self.spaces[0])
        for place, (element, space) in enumerate(zip(self.elements, self.spaces[1:], strict=True), start=1):
            if element.new:
                text += element.new
            else:
                yield Splice(start, element.start, text)
                start, text = element.end, ""
            text += f"{element.comma if place < len(self.elements) or comma_at_end else ''}{space}"
        yield Splice(start, self.inside[1], text)


def _layout(source: Source, node: Holder) -> _Layout | None:
    """None where a comment stands between an element and its comma."""
    start, end = source.span(node)
    spans = [source.span(element) for element in node.elts]
    if not isinstance(node, ast.Tuple) or _has_parentheses(source, (start, end), spans):
        start, end = start + 1, end - 1
    edges = [start, *(edge for span in spans for edge in span), end]
    found = [_GAP.fullmatch(source.text(*pair)) for pair in zip(edges[::2], edges[1::2], strict=True)]
    gaps = [gap for gap in found if gap and "#" not in gap["comma"]]
    if len(gaps) < len(found):
        return None
    elements = [
        # Spans are in bytes of UTF-8. An element's own parentheses are in no node, but in the gaps around it.
        _Element(begin - len(before["opening"].encode()), stop + len(after["closing"].encode()), after["comma"] or ",")
        for (begin, stop), before, after in zip(spans, gaps[:-1], gaps[1:], strict=True)
    ]
    spaces = [_space(gap["space"]) for gap in gaps]
    if not elements:
        spaces = [_joined(spaces[0], _NOTHING, at_start=True, at_end=True)]
    return _Layout((start, end), elements, spaces, bool(gaps[-1]["comma"]))


def _has_parentheses(source: Source, whole: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the parentheses at the ends of a tuple are its own, unlike those of ``("a", "b"), ("c", "d")``.

    If they are, one more opens before the first element than closes behind it.
    """
    if not spans:
        return True
    edges = [whole[0], *(edge for span in spans[:2] for edge in span), whole[1]]
    before, after = (re.sub(_COMMENT, "", source.text(*edges[at : at + 2])) for at in (0, 2))
    return before.count("(") > after.partition(",")[0].count(")")


def _space(text: str) -> _Space:
    first = _LINE.match(text)
    if first is None:
        return _Space("", "", text)
    stop = first.end()
    while line := _LINE.match(text, stop):
        stop = line.end()
    return _Space(first[0], text[first.end() : stop], text[stop:])


def _joined(before: _Space, after: _Space, *, at_start: bool, at_end: bool) -> _Space:
    """The space around an element that is gone; the comment on its line goes with it.

    `before` and `after` are the spaces on its two sides; `at_start` and `at_end`: it was the first or the last element.
    """
    # Its line ends in `after`: that is where its comment is. What `before` begins with belongs to the element before.
    if before.breaks_line and after.breaks_line:
        return _Space(before.first, before.lines + after.lines, after.last)
    if after.breaks_line:
        rest = after._replace(first=after.line_end)
        return before if at_start and not rest.has_comment else rest
    return before if before.has_comment or not at_end else after


def _own_line(space: _Space) -> _Space:
    """A line break as in `space`, with no comments; a blank where `space` breaks no line."""
    return _Space(space.line_end, "", space.last) if space.breaks_line else _Space("", "", " ")


def _parted(after: _Space, before: _Space) -> list[_Space]:
    """Part the space after an element, to put a new one in: a comment on the element's line stays with it."""
    if after.breaks_line and before.breaks_line:
        return [before._replace(first=after.first), after._replace(first=after.line_end)]
    return [before, after]
