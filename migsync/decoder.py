"""Strict decoders for JSON and TOML documents that other programs, or other people, may have written.

Every decoder takes a value as `json` or `tomllib` gives it and returns one of a known type. It never converts:
``true`` is no number, ``"1"`` is no number, a list is no text. What does not fit raises a DecodeError, which names the
place in the document. Decoders of larger values are made of smaller ones::

    plans = Fields(document, ("plans",)).get("plans", array(Plan.from_dict))
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Decoder = Callable[[object], T]

LONGEST_FILE = 64 * 1024 * 1024
"""Bytes. A plan of 100,000 changes has about half of it."""


class DecodeError(ValueError):
    """A document that is not what it should be. `problem` fits after the name of the `place`: "is not text"."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem, place)
        self.problem = problem
        self.place = place

    def __str__(self) -> str:
        return f"{self.place or 'it'} {self.problem}"

    def within(self, outer: str) -> DecodeError:
        """The same error, with `outer` before its place."""
        inner = self.place if self.place.startswith("[") or not self.place else f".{self.place}"
        shown = outer if outer.isascii() and outer.isprintable() else ascii(outer)
        return DecodeError(self.problem, f"{shown:.60}{inner}")


def read_file(path: Path) -> str:
    """The text of a UTF-8 file. Raises OSError, and DecodeError for other bytes and for more than `LONGEST_FILE`."""
    with path.open("rb") as file:
        content = file.read(LONGEST_FILE + 1)
    if len(content) > LONGEST_FILE:
        raise DecodeError(f"is larger than {LONGEST_FILE // 1024 // 1024} MiB")
    return utf8(content)


def utf8(content: bytes) -> str:
    """The bytes decoded as UTF-8; raises DecodeError, with the place of the first byte that is wrong."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"is not UTF-8 text ({error.reason} at byte {error.start})") from error


def load_json(content: str) -> object:
    """The document; raises DecodeError for what is no JSON, also for NaN and for a name that is given twice."""
    try:
        return json.loads(content, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except RecursionError:
        raise DecodeError("is nested too deeply") from None
    # A DecodeError is a ValueError as well. This one comes from one of the hooks, and says more than the message
    # below.
    except DecodeError:
        raise
    except ValueError as error:
        raise DecodeError(f"is not JSON ({error})") from error


def load_toml(content: str) -> object:
    """The document; raises DecodeError for what is no TOML."""
    import tomllib  # only here: a worker's process needs no TOML, and must start fast

    if content.startswith("\ufeff"):
        raise DecodeError("begins with a byte order mark, which TOML does not allow; save it as UTF-8 without one")
    try:
        return tomllib.loads(content)
    except RecursionError:
        raise DecodeError("is nested too deeply") from None
    except ValueError as error:
        raise DecodeError(f"is not TOML ({error})") from error


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    # Python keeps the last value of a repeated name, others may keep the first. A reviewer and migsync must not read
    # different plans in one file.
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise DecodeError(f"has {next(name for name in names if names.count(name) > 1)!a} twice in one object")
    return found


def _no_constant(name: str) -> object:
    raise DecodeError(f"has {name}, which is not JSON")


def text(value: object) -> str:
    """Text that can be written as UTF-8."""
    if not isinstance(value, str):
        raise DecodeError("is not text")
    if not value.isascii():
        try:
            # JSON may spell half of a pair, "\ud800", and Python makes text of it that no file and no database takes.
            value.encode()
        except UnicodeEncodeError:
            raise DecodeError("holds half a surrogate pair, which is not a character") from None
    return value


def integer(value: object) -> int:
    """A whole number of at most 64 bits, as databases hold them."""
    # Not isinstance(): True is an int.
    if type(value) is not int:
        raise DecodeError("is not a whole number")
    if not -(2**63) <= value < 2**63:
        raise DecodeError("is a number of more than 64 bits")
    return value


def boolean(value: object) -> bool:
    """``true`` or ``false``."""
    if not isinstance(value, bool):
        raise DecodeError("is neither true nor false")
    return value


def same(value: object, expected: object) -> bool:
    """Whether the value is the expected one, and of its type: ``true`` is not 1."""
    return type(value) is type(expected) and value == expected


def exactly(expected: T) -> Decoder[T]:
    """The :func:`same` value as the expected one."""

    def decode(value: object) -> T:
        if not same(value, expected):
            raise DecodeError(f"is {shortened(value)}, not {expected!r}")
        return expected

    return decode


def choice(kind: type[E]) -> Decoder[E]:
    """One of an enumeration's texts."""

    def decode(value: object) -> E:
        try:
            return kind(text(value))
        except ValueError:
            raise DecodeError(f"is {shortened(value)}, not one of {', '.join(kind)}") from None

    return decode


def optional(decode: Decoder[T]) -> Decoder[T | None]:
    """``null``, or what `decode` takes."""
    return lambda value: None if value is None else decode(value)


def array(decode: Decoder[T], length: int | None = None) -> Decoder[tuple[T, ...]]:
    """A list, of `length` items where that is given."""

    def decode_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise DecodeError("is not a list")
        if length is not None and len(value) != length:
            raise DecodeError(f"has {len(value)} items, not {length}")
        return tuple(_inside(f"[{number}]", decode, item) for number, item in enumerate(value))

    return decode_all


def pair(decode: Decoder[T]) -> Decoder[tuple[T, T]]:
    """A list of exactly two items that `decode` takes, as a tuple."""

    def decode_both(value: object) -> tuple[T, T]:
        first, second = array(decode, 2)(value)
        return first, second

    return decode_both


def table(decode: Decoder[T], name: Decoder[str] = text) -> Decoder[dict[str, T]]:
    """An object with any names that `name` takes, and values of one type."""

    def decode_all(value: object) -> dict[str, T]:
        return {name(key): _inside(key, decode, item) for key, item in _object(value).items()}

    return decode_all


class Fields:
    """The fields of an object: all of the `required` ones, some of the `optional`, and no others.

    Raises DecodeError for anything else. An unknown field comes from another version of migsync, or from a mistake; to
    pass over it would be to do something else than was written.
    """

    def __init__(self, value: object, required: Collection[str], optional: Collection[str] = ()) -> None:
        self._values = _object(value)
        for name in required:
            if name not in self._values:
                raise DecodeError("is missing", name)
        for name in self._values:
            if name not in required and name not in optional:
                raise DecodeError("is a field that this version does not know", shortened(name))

    def get(self, name: str, decode: Decoder[T]) -> T:
        """The value of a required field."""
        return _inside(name, decode, self._values[name])

    def get_or(self, name: str, decode: Decoder[T], default: T) -> T:
        """The value of an optional field, or the `default`."""
        return self.get(name, decode) if name in self._values else default


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DecodeError("is not an object")
    if not all(isinstance(name, str) for name in value):
        raise DecodeError("has a name that is not text")
    return cast("Mapping[str, Any]", value)


def _inside(place: str, decode: Decoder[T], value: object) -> T:
    try:
        return decode(value)
    except DecodeError as error:
        raise error.within(place) from None


def shortened(value: object) -> str:
    """The value's ``repr()`` for a message, in ASCII and cut off after 60 characters."""
    return f"{value!a:.60}"
