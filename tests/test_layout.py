"""The layout of the package: what ``lint-imports`` cannot see. The rooms themselves are contracts in pyproject.toml."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

import migsync

PACKAGE = Path(migsync.__file__).parent
SOURCES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_bytes()) for path in PACKAGE.rglob("*.py")}
LONGEST = 350
"""Lines of a module; a longer one holds two ideas."""

NOT_YET: set[str] = set()

pytestmark = pytest.mark.pure


def is_django_command(place):
    """Django finds a command by its module, in which the class must be called ``Command``."""
    return place.startswith("companion/management/commands/")


def test_no_two_public_classes_have_one_name():
    places = defaultdict(list)
    for place, tree in SOURCES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not is_django_command(place):
                places[node.name].append(place)
    twice = {name: sorted(where) for name, where in places.items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in NOT_YET} == {}


def test_a_module_holds_one_idea():
    lengths = {place: len((PACKAGE / place).read_text().splitlines()) for place in SOURCES}
    assert {place: length for place, length in lengths.items() if length > LONGEST and place not in NOT_YET} == {}


def names_and_values(tree):
    """What a program acts on: identifiers and strings that are no docstrings."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.Constant(value=str(value)) if id(node) not in documentation and " " not in value:
                yield node.lineno, value


def may_name_engines(place):
    """The engines, and the demo: the project that it writes is on one of them."""
    return place.startswith(("engines/", "demo/"))


def test_only_the_engines_know_which_engines_there_are():
    found = {
        f"{place}:{line} {name}"
        for place, tree in SOURCES.items()
        if not may_name_engines(place) and place not in NOT_YET
        for line, name in names_and_values(tree)
        if any(engine in name.lower() for engine in ("mysql", "mariadb", "postgres", "sqlite"))
    }
    assert sorted(found) == []


MODULE = re.compile(r"`(?:migsync/)?([a-z_]+/[a-z_/]*\.py)`")


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_pages_for_developers_name_modules_that_there_are(page):
    mentioned = MODULE.findall((PACKAGE.parent / page).read_text())
    assert mentioned
    assert [place for place in mentioned if not (PACKAGE / place).exists()] == []
