"""What one database shows of names: its records, and what is known to have run under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from migsync.history.contents import Contents
from migsync.key import Key
from migsync.rewrites.position import KnownContents, nothing_known
from migsync.rewrites.record import Record


@dataclass(frozen=True)
class DatabaseEvidence:
    """What one database shows of names.

    `records` are those after the known rewrites, without what the project lists as leftovers, and `before` those as
    they are. `digests` are what was noted in it: the operations digests of files, by ``app.name``, one mapping for each
    run. `certain` is what ran under the records where that was noted, and `presumed` also where git tells it. `given`
    are the names that a run gave to records, and whose files are still those of then.
    """

    alias: str
    records: Sequence[Record]
    before: Sequence[Record] = ()
    digests: Sequence[Mapping[str, str]] = ()
    certain: KnownContents = nothing_known
    presumed: KnownContents = nothing_known
    given: frozenset[Key] = frozenset()

    def names(self, app: str) -> set[str]:
        """The recorded names of `app`, before and after the known rewrites."""
        return {record.name for record in (*self.before, *self.records) if record.app == app}

    def digest(self, key: Key) -> str:
        """That of what is known to have run under the name; empty where nothing is."""
        found = (self.certain(record) for record in self.before if record.key == key)
        return next((contents.digest for contents in found if contents), "")


class AppRecords(NamedTuple):
    """The recorded names of one app in one database, in order, with what ran; see :class:`DatabaseEvidence`."""

    names: tuple[str, ...] = ()
    certain: Mapping[str, Contents] = {}
    presumed: Mapping[str, Contents] = {}
    given: frozenset[str] = frozenset()

    @classmethod
    def of(cls, app: str, database: DatabaseEvidence) -> AppRecords:
        """Those of `app`."""
        mine = sorted((record for record in database.records if record.app == app), key=lambda record: record.age)
        certain, presumed = (
            {record.name: contents for record in mine if (contents := known(record))}
            for known in (database.certain, database.presumed)
        )
        given = frozenset(name for label, name in database.given if label == app)
        return cls(tuple(record.name for record in mine), certain, presumed, given)

    @property
    def identity(self) -> tuple[tuple[str, ...], ...]:
        """Equal for databases with the same records (tenants), so that these are worked out only once."""
        ran = (f"{name} {each.digest}" for known in (self.certain, self.presumed) for name, each in known.items())
        return self.names, tuple(ran), tuple(sorted(self.given))
