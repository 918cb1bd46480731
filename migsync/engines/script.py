"""What a script is to do and to expect, as plain values, and the SQL that all engines have in common.

A script works from ``migsync_change``, a temporary table with one row for each change of the plan. It counts rows of
``django_migrations`` against it, writes only where the counts are what they must be, and counts again.
"""

# ruff: noqa: S608 - text is made here, never sent; a plan's id is hexadecimal

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from migsync.words import count

RUN_TABLE = "migsync_run"
LEGEND = """\
-- present: rows that have an id of the plan; as_before, as_after: those that are as before or as after the plan;
-- bearers: rows that have a new name of the plan; inserted: those that are a new row of the plan;
-- named: rows that the plan deletes without knowing their id; standing: the last run of the plan that is in force;
-- beside: other rows of the same apps; kept: those that are as they were when the plan was made.
"""
"""What a script counts."""
JSON_COLUMNS = ("passed", "returned", "changes", "digests")
"""Columns of the journal whose text can be longer than a statement may be."""
LOCK_SECONDS = 10
"""So long a script waits for a lock."""
ROWS_A_STATEMENT = 500
PIECE = 100_000
"""So many characters of a text fit into one statement; SQLite's default limit is a million bytes."""


class ChangeRow(NamedTuple):
    """One row of ``migsync_change``, the table that every script works from.

    Without `name` it is a new row, without `new_name` a row that goes. `id` is None for a new row whose id the
    database gives, and for the row that came about so: no script can know its id, so (app, name, applied) stand for it.
    """

    n: int
    id: int | None
    applied: str | None
    app: str | None
    name: str | None
    new_app: str | None
    new_name: str | None

    @property
    def old_image(self) -> tuple[str | None, ...]:
        """The row before, without its id."""
        return (self.app, self.name, self.applied)

    @property
    def comes_back(self) -> bool:
        """A row that was removed, under the id that it had."""
        return self.name is None and self.id is not None

    @property
    def age(self) -> tuple[str, int]:
        """Sorts rows from the first applied to the last, as ``Record.age``."""
        return (self.applied or "", self.id or 0)

    @property
    def new_image(self) -> tuple[str | None, ...]:
        """The row after, without its id."""
        return (self.new_app, self.new_name, self.applied)


class KeptRow(NamedTuple):
    """A row of a changed app that the plan leaves as it is: one row of ``migsync_kept``."""

    id: int
    applied: str | None
    app: str
    name: str


@dataclass(frozen=True)
class Counts:
    """What a script must count in the table, before or after it has written.

    `present`: rows under the ids of the plan; each of them must be as its image. `named`: rows without a known id that
    are there by their image (before: those to be removed; after: those that were inserted). `gone`: rows that have the
    image of a removed one of unknown id though it is not there, because another change gives them that image.
    """

    present: int
    named: int
    gone: int = 0


