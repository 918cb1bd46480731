"""The tables that other apps have made in a database: a model may have moved with its table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from migsync.history.contents import Contents
from migsync.history.tables import TableState, tables
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
