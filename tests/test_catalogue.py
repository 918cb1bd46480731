"""The catalogue of findings: complete, and each entry fit to be read and documented."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import migsync
from migsync.cli.program import program
from migsync.findings import Finding, Severity
from migsync.findings.catalogue import catalogue
from migsync.findings.entry import CatalogueEntry, Texts, entry
from migsync.findings.finding import PLACE
from migsync.findings.pages import Page, pages
from migsync.key import Key
from migsync.sync.run import default_author
from tests.examples import examples, today

pytestmark = pytest.mark.pure

PACKAGE = Path(migsync.__file__).parent
CATALOGUE = catalogue()
PAGES = pages()
EXAMPLES = examples()


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_code_has_a_page(page: Page) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", page.code)
    assert page.title.endswith(".")
    assert page.body, "a page says more than its title"
    assert page.kind


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_says_what_its_facts_make(example: dict[str, Any]) -> None:
    assert example["code"] in PAGES, "remove it: no finding or error has this code any more"
    test, _, _ = example["test"].partition("[")
    path, *_, name = test.split("::")
    assert f"def {name}(" in (PACKAGE.parent / path).read_text(encoding="utf-8")
    assert example == today(example), "run: python -m tests.examples"


def test_every_code_has_an_example() -> None:
    assert sorted(PAGES.keys() - EXAMPLES.keys()) == [], "record a test that makes it: tests/examples.py"


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_is_of_no_machine(example: dict[str, Any]) -> None:
    """Neither a directory, a host or a user of the machine that recorded it, nor a secret."""
    text = json.dumps(example)
    places = r"/tmp/|/work/|/root\b|/home/(?!me/)|/Users/|site-packages|dist-packages|\bpopen-gw|pytest-of-"
    assert not re.search(places, text)
    assert default_author() not in text
    assert not re.search(r"://[^/\s:@]*:[^/\s@]+@", text)


def codes_of_errors() -> Iterator[str]:
    """The codes that classes of the package state."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code))):
                    yield code
                case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                    yield code


def test_every_code_of_an_error_has_a_page() -> None:
    found = set(codes_of_errors())
    assert found
    assert found <= PAGES.keys()


def test_no_finding_has_the_code_of_an_error() -> None:
    assert not {code for code, page in PAGES.items() if page.exit_status is not None} & set(CATALOGUE)


def test_explain_shows_every_page() -> None:
    listed = CliRunner().invoke(program, ["explain"]).output
    for page in PAGES.values():
        assert f"{page.code} " in listed
        shown = CliRunner().invoke(program, ["explain", page.code]).output
        assert " ".join(" ".join((page.title, *page.body)).split()) in " ".join(shown.split())


def test_explain_suggests_the_code_that_was_meant() -> None:
    ended = CliRunner().invoke(program, ["explain", "name-takn"])
    assert "name-taken" in str(ended.exception)


@pytest.mark.parametrize("each", CATALOGUE.values(), ids=CATALOGUE)
def test_facts_are_given_by_name_and_have_types(each: CatalogueEntry[...]) -> None:
    for fact in inspect.signature(each.template).parameters.values():
        assert fact.kind is fact.KEYWORD_ONLY
        assert fact.annotation is not fact.empty


def test_an_entry_has_the_name_of_its_code() -> None:
    assert [each.__name__ for each in CATALOGUE.values()] == [code.replace("-", "_") for code in CATALOGUE]


@entry("an-example", Severity.WARNING, Severity.ERROR)
def an_example(*, migration: Key, other: Key | None = None, file: str = "", line: int = 0, rows: int = 0) -> Texts:
    """An entry of this test."""
    return Texts(f"{migration} has {rows} rows.", severity=Severity.ERROR if rows else None)


def test_facts_become_fields_and_json() -> None:
    found = an_example(migration=Key("shop", "0001"), other=Key("blog", "0002"), file="shop/0001.py", line=3, rows=2)
    assert (found.code, found.severity, found.found) == ("an-example", Severity.ERROR, "shop.0001 has 2 rows.")
    assert {name: getattr(found, name) for name in PLACE} == {
        "app": "shop", "name": "0001", "file": "shop/0001.py", "line": 3, "other": "blog.0002", "operation": 0,
    }  # fmt: skip
    assert found.as_dict()["facts"] == {
        "migration": "shop.0001", "other": "blog.0002", "file": "shop/0001.py", "line": 3, "rows": 2,
    }  # fmt: skip
    assert found.as_dict()["page"] == "reference/findings/an-example.html"


def test_the_first_severity_is_the_usual_one() -> None:
    assert an_example(migration=Key("shop", "0001")).severity is Severity.WARNING


def test_a_finding_survives_json_and_fields_of_a_newer_version() -> None:
    found = an_example(migration=Key("shop", "0001"), rows=2)
    read = Finding.from_dict(found.as_dict() | {"newer": {"a": [1]}})
    assert read == found
    assert read.facts == found.facts


def test_a_finding_learns_facts_that_its_entry_can_do_without() -> None:
    known = an_example(migration=Key("shop", "0001"))
    found = known.with_facts(rows=2, migration=Key("blog", "0001"), alias="replica")
    assert found == an_example(migration=Key("shop", "0001"), rows=2)
    read = Finding.from_dict(found.as_dict())
    assert read.with_facts(rows=3) == found


def test_two_entries_with_one_code_are_an_error() -> None:
    with pytest.raises(ValueError, match="two entries have the code an-example"):
        entry("an-example", Severity.INFO)(lambda: Texts(""))


def calls_of_finding() -> list[str]:
    """Where a finding is made without the catalogue."""
    return [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    ]


def test_only_the_catalogue_makes_findings() -> None:
    assert [place for place in calls_of_finding() if not place.startswith("findings/")] == []
