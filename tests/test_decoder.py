"""Documents that other programs wrote: of the very type that is asked for, or an error that names the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migsync import decoder
from migsync.decoder import DecodeError, Fields, array, boolean, exactly, integer, load_json, load_toml, optional, text
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is not JSON"),
        ('{"a": 1, "a": 1}', "has 'a' twice"),
        ('[{"x": {"b": 1, "b": 2}}]', "has 'b' twice"),
        ('{"a": NaN}', "has NaN"),
        ("[-Infinity]", "has -Infinity"),
        (DEEP, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[" + "9" * 10_000 + "]", "is not JSON"),
    ],
    ids=lambda value: f"{value:.20}",
)
def test_no_json(content: str, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        load_json(content)


@pytest.mark.parametrize(
    "content",
    ["a = 1\na = 2", f"a = {DEEP}", "a = 9999-99-99", "=", "a = " + "9" * 10_000],
    ids=lambda value: f"{value:.20}",
)
def test_no_toml(content: str) -> None:
    with pytest.raises(DecodeError):
        load_toml(content)


@pytest.mark.parametrize(
    ("decode", "value", "says"),
    [
        (text, 1, "is not text"),
        (text, None, "is not text"),
        (text, "\ud800", "half a surrogate pair"),
        (integer, True, "is not a whole number"),
        (integer, 1.0, "is not a whole number"),
        (integer, "1", "is not a whole number"),
        (integer, 2**63, "more than 64 bits"),
        (boolean, 1, "is neither true nor false"),
        (exactly(1), True, "is True, not 1"),
        (array(text), "ab", "is not a list"),
        (array(array(integer)), [[1], [2, "3"]], r"^\[1\]\[1\] is not a whole number$"),
        (optional(integer), [], "is not a whole number"),
    ],
)
def test_another_type(decode: Any, value: object, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        decode(value)


def test_what_fits_is_taken_as_it_is() -> None:
    assert (text("größe"), integer(-(2**63)), boolean(False), optional(text)(None)) == ("größe", -(2**63), False, None)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"id": 1, "app": "shop", "name": "0001"}, "^applied is missing$"),
        ({"id": 1, "app": "shop", "name": "0001", "applied": None, "colour": ""}, "'colour' is a field that"),
        ({"id": 1, "app": "shop", "name": 1, "applied": None}, "^name is not text$"),
        ({"id": 1, "app": "shop", "name": "a\x9bb", "applied": None}, "^name has a control character"),
        ({"id": 1, "app": "x" * 256, "name": "", "applied": None}, "^app has a name of 256 characters"),
        ([1, "shop", "0001", None], "is not an object"),
    ],
)
def test_no_record(document: object, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        Record.from_dict(document)


@pytest.mark.parametrize(
    "created", ["", "2026-1-2T3:4:5Z", "2026-01-01T00:00:00Z\n[apps.auth]", "2026-13-01T00:00:00Z"]
)
def test_a_rewrite_of_no_time(created: str) -> None:
    """It is written into a TOML file as it is, without quotes."""
    with pytest.raises(DecodeError, match="created is not a date and time"):
        Rewrite.from_dict({"id": "", "created": created, "apps": {}})


def test_the_place_is_named_from_the_top() -> None:
    fields = Fields({"plans": [{"target": {"alias": ["default"]}}]}, ("plans",))
    with pytest.raises(DecodeError, match=r"^plans\[0\]\.target\.alias is not text$"):
        fields.get("plans", array(lambda plan: Fields(plan, ("target",)).get("target", _alias)))


def _alias(value: object) -> str:
    return Fields(value, ("alias",)).get("alias", text)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(decoder.LONGEST_FILE + 1)
    with pytest.raises(DecodeError, match="is larger than 64 MiB"):
        decoder.read_file(path)
