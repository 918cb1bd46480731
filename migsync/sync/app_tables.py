"""The tables of one app in one database: those that what ran has made, and those that the recorded files claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property

from migsync.history.contents import Action, Operation, PartKind
from migsync.history.migration import Key, Migration
from migsync.history.tables import (
    CREATES,
    TAKES,
    Difference,
    TablePart,
    TableState,
    differences,
    is_made,
    part_after,
    part_before,
    steps_of,
    table_of,
)
from migsync.sync.run_order import needed


@dataclass(frozen=True)
class AppTables:
    """`there` is what ran has made, `claimed` what the recorded files would have made, and `pending` is still to run.

    A squash is among the `pending` beside what it replaces; `unreplaced` are those that are no squash.
    """

    app: str
    there: TableState
    claimed: TableState
    pending: Sequence[Migration]

    @property
    def unreplaced(self) -> list[Migration]:
        """What is still to run, each operation once."""
        return [migration for migration in self.pending if not migration.replaces]

    def copy(self) -> AppTables:
        """The same tables, for operations to be run on them."""
        return AppTables(self.app, *deepcopy((self.there, self.claimed)), self.pending)

    def run(self, operations: Iterable[Operation]) -> None:
        """Let operations follow that are still to run."""
        there = list(operations)
        self.there.run(there)
        self.claimed.run(there)

    def is_missing(self, place: TablePart) -> bool:
        """Whether a part is claimed that is not there."""
        return place in self.claimed.parts and place not in self.there.parts

    def is_made(self, operation: Operation) -> bool:
        """Whether an operation would fail, since what it makes is there."""
        return is_made(operation, self.there)

    def makes_again(self, operation: Operation, place: TablePart) -> bool:
        """Whether an operation makes a part that is there and not claimed.

        An index counts on any table, since its name is taken.
        """
        if operation.kind not in CREATES:
            return False
        if place.part is not PartKind.INDEX or not place.name:
            return place in self.there.parts and place not in self.claimed.parts
        there, claimed = (
            any((each.part, each.name) == (place.part, place.name) for each in state.parts)
            for state in (self.there, self.claimed)
        )
        return there and not claimed

    def lacking(self) -> list[Difference]:
        """What is missing or different in the database, without what a migration that is still to run makes."""
        operations = (operation for migration in self.unreplaced for operation in migration.contents.operations)
        made = {
            part_after(step)
            for each in operations
            if each.kind in CREATES and not each.state_only
            for step in each.steps
        }
        found = differences(self.claimed, self.there, self.app)
        return [each for each in found if not (each.missing and each.place in made)]

    def needed_at_last(self, lacking: Iterable[Difference]) -> set[TablePart]:
        """The `lacking` parts without which the code of today fails, also when all that is to run has run."""
        last = self.copy()
        for migration in self.unreplaced:
            last.run(migration.contents.operations)
        # An alteration of what is missing does not make it.
        absent = {each.place for each in lacking if each.missing and each.needed} & last.claimed.parts.keys()
        different = differences(last.claimed, last.there, self.app)
        return absent | {each.place for each in different if each.needed and not each.missing}

    def is_changed_later(self, place: TablePart) -> bool:
        """Whether a migration that is still to run changes the part anyway, so that it need not be right before."""
        steps = [step for migration in self.pending for step in steps_of(migration.contents)]
        table = table_of(place)
        gone = any(step.action is Action.REMOVE and part_before(step) == table for step in steps)
        if gone and table in self.there.parts and place not in self._stop[1]:
            return True
        if place in self.there.parts:
            return any(part_after(step) == place for step in steps)
        # What was taken away before is found as what would run twice.
        taken = (step for step in steps if step.action in TAKES and part_before(step) == place)
        return any(self.there.taken[step] > self.claimed.taken[step] for step in taken)

    @property
    def stopped(self) -> Key | None:
        """The first migration that changes what is missing: ``migrate`` fails there."""
        return self._stop[0]

    @cached_property
    def _stop(self) -> tuple[Key | None, frozenset[TablePart]]:
        """Where ``migrate`` fails, and what is missing there."""
        tables = self.copy()
        for migration in self.pending:
            for operation in migration.contents.operations:
                if missing := frozenset(filter(tables.is_missing, needed(operation))):
                    return migration.key, missing
                tables.run([operation])
        return None, frozenset()
