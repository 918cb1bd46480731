"""One row of ``django_migrations``, and the fingerprint of many."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from migsync.history.migration import Key


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
        return Key(self.app, self.name)

    @property
    def age(self) -> tuple[str, int]:
        """Sorts records from the first applied to the last."""
        return (self.applied or "", self.id or 0)

    def same_row(self, other: Record) -> bool:
        """True when `other` is this row, unchanged; without an id the other three decide."""
        return self == other if self.id is not None else self[1:] == other[1:]


def fingerprints(records: Iterable[Record], apps: Iterable[str]) -> dict[str, str]:
    """A digest per app over (name, applied) of its records, in no order and without ids.

    Ids are left out because an inserted row's id is known only afterwards; rows that a plan touches are compared in
    full, by id, in its before-images.
    """
    rows: dict[str, list[tuple[str, str]]] = {app: [] for app in apps}
    for record in records:
        if record.app in rows:
            rows[record.app].append((record.name, record.applied or ""))
    return {
        app: hashlib.sha256(json.dumps(sorted(found)).encode()).hexdigest()[:32] for app, found in sorted(rows.items())
    }
