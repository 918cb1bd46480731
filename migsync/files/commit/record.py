"""One change of files, as the journal file keeps it: what every path holds before and after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from pathlib import PurePath
from typing import Self

from migsync.decoder import DecodeError, Fields, array, choice, load_json, optional, pair, same
from migsync.filesystem import boundary

PATHS = array(boundary.relative_path)
FORMAT = 2
"""Format 1 had no seal."""


class CommitState(StrEnum):
    """How far an open commit is.

    STAGING: new contents are being written beside the files. STAGED: the databases are written to; whether one of them
    committed decides. DECIDED: the new files are being put in place.
    """

    STAGING = "staging"
    STAGED = "staged"
    DECIDED = "decided"


@dataclass(frozen=True)
class Content:
    """What one path holds: the SHA-256 of the bytes, in hexadecimal, and the permission bits."""

    digest: str
    mode: int

    @classmethod
    def from_dict(cls, document: object) -> Self:
        """The content from its JSON value, an object with `digest` and `mode`; raises DecodeError for anything else."""
        found = Fields(document, ("digest", "mode"))
        return cls(found.get("digest", boundary.hexadecimal_digest), found.get("mode", boundary.permissions))

    @classmethod
    def of(cls, content: bytes, mode: int) -> Self:
        """The content that these bytes are."""
        return cls(digest(content), mode)


@dataclass(frozen=True)
class Slot:
    """One path, relative to the project's root, before and after; None where there is no file.

    A move is two slots. So swaps and chains of names need no order: every new content is staged before any is put in
    place.
    """

    path: str
    before: Content | None
    after: Content | None

    @classmethod
    def from_dict(cls, document: object) -> Self:
        """The slot from its JSON value, an object; raises DecodeError for another shape and for an unsafe path."""
        found = Fields(document, ("path", "before", "after"))
        content = optional(Content.from_dict)
        return cls(found.get("path", boundary.relative_path), found.get("before", content), found.get("after", content))


@dataclass(frozen=True)
class CommitRecord:
    """One commit of files.

    `slots` stand in the order in which the files are put in place. `runs` are the (alias, run id) that change databases
    with them. `directories` are made by it, `emptied` taken away by it when nothing is left in them. `unheld` are the
    paths of which git does not hold what they were: such a record is never pruned. `undoes` is the id of the commit
    that this one took back.
    """

    id: str
    number: int
    command: str
    created: str
    slots: tuple[Slot, ...]
    runs: tuple[tuple[str, str], ...] = ()
    directories: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    unheld: tuple[str, ...] = ()
    undoes: str = ""

    @cached_property
    def staged(self) -> Mapping[str, str]:
        """Slot's path -> the path at which its new content waits: in the same directory, no migration to Django."""
        return {
            slot.path: str(PurePath(slot.path).with_name(f".migsync-{self.id[:12]}-{number}"))
            for number, slot in enumerate(self.slots)
        }

    @property
    def places(self) -> tuple[str, ...]:
        """Every path that the record can make migsync write, remove or list."""
        # The bytecode of migrations that change is removed as well.
        packages = {slot.path.rpartition("/")[0] for slot in self.slots if slot.path.endswith(".py")}
        caches = (f"{package}/__pycache__".lstrip("/") for package in sorted(packages))
        return (*(slot.path for slot in self.slots), *self.directories, *self.emptied, *caches)

    def to_json(self) -> bytes:
        """The record as JSON, without format and seal. File names that are not UTF-8 come back as they were."""
        return json.dumps({each.name: getattr(self, each.name) for each in fields(self)}, default=vars).encode()

    @classmethod
    def from_dict(cls, document: object) -> Self:
        """The inverse of :meth:`to_json`; raises DecodeError for another shape, and for what must not be used."""
        found = Fields(document, [each.name for each in fields(cls)])
        record = cls(
            id=found.get("id", boundary.hexadecimal_id),
            number=found.get("number", boundary.number),
            command=found.get("command", boundary.plain_text),
            created=found.get("created", boundary.timestamp),
            slots=found.get("slots", array(Slot.from_dict)),
            runs=found.get("runs", array(_run)),
            directories=found.get("directories", PATHS),
            emptied=found.get("emptied", PATHS),
            unheld=found.get("unheld", PATHS),
            undoes=found.get("undoes", _no_id_or_one),
        )
        # Only a forged record has this: once the first of two such slots is in place, the second finds a strange file.
        if len({slot.path for slot in record.slots}) != len(record.slots):
            raise DecodeError("names a path twice", "slots")
        return record


@dataclass(frozen=True)
class OpenCommit:
    """The commit that is under way. `aside` are the paths at which somebody else's change was met."""

    commit: str
    state: CommitState
    aside: tuple[str, ...] = field(default=())

    def to_json(self) -> bytes:
        """The state as JSON, without format and seal."""
        return json.dumps({each.name: getattr(self, each.name) for each in fields(self)}).encode()

    @classmethod
    def from_dict(cls, document: object) -> Self:
        """The inverse of :meth:`to_json`; raises DecodeError for another shape, and for what must not be used."""
        found = Fields(document, [each.name for each in fields(cls)])
        return cls(
            found.get("commit", boundary.hexadecimal_id),
            found.get("state", choice(CommitState)),
            found.get("aside", PATHS),
        )


def with_seal(document: bytes, seal: str) -> bytes:
    """The document of a record, or of what is open, as it is kept: with its format and its seal."""
    return json.dumps({"format": FORMAT, **json.loads(document), "seal": seal}).encode()


def taken_apart(content: bytes) -> tuple[object, object]:
    """(document, seal) of what :func:`with_seal` made; the seal is None in the format that had none.

    Raises ValueError for anything else.
    """
    found = load_json(content.decode())
    if not isinstance(found, dict):
        raise DecodeError("is not an object")
    if not any(same(found.get("format", 1), known) for known in (1, FORMAT)):
        raise DecodeError("was written by another version of migsync")
    found.pop("format", None)
    return found, found.pop("seal", None)


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _run(value: object) -> tuple[str, str]:
    alias, run = pair(boundary.plain_text)(value)
    return alias, boundary.hexadecimal_id(run)


def _no_id_or_one(value: object) -> str:
    return "" if value == "" else boundary.hexadecimal_id(value)
