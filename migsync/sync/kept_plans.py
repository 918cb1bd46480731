"""What a process that plans one target after the other keeps: plans, and what ran, of targets that hold the same.

Nothing is asked less: each target is read anew. A plan is taken over where :class:`~migsync.sync.shared_plans.
SharedPlans` would take it over within one command: by the ids, apps and names of the records, the order of their times
and what the clock answers about these, what ran, and the runs. It is all of one reading of the files and the rewrites:
who reads them again makes another object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from migsync.rewrites.clock import Clock
from migsync.rewrites.record import Record
from migsync.rewrites.stored_records import HeldRecords, RecordNames
from migsync.sync.provenance import CommonProvenances, Provenance
from migsync.sync.shared_plans import SharedPlans

if TYPE_CHECKING:
    from migsync.history.graph import History
    from migsync.rewrites.version_index import VersionIndex
    from migsync.sync.journal.contents import SeenContents

LIMIT: Final = 64
"""So many sets of names, or plans, are kept: a process that works for days may meet a new one with each target."""


class KeptPlans:
    """For one reading of the files. Not for several threads at a time."""

    def __init__(self, history: History, versions: VersionIndex) -> None:
        self._history = history
        self.versions = versions
        self._begin()

    def _begin(self) -> None:
        """All at once: what is kept is told apart by the identity of the rest."""
        self._names: dict[RecordNames, RecordNames] = {}
        self._ran = CommonProvenances(self._history, self.versions)
        self.plans = SharedPlans(self._history)

    def records(self, records: Sequence[Record]) -> HeldRecords:
        """The same records, which share their names with those of other targets."""
        if max(len(self._names), len(self.plans), len(self._ran)) >= LIMIT:
            self._begin()
        ids, apps, names, applied = zip(*records, strict=True)
        shared = RecordNames(ids, apps, names)
        return HeldRecords(self._names.setdefault(shared, shared), applied)

    def ran(self, records: HeldRecords, seen: Sequence[SeenContents], clock: Clock) -> Mapping[int, Provenance]:
        """What ran under them: the same mapping for all targets for which it is the same."""
        return self._ran.provenances(records, seen, clock)
