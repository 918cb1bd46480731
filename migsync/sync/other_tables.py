"""What else decides whether a difference between tables matters: other apps, and what is still to run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass

from migsync.history.contents import Contents
from migsync.history.migration import Migration
from migsync.history.tables import Difference, TablePart, TableState, differences, tables
from migsync.rewrites.record import Record


@dataclass(frozen=True)
class OtherApps:
    """The tables of other apps: a model may have moved here with its table, or taken that of a package.

    `records` are those of the other apps, and `ran` says what ran under one of them.
    """

    records: Sequence[Record]
    ran: Callable[[Record], Contents]

    def have(self, table: str) -> bool:
        """Whether another app has made this table here; only apps are read with whose label it begins."""
        labels = {record.app for record in self.records if table.startswith(f"{record.app}_")}
        return any(table in self._tables(label) for label in labels)

    def _tables(self, label: str) -> Collection[str]:
        state = TableState()
        for record in sorted((each for each in self.records if each.app == label), key=lambda each: each.id or 0):
            state.run(self.ran(record).operations)
        return tables(state, label)


def needed_at_last(
    app: str, lacking: Iterable[Difference], there: TableState, claimed: TableState, pending: Sequence[Migration]
) -> set[TablePart]:
    """The parts without which the code of today fails, also when all `pending` migrations have run.

    `lacking` is what is different in the database (`there`) from what the recorded files claim.
    """
    operations = [operation for migration in pending for operation in migration.contents.operations]
    there, claimed = deepcopy((there, claimed))
    there.run(operations)
    claimed.run(operations)
    # An alteration of what is missing does not make it.
    absent = {each.place for each in lacking if each.missing and each.needed} & claimed.parts.keys()
    return absent | {each.place for each in differences(claimed, there, app) if each.needed and not each.missing}
