"""Sentences are for people: no code of migsync reads a fact out of a message."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import migsync

PACKAGE = Path(migsync.__file__).parent
LAYOUT = {"cli/views/findings.py", "project/settings.py"}
"""The first breaks sentences into lines and does not tell a place twice; the second masks passwords."""

SENTENCES = {"found", "meaning", "hint", "sentence"}
OF_TEXTS = {
    *("startswith", "endswith", "find", "rfind", "index", "rindex", "count", "split", "rsplit", "splitlines"),
    *("partition", "rpartition", "removeprefix", "removesuffix", "replace", "strip", "lstrip", "rstrip"),
}
OF_PATTERNS = {"match", "search", "fullmatch", "findall", "finditer", "sub", "subn", "split"}
FILES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))


def is_sentence(node: ast.AST) -> bool:
    """``finding.found``, or the text of an error that was caught."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str":
        return any(isinstance(each, ast.Name) and each.id in ("error", "refused", "caught") for each in node.args)
    return isinstance(node, ast.Attribute) and node.attr in SENTENCES


def has_sentence(node: ast.AST) -> bool:
    return any(is_sentence(each) for each in ast.walk(node))


def parsed_sentences(tree: ast.AST) -> Iterator[int]:
    """The lines on which a sentence is taken apart, or searched in."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=method, value=value), args=arguments):
                taken_apart = method in OF_TEXTS and is_sentence(value) and not isinstance(value, ast.Call)
                if taken_apart or (method in OF_PATTERNS and any(map(has_sentence, arguments))):
                    yield node.lineno
            case ast.Compare(ops=[ast.In() | ast.NotIn() | ast.Eq() | ast.NotEq(), *_], comparators=[*right]):
                if any(is_sentence(each) for each in right) or is_sentence(node.left):
                    yield node.lineno
            case ast.Subscript(value=value) if is_sentence(value):
                yield node.lineno


@pytest.mark.parametrize(
    "code",
    [
        'refused.found.startswith("Its ")',
        '"more than once" not in finding.hint',
        're.search("migrate (.+)", finding.hint)',
        'pattern.sub(names, f"{finding.found} more")',
        "str(key) in finding.found",
        "finding.found[4:]",
        're.search("node (.+)", str(error))',
    ],
)
def test_what_must_not_be_is_seen(code: str) -> None:
    assert list(parsed_sentences(ast.parse(code))) == [1]


def test_no_sentence_is_parsed() -> None:
    found = {
        f"{name}:{line}"
        for name in FILES
        if name not in LAYOUT
        for line in parsed_sentences(ast.parse((PACKAGE / name).read_bytes()))
    }
    assert found == set()
