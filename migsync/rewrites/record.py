"""One row of ``django_migrations``, and the fingerprint of many."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, cast

from migsync.decoder import DecodeError, Fields, integer, optional, text
from migsync.history.migration import CONTROL_CHARACTER, Key

LONGEST = 255
"""The length of Django's columns for app and name; SQLite does not enforce it."""
_NEW = tuple.__new__
"""A named tuple's own constructor is a function in Python; plans ask ten thousand records for their key many times."""


class Record(NamedTuple):
    """One row. `applied` is the server's own text, never a Python datetime, so that it can be written back unchanged.

    `id` is None only for a row that is to be inserted and gets its id from the database.
    """

    id: int | None
    app: str
    name: str
    applied: str | None

    @property
    def key(self) -> Key:
        """The migration that the row says was applied."""
        return _NEW(Key, self[1:3])

    @property
    def age(self) -> tuple[str, int]:
        """Sorts records from the first applied to the last."""
        return (self.applied or "", self.id or 0)

    @classmethod
    def from_dict(cls, document: object) -> Record:
        """The inverse of `_asdict`; raises DecodeError for anything else, and for a name that no row can have."""
        fields = Fields(document, cls._fields)
        return cls(
            fields.get("id", optional(integer)),
            fields.get("app", decode_name),
            fields.get("name", decode_name),
            fields.get("applied", optional(text)),
        )

    def same_row(self, other: Record) -> bool:
        """True when `other` is this row, unchanged; without an id the other three decide."""
        return self == other if self.id is not None else self[1:] == other[1:]


def is_squash_label(name: str, recorded: Iterable[str]) -> bool:
    """True for a squash, by its name, beside the records of its first and last migration in the same app.

    Django records what a squash replaces together with it, so these rows say what ran; they are judged themselves.
    """
    first, squashed, last = name.rpartition("_squashed_")
    others = [other for other in recorded if "_squashed_" not in other] if squashed else []
    return bool(squashed) and all(
        any(other == end or other.startswith(f"{end}_") for other in others) for end in (first, last)
    )


def as_records(rows: Iterable[Iterable[Any]]) -> tuple[Record, ...]:
    """The rows of a query as records."""
    return tuple(map(partial(_NEW, Record), rows))


def fingerprints(records: Iterable[Record], apps: Iterable[str]) -> dict[str, str]:
    """A digest per app over (name, applied) of its records, in no order and without ids.

    Ids are left out because an inserted row's id is known only afterwards; rows that a plan touches are compared in
    full, by id, in its before-images.
    """
    found: dict[str, list[tuple[str, str]]] = {app: [] for app in sorted(apps)}
    # Sorted all at once, and by tuples: this is done under the lock.
    rows = sorted([(app, name, applied or "") for _, app, name, applied in records if app in found])
    for app, some in groupby(rows, key=itemgetter(0)):
        found[app] = [row[1:] for row in some]
    return {app: fingerprint(json.dumps(rows)) for app, rows in found.items()}


def fingerprint(rows: str) -> str:
    """The digest of a JSON array with the names and times of an app's records."""
    return hashlib.sha256(rows.encode()).hexdigest()[:32]


def name_problem(text: object) -> str:
    """Why a text cannot be an app label or a migration's name, in words that fit after "has"; empty where it can."""
    if not isinstance(text, str):
        return "a name that is not text"
    if len(text) > LONGEST:
        return f"a name of {len(text)} characters, more than {LONGEST}"
    if CONTROL_CHARACTER.search(text):
        return "a control character in its name"
    return ""


def names_sound(texts: Collection[object]) -> bool:
    """Whether :func:`name_problem` finds nothing in any of the `texts`, asked of all at once."""
    if not set(map(type, texts)) <= {str}:
        return False
    names = cast("Collection[str]", texts)
    return max(map(len, names), default=0) <= LONGEST and not CONTROL_CHARACTER.search("".join(names))


def decode_name(value: object) -> str:
    """A decoder (:mod:`migsync.decoder`) for app labels and names of migrations."""
    found = text(value)
    if problem := name_problem(found):
        raise DecodeError(f"has {problem}")
    return found
