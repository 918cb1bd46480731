"""What a script has to do and to expect, worked out once for all engines."""

# ruff: noqa: S608 - text is made here, never sent; a plan's id is hexadecimal

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import migsync
from migsync.errors import Blocked, MigsyncError
from migsync.rewrites.record import Record
from migsync.sync.journal import as_row
from migsync.sync.plan import Change, Plan
from migsync.sync.run import Run, RunKind
from migsync.sync.undo import DEDUPE, known_digests, reversed_changes
from migsync.words import count

JSON_COLUMNS = ("passed", "returned", "changes", "digests")


class Row(NamedTuple):
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
        """Sorts rows from the first applied to the last, as :attr:`Record.age`."""
        return (self.applied or "", self.id or 0)

    @property
    def new_image(self) -> tuple[str | None, ...]:
        """The row after, without its id."""
        return (self.new_app, self.new_name, self.applied)


@dataclass(frozen=True)
class State:
    """What the counts of one state of the table must be, before or after.

    `present`: rows under the ids of the plan; each of them must be as its image. `named`: rows without a known id that
    are there by their image (before: those to be removed; after: those that were inserted). `gone`: rows that have the
    image of a removed one of unknown id though it is not there, because another change gives them that image.
    """

    present: int
    named: int
    gone: int = 0


@dataclass(frozen=True)
class Draft:
    """A plan made ready for a script. `undone_plan` is the plan whose run this one takes back, or empty."""

    plan: Plan
    kind: RunKind
    rows: tuple[Row, ...]
    journal: bool = True
    undone_plan: str = ""

    @property
    def done(self) -> str:
        """The word for success: ``applied`` or ``undone``."""
        return "applied" if self.kind is RunKind.APPLY else "undone"

    @property
    def count(self) -> str:
        """How many rows, in words."""
        return count(len(self.rows), "row")

    @cached_property
    def renamed(self) -> list[Row]:
        """Rows that get another name, found by id."""
        return [row for row in self.rows if row.name is not None and row.new_name is not None]

    @cached_property
    def removed(self) -> list[Row]:
        """Rows that go, found by id."""
        return [row for row in self.rows if row.new_name is None and row.id is not None]

    @cached_property
    def removed_by_name(self) -> list[Row]:
        """Rows that go, found by their image for want of an id."""
        return [row for row in self.rows if row.new_name is None and row.id is None]

    @cached_property
    def returned(self) -> list[Row]:
        """Rows that come back under the id they had."""
        return [row for row in self.rows if row.comes_back]

    @cached_property
    def duplicates(self) -> list[int]:
        """The numbers `n` of the rows that come back beside one of their name, as they were before the plan."""
        changes = enumerate(self.plan.changes, start=1)
        return [n for n, change in changes if change.cause == DEDUPE and change.before is None]

    def counted(self, newer: str) -> str:
        """SQL: whether the row `m` counts as one that bears the new name of `c`; empty where every row does.

        `newer` is SQL for: `m` was applied after `c`, which was removed as a duplicate.
        """
        if not self.duplicates:
            return ""
        return f"(c.n NOT IN ({', '.join(map(str, self.duplicates))}) OR {newer})"

    @cached_property
    def inserted(self) -> list[Row]:
        """New rows, to which the database gives an id."""
        return [row for row in self.rows if row.name is None and row.id is None]

    @cached_property
    def before(self) -> State:
        """What must be there for the gate to open."""
        return State(len(self.renamed) + len(self.removed), len(self.removed_by_name))

    @cached_property
    def after(self) -> State:
        """What must be there when all is done."""
        images = {row.old_image for row in self.removed_by_name}
        gone = sum(row.new_image in images for row in (*self.renamed, *self.returned))
        return State(len(self.renamed) + len(self.returned), len(self.inserted), gone)

    @cached_property
    def bearers(self) -> int:
        """How many rows bear a new name before, as the script counts them: the plan's own rows that do.

        Together with all rows being as planned, this says that no other row bears a new name. A duplicate that comes
        back is let in beside an older row of its name: that one was kept when the duplicate was removed.
        """
        new: dict[tuple[str | None, str | None], list[Row]] = {}
        for row in self.rows:
            if row.new_name is not None:
                new.setdefault((row.new_app, row.new_name), []).append(row)
        return sum(
            row.n not in self.duplicates or bearer.id is None or bearer.age > row.age
            for bearer in self.rows
            if bearer.name is not None
            for row in new.get((bearer.app, bearer.name), ())
        )

    def is_before(self, counts: str = "") -> str:
        """SQL: the target is as the plan found it. `counts` is a prefix of the counts' names."""
        if not self.rows:
            return f"{counts}standing IS {'NOT ' if self.undone_plan else ''}NULL"
        wanted = {"present": self.before.present, "as_before": self.before.present, "bearers": self.bearers}
        if self.removed_by_name:
            wanted["named"] = self.before.named
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
    SELECT id, number, id FROM {runs} WHERE plan_id = '{self.undone_plan or self.plan.id}'
    UNION ALL
    SELECT f.root, f.number, r.id FROM {runs} AS r JOIN family AS f ON r.undoes = f.id
)
SELECT root FROM family GROUP BY root, number HAVING count(*) % 2 = 1 ORDER BY number DESC LIMIT 1"""

    @cached_property
    def run_id(self) -> str:
        """The first 24 digits of the run's id; the last 8 are its number, so that a plan can be applied once more."""
        return self.plan.id[:24]

    @cached_property
    def journal_row(self) -> dict[str, str]:
        """The columns of the journal's row that are known before it is written."""
        return {
            column: str(value) for column, value in as_row(run_of(self.plan, self.kind)).items() if value is not None
        }


