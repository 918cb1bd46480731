"""Entries taken out of a list, tuple or set, and put in: LibCST keeps the commas, comments and line breaks apart."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

_NEWLINE = re.compile(r"\r\n|\r|\n")
_Space = cst.BaseParenthesizableWhitespace
_Sequence = cst.List | cst.Tuple | cst.Set


def with_elements(
    code: str, removed: Collection[int], added: Mapping[int, Sequence[str]], front: Sequence[str] = ()
) -> str | None:
    """The sequence `code` without the elements at the places `removed`, and with `added` ones after others.

    `front` are put before all. A comment at the end of an element's line goes with it; a comment on a line of its own
    stays. None for code that LibCST does not write back as it was.
    """
    newline = _NEWLINE.search(code)
    module = cst.Module([], default_newline=newline[0] if newline else "\n")
    node = cst.parse_expression(code, cst.PartialParserConfig(default_newline=module.default_newline))
    if not isinstance(node, _Sequence) or module.code_for_node(node) != code or _comments_before_commas(node):
        return None
    layout = _Layout.of(node)
    for place in sorted({*removed, *added}, reverse=True):
        for text in reversed(added.get(place, ())):
            layout.insert(place + 1, text)
        if place in removed:
            layout.remove(place)
    for text in reversed(front):
        layout.insert(0, text)
    return module.code_for_node(layout.applied(node))


@dataclass
class _Layout:
    """A sequence as its elements and the spaces around them: one before each element, and one at the end."""

    elements: list[cst.BaseElement]
    spaces: list[_Space]
    comma_at_end: bool

    @classmethod
    def of(cls, node: _Sequence) -> _Layout:
        elements = list(node.elements)
        before, after = _ends(node)
        between = [_comma(element).whitespace_after for element in elements[:-1]]
        spaces = [before, *between, after] if elements else [_joined(before, after, at_start=True, at_end=True)]
        return cls(elements, spaces, bool(elements) and isinstance(elements[-1].comma, cst.Comma))

    def remove(self, place: int) -> None:
        before, after = self.spaces[place : place + 2]
        at_start, at_end = place == 0, place == len(self.elements) - 1
        del self.elements[place]
        self.spaces[place : place + 2] = [_joined(before, after, at_start=at_start, at_end=at_end)]

    def insert(self, place: int, text: str) -> None:
        """Put an element in, on a line of its own where its neighbours have that."""
        around = self.spaces[place]
        if not self.elements:
            spaces = [around, cst.SimpleWhitespace("")]
        elif place == 0:
            spaces = [around, _own_line(self.spaces[1] if len(self.elements) > 1 else around)]
        else:
            spaces = _parted(around, _own_line(self.spaces[place - 1]))
        self.elements.insert(place, cst.Element(cst.parse_expression(text)))
        self.spaces[place : place + 1] = spaces

    def applied(self, node: _Sequence) -> _Sequence:
        if not self.elements:
            return _emptied(node, self.spaces[0])
        comma_at_end = self.comma_at_end or (isinstance(node, cst.Tuple) and len(self.elements) == 1)
        elements = [
            element.with_changes(comma=_comma(element).with_changes(whitespace_after=space))
            for element, space in zip(self.elements[:-1], self.spaces[1:-1], strict=True)
        ]
        last = self.elements[-1]
        comma = _comma(last).with_changes(whitespace_after=cst.SimpleWhitespace("")) if comma_at_end else None
        elements.append(last.with_changes(comma=comma or cst.MaybeSentinel.DEFAULT))
        return _with_ends(node.with_changes(elements=elements), self.spaces[0], self.spaces[-1])


def _comma(element: cst.BaseElement) -> cst.Comma:
    return element.comma if isinstance(element.comma, cst.Comma) else cst.Comma()


def _ends(node: _Sequence) -> tuple[_Space, _Space]:
    """The space after the opening bracket and before the closing one."""
    if isinstance(node, cst.List):
        return node.lbracket.whitespace_after, node.rbracket.whitespace_before
    if isinstance(node, cst.Set):
        return node.lbrace.whitespace_after, node.rbrace.whitespace_before
    if node.lpar:
        return node.lpar[-1].whitespace_after, node.rpar[0].whitespace_before
    return cst.SimpleWhitespace(""), cst.SimpleWhitespace("")


def _with_ends(node: _Sequence, before: _Space, after: _Space) -> _Sequence:
    if isinstance(node, cst.List):
        return node.with_changes(
            lbracket=node.lbracket.with_changes(whitespace_after=before),
            rbracket=node.rbracket.with_changes(whitespace_before=after),
        )
    if isinstance(node, cst.Set):
        return node.with_changes(
            lbrace=node.lbrace.with_changes(whitespace_after=before),
            rbrace=node.rbrace.with_changes(whitespace_before=after),
        )
    if node.lpar:
        return node.with_changes(
            lpar=[*node.lpar[:-1], node.lpar[-1].with_changes(whitespace_after=before)],
            rpar=[node.rpar[0].with_changes(whitespace_before=after), *node.rpar[1:]],
        )
    return node


def _emptied(node: _Sequence, space: _Space) -> _Sequence:
    """Nothing in it but comments that stood on lines of their own; an empty set would be a dict."""
    left = space if _has_comment(space) else cst.SimpleWhitespace("")
    nothing = cst.SimpleWhitespace("")
    if isinstance(node, cst.Tuple):
        lpar = node.lpar or [cst.LeftParen()]
        rpar = node.rpar or [cst.RightParen()]
        return _with_ends(node.with_changes(elements=[], lpar=lpar, rpar=rpar), nothing, left)
    return _with_ends(cst.List([]), nothing, left)


def _joined(before: _Space, after: _Space, *, at_start: bool, at_end: bool) -> _Space:
    """The space around an element that is gone; the comment on its line goes with it."""
    match before, after:
        case cst.ParenthesizedWhitespace(), cst.ParenthesizedWhitespace():
            lines = [*before.empty_lines, *after.empty_lines]
            return after.with_changes(first_line=before.first_line, empty_lines=lines)
        case _, cst.ParenthesizedWhitespace():
            rest = after.with_changes(first_line=_plain(after.first_line))
            return before if at_start and not _has_comment(rest) else rest
        case cst.ParenthesizedWhitespace(), _:
            return after if at_end and not _has_comment(before) else before
    return after if at_end else before


def _plain(line: cst.TrailingWhitespace) -> cst.TrailingWhitespace:
    return line.with_changes(whitespace=cst.SimpleWhitespace(""), comment=None)


def _own_line(space: _Space) -> _Space:
    """A line break as in `space`, with no comments; a blank where `space` breaks no line."""
    if isinstance(space, cst.ParenthesizedWhitespace):
        return space.with_changes(first_line=_plain(space.first_line), empty_lines=[])
    return cst.SimpleWhitespace(" ")


def _parted(after: _Space, before: _Space) -> list[_Space]:
    """Part the space after an element, to put a new one in: a comment on the element's line stays with it."""
    if isinstance(after, cst.ParenthesizedWhitespace) and isinstance(before, cst.ParenthesizedWhitespace):
        return [
            before.with_changes(first_line=after.first_line),
            after.with_changes(first_line=_plain(after.first_line)),
        ]
    return [before, after]


def _has_comment(space: _Space) -> bool:
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return False
    return space.first_line.comment is not None or any(line.comment for line in space.empty_lines)


def _comments_before_commas(node: _Sequence) -> bool:
    """Whether a comma stands on the line after its element's comment: that layout is not kept."""
    return any(_has_comment(_comma(element).whitespace_before) for element in node.elements)
