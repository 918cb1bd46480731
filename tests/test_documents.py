"""The JSON Schema of documents: whole, published, and one that keeps what programs rely on.

Every document that a test makes is held against it: tests/recorder.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from migsync.cli.document_schema import PATH, document_schema, schema_text
from migsync.cli.program import program
from migsync.cli.views.documents import FORMAT_VERSION
from tests import recorder

pytestmark = pytest.mark.pure

SCHEMA = document_schema()
FROZEN = Path(__file__).parent / "formats" / f"documents-{FORMAT_VERSION}.txt"
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "json.md"
WITHOUT = {"demo"}
"""Commands that write no document."""


def test_the_file_is_up_to_date() -> None:
    assert PATH.read_text(encoding="utf-8") == schema_text(), "run: python -m migsync.cli.document_schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_every_command_has_a_definition() -> None:
    with_json = {
        name
        for name, command in program.commands.items()
        if any(isinstance(each.type, click.Choice) and "json" in each.type.choices for each in command.params)
    }
    assert with_json - WITHOUT <= SCHEMA["$defs"].keys()


def promises(schema: Any, place: str) -> Iterator[str]:
    """What a program may rely on, a line each: the type of each key, whether it is always there, and its values."""
    match schema:
        case {"$ref": str(name)}:
            yield f"{place}: {name.rpartition('/')[2]}"
        case {"anyOf": list(kinds)}:
            for each in kinds:
                yield from promises(each, f"{place}|{_kind(each)}")
        case {"enum": list(values)}:
            yield from (f"{place} = {value}" for value in values)
        case {"const": value}:
            yield f"{place} = {value}"
        case {"type": "array", "items": items}:
            yield from promises(items, f"{place}[]")
        case {"type": "object", "properties": dict(properties)}:
            for key, each in properties.items():
                always = "" if key in schema.get("required", ()) else "?"
                yield from promises(each, f"{place}.{key}{always}")
        case {"type": "object", "additionalProperties": values}:
            yield from promises(values, f"{place}.*")
        case {"type": str(name)}:
            yield f"{place}: {name}"
        case _:
            yield f"{place}: anything"


def _kind(schema: dict[str, Any]) -> str:
    """What tells the kinds of one place apart, whatever is added to them: the keys that are always there, but one."""
    return ",".join(schema.get("required", ())[:4]) or ""


def all_promises() -> set[str]:
    return {each for name, schema in SCHEMA["$defs"].items() for each in promises(schema, name)}


def test_what_was_promised_is_kept() -> None:
    """A document may gain keys. For anything else, raise FORMAT_VERSION, then run `python -m tests.test_documents`."""
    kept = set(FROZEN.read_text(encoding="utf-8").splitlines())
    assert sorted(kept - all_promises()) == []


def test_a_change_is_found() -> None:
    """Not a test that cannot fail: each of these is one that programs would notice."""
    before = set(promises({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, "x"))
    for after in (
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "string"}}},
    ):
        assert before - set(promises(after, "x"))
    longer = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}
    assert not before - set(promises(longer, "x"))


def test_a_document_that_is_not_described_is_found() -> None:
    with pytest.raises(AssertionError, match="'error' is a required property"):
        recorder.hold({"format_version": 1})
    with pytest.raises(AssertionError, match="'other' was unexpected"):
        recorder.hold(
            {"format_version": 1, "error": dict.fromkeys(("code", "found", "meaning", "hint", "page", "other"), "")}
        )


def keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for each in schema.values():
            yield from keys(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from keys(each)


def test_the_page_has_every_key() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert sorted(key for key in set(keys(SCHEMA)) if f"`{key}" not in text and f".{key}" not in text) == []


if __name__ == "__main__":
    FROZEN.write_text("\n".join(sorted(all_promises())) + "\n", encoding="utf-8")