def draft_of(plan: Plan, *, journal: bool = True, undone_plan: str = "") -> Draft:
    """The plan as a draft; raises Blocked or MigsyncError for a plan that cannot be a script."""
    if plan.blocked:
        raise Blocked(
            "The plan is blocked: it has findings that forbid to apply it.",
            "A script of it would do what apply refuses.",
            "See them with: migsync plan",
        )
    if not plan.changes and not (journal and (plan.passed or plan.returned)):
        raise MigsyncError("The plan changes no row.", "There is nothing that a script could do.", "")
    return Draft(
        plan,
        RunKind.UNDO if undone_plan or plan.undoes else RunKind.APPLY,
        tuple(_rows(plan)),
        journal,
        undone_plan,
    )


def run_of(plan: Plan, kind: RunKind) -> Run:
    """The run of a plan as far as it is known before; a script cannot know the ids of new rows."""
    return Run(
        id="",
        number=0,
        kind=kind,
        plan_id=plan.id,
        at="",
        author="",
        version=migsync.__version__,
        passed=plan.passed,
        returned=plan.returned,
        changes=plan.changes,
        digests=plan.digests,
    )


def reverse(plan: Plan) -> Plan:
    """The plan that takes `plan` back, as far as it can be known before it was applied."""
    return Plan(
        target=plan.target,
        changes=tuple(reversed_changes(plan.changes, f"undo of plan {plan.id[:12]}")),
        fingerprints=plan.fingerprints_after,
        fingerprints_after=plan.fingerprints,
        passed=tuple(reversed(plan.returned)),
        returned=tuple(reversed(plan.passed)),
        findings=plan.findings,
        digests=known_digests(run_of(plan, RunKind.APPLY)),
    )


def _all_of(counts: str, wanted: dict[str, int]) -> str:
    return " AND ".join(f"{counts}{name} = {number}" for name, number in wanted.items())


def row_of(change: Change) -> Record:
    """The row of a change, as it is after it or was before; its id and `applied` are the same in both."""
    return change.after or change.before or Record(None, "", "", None)


def _rows(plan: Plan) -> Iterator[Row]:
    ids, names = set[int](), set[tuple[str, str]]()
    for n, change in enumerate(plan.changes, start=1):
        before, after = change.before, change.after
        if before and after and (before.id is None or before.id != after.id or before.applied != after.applied):
            raise _unsound(f"The change of {before.key} would change the row's id or its applied timestamp.")
        row_id, _, _, applied = row_of(change)
        if row_id is not None and row_id in ids:
            raise _unsound(f"The plan changes the row {row_id} twice.")
        if after and after.key in names and not _comes_back(change):
            raise _unsound(f"The plan gives the name {after.key} to two rows.")
        ids |= {row_id} if row_id is not None else set()
        names |= {after.key} if after else set()
        for text in (*(before or ())[1:], *(after or ())[1:]):
            _check(text)
        yield Row(
            n,
            row_id,
            applied,
            before.app if before else None,
            before.name if before else None,
            after.app if after else None,
            after.name if after else None,
        )


def _comes_back(change: Change) -> bool:
    """Rows that come back may be several of one name, as they were."""
    return change.before is None and change.after is not None and change.after.id is not None


def _check(text: object) -> None:
    """Refuse what could end a line or hide from a reader; everything else can be quoted."""
    if isinstance(text, str) and not text.isprintable():
        raise MigsyncError(
            f"A row holds the text {text!r}, with a character that cannot be printed.",
            "In a script, a person could not see what it does.",
            "Apply the plan directly: migsync apply",
        )


def _unsound(found: str) -> MigsyncError:
    return MigsyncError(found, "migsync never plans that: the plan was edited.", "Make it again with: migsync plan")