@dataclass(frozen=True)
class ScriptPlan:
    """A plan made ready for a script.

    `id` is the plan's, `schema` that of ``django_migrations`` or empty, `done` the word for success: ``applied`` or
    ``undone``. `journal_row` has the columns of the journal's row that are known before it is written; it is empty for
    a script without a journal. `undoes` is the run, and `undone_plan` the plan whose run this one takes back, or empty.
    `duplicates` are the numbers `n` of the rows that come back beside one of their name, as they were before the plan.
    `kept` are the rows that the apps of the plan have besides; a script refuses to run where there are others by now,
    as `migsync apply` does. None where that is of no matter: an undo leaves rows alone that were recorded since.
    """

    id: str
    rows: tuple[ChangeRow, ...]
    schema: str = ""
    done: str = "applied"
    journal_row: Mapping[str, str] = field(default_factory=dict)
    undoes: str = ""
    undone_plan: str = ""
    duplicates: tuple[int, ...] = ()
    kept: tuple[KeptRow, ...] | None = None

    @property
    def journal(self) -> bool:
        """Whether the script notes the run in the journal."""
        return bool(self.journal_row)

    @property
    def count(self) -> str:
        """How many rows, in words."""
        return count(len(self.rows), "row")

    @cached_property
    def apps(self) -> list[str]:
        """The apps whose rows change."""
        return sorted({app for row in self.rows for app in (row.app, row.new_app) if app is not None})

    @cached_property
    def renamed(self) -> list[ChangeRow]:
        """Rows that get another name, found by id."""
        return [row for row in self.rows if row.name is not None and row.new_name is not None]

    @cached_property
    def removed(self) -> list[ChangeRow]:
        """Rows that go, found by id."""
        return [row for row in self.rows if row.new_name is None and row.id is not None]

    @cached_property
    def removed_by_name(self) -> list[ChangeRow]:
        """Rows that go, found by their image for want of an id."""
        return [row for row in self.rows if row.new_name is None and row.id is None]

    @cached_property
    def returned(self) -> list[ChangeRow]:
        """Rows that come back under the id they had."""
        return [row for row in self.rows if row.comes_back]

    @cached_property
    def inserted(self) -> list[ChangeRow]:
        """New rows, to which the database gives an id."""
        return [row for row in self.rows if row.name is None and row.id is None]

    @cached_property
    def before(self) -> Counts:
        """What must be there for the gate to open."""
        return Counts(len(self.renamed) + len(self.removed), len(self.removed_by_name))

    @cached_property
    def after(self) -> Counts:
        """What must be there when all is done."""
        images = {row.old_image for row in self.removed_by_name}
        # With one row of unknown id removed and another row renamed to its very image, one with that image is there
        # afterwards, rightly.
        gone = sum(row.new_image in images for row in (*self.renamed, *self.returned))
        return Counts(len(self.renamed) + len(self.returned), len(self.inserted), gone)

    @cached_property
    def bearers(self) -> int:
        """How many rows bear a new name before, as the script counts them: the plan's own rows that do.

        Together with all rows being as planned, this says that no other row bears a new name. A duplicate that comes
        back is let in beside an older row of its name: that one was kept when the duplicate was removed.
        """
        new: dict[tuple[str | None, str | None], list[ChangeRow]] = {}
        for row in self.rows:
            if row.new_name is not None:
                new.setdefault((row.new_app, row.new_name), []).append(row)
        return sum(
            row.n not in self.duplicates or bearer.id is None or bearer.age > row.age
            for bearer in self.rows
            if bearer.name is not None
            for row in new.get((bearer.app, bearer.name), ())
        )

    def counted(self, newer: str) -> str:
        """SQL: whether the row `m` counts as one that bears the new name of `c`; empty where every row does.

        `newer` is SQL for: `m` was applied after `c`, which was removed as a duplicate.
        """
        if not self.duplicates:
            return ""
        return f"(c.n NOT IN ({', '.join(map(str, self.duplicates))}) OR {newer})"

    def is_before(self, counts: str = "") -> str:
        """SQL: the target is as the plan found it. `counts` is a prefix of the counts' names."""
        if not self.rows:
            # Only the journal changes: nothing is done yet while no run of the plan is in force (for an undo: while one
            # is).
            return f"{counts}standing IS {'NOT ' if self.undone_plan else ''}NULL"
        wanted = {"present": self.before.present, "as_before": self.before.present, "bearers": self.bearers}
        if self.removed_by_name:
            wanted["named"] = self.before.named
        if self.kept is not None:
            wanted["beside"] = wanted["kept"] = len(self.kept)
        return _all_of(counts, wanted)

    def is_already(self, counts: str = "") -> str:
        """SQL: there is nothing to do any more: the rows are as the plan leaves them, and so says the journal."""
        if not self.rows:
            return f"NOT ({self.is_before(counts)})"
        if not self.journal:
            return self.is_after(counts)
        return f"{self.is_after(counts)} AND {counts}standing IS {'' if self.undone_plan else 'NOT '}NULL"

    def is_after(self, counts: str = "") -> str:
        """SQL: the rows are as the plan leaves them."""
        wanted = {"present": self.after.present, "as_after": self.after.present}
        if self.inserted:
            wanted["inserted"] = self.after.named
        if self.removed_by_name:
            wanted["named"] = self.after.gone
        return _all_of(counts, wanted)

    def standing(self, runs: str) -> str:
        """SQL: the id of the plan's last run that is in force (of the undone plan, for an undo); `runs` is the table.

        A run is in force unless a run in force has undone it: every undo, and every undo of an undo, turns that over.
        """
        return f"""\
WITH RECURSIVE family (root, number, id) AS (
    SELECT id, number, id FROM {runs} WHERE plan_id = '{self.undone_plan or self.id}'
    UNION ALL
    SELECT f.root, f.number, r.id FROM {runs} AS r JOIN family AS f ON r.undoes = f.id
)
SELECT root FROM family GROUP BY root, number HAVING count(*) % 2 = 1 ORDER BY number DESC LIMIT 1"""

    @cached_property
    def run_id(self) -> str:
        """The first 24 digits of the run's id; the last 8 are its number, so that a plan can be applied once more."""
        return self.id[:24]


def _all_of(counts: str, wanted: Mapping[str, int]) -> str:
    return " AND ".join(f"{counts}{name} = {number}" for name, number in wanted.items())


def number(value: int | None) -> str:
    """A number as SQL."""
    return "NULL" if value is None else str(value)


def pieces(text: str, size: int = PIECE) -> list[str]:
    """`text` cut so that each piece fits into a statement."""
    return [text[start : start + size] for start in range(0, len(text), size)]
