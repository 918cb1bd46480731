"""One change of files, as the journal file keeps it: what every path holds before and after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from pathlib import PurePath
from typing import Any, Self

FORMAT = 1


class State(StrEnum):
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


@dataclass(frozen=True)
class Record:
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

    def to_json(self) -> bytes:
        """The record as a document; paths that are not Unicode come back as they were."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return json.dumps({"format": FORMAT, **own}, default=vars).encode()

    @classmethod
    def from_json(cls, document: bytes) -> Self:
        """The inverse of :meth:`to_json`; raises KeyError, TypeError or ValueError for anything else."""
        found: dict[str, Any] = json.loads(document)
        if found.pop("format") != FORMAT:
            raise ValueError("another version of migsync wrote it")
        slots = tuple(
            Slot(slot["path"], _content(slot["before"]), _content(slot["after"])) for slot in found.pop("slots")
        )
        found["runs"] = tuple((alias, run) for alias, run in found["runs"])
        for name in ("directories", "emptied", "unheld"):
            found[name] = tuple(found[name])
        return cls(slots=slots, **found)


@dataclass(frozen=True)
class Open:
    """The commit that is under way. `aside` are the paths at which somebody else's change was met."""

    commit: str
    state: State
    aside: tuple[str, ...] = field(default=())

    def to_json(self) -> bytes:
        """It, as a document."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, document: bytes) -> Self:
        """The inverse of :meth:`to_json`; raises KeyError, TypeError or ValueError for anything else."""
        found = json.loads(document)
        return cls(str(found["commit"]), State(found["state"]), tuple(found["aside"]))


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _content(fields: Mapping[str, Any] | None) -> Content | None:
    return Content(**fields) if fields else None
