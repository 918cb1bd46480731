"""The proof of the transition: every database that is behind ends where the old files would have taken it.

For each migration that a database can have last, the real planner says what its records become. Then the old files are
run to the records from before, and the new files to those from afterwards, station by station: where the schemas are
equal, such a database is after ``migsync apply`` one that the new files themselves could have made, and `migrate` goes
on from there. Both are one run of all migrations, so that the whole costs as much as two builds of a database.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from migsync.engines.catalog import Part, differing
from migsync.findings import Finding
from migsync.findings.schema import difference
from migsync.findings.transition import (
    squash_differs,
    transition_ambiguous,
    transition_differs,
    transition_record_lost,
    transition_refused,
)
from migsync.history import History, Key
from migsync.proof.fact import Fact
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import TargetRef
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.target_state import afterwards
from migsync.words import count, truncated
from migsync.worker.protocol import CatalogChange, RehearsalResult, RehearsedWay

NAMED = 5
RUN_FIRST = frozenset({"partial-collapse", "inconsistent-history"})
EPOCH = "2001-01-01T00:00:00Z"


@dataclass(frozen=True)
class Station:
    """A database that is behind: `last` is the migration that it ran last (None for a fresh one).

    `before` are the keys that the old files recorded, `after` what `migsync apply` makes of them: None where it
    refuses, and then `findings` say why.
    """

    last: Key | None
    before: AbstractSet[Key]
    after: AbstractSet[Key] | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Way:
    """The stations of a database from fresh to up to date; `hidden` are squashes that were not there yet.

    A way that is not `whole` ends where it meets another one.
    """

    stations: tuple[Station, ...]
    hidden: tuple[Key, ...] = ()
    whole: bool = True

    @property
    def accepted(self) -> tuple[Station, ...]:
        """Those that are synced."""
        return tuple(station for station in self.stations if station.after is not None)


@dataclass(frozen=True)
class TransitionPlan:
    """All ways, and what is wrong with them before anything has run."""

    old: History
    new: History
    ways: tuple[Way, ...]
    findings: tuple[Finding, ...] = ()

    def squash(self, station: Station) -> Key | None:
        """The squash from which Django goes on at a station with the old files, if it does just so with the new ones.

        Whatever the schemas are there, the new files do not change what comes of such a database.
        """
        before, after = self.old.state(station.before), self.new.state(station.after or frozenset())
        applied = before.applied & before.nodes
        if (applied, before.pending) != (after.applied & after.nodes, after.pending):
            return None
        old, new = self.old.migrations, self.new.migrations
        if any(old[key].contents != new[key].contents for key in old.keys() & new.keys()):
            return None
        squashes = sorted(key for key in applied - station.before if old[key].replaces)
        of_last = [key for key in squashes if station.last in old[key].replaces]
        return next(iter(of_last or squashes), None)

    def fact(self, engine: str) -> Fact:
        """What a proof without findings has shown."""
        behind = [station for way in self.ways for station in (way.stations[:-1] if way.whole else way.stations)]
        refused = [station for station in behind if station.after is None]
        same = len(behind) - len(refused)
        all_of = f"{count(len(behind), 'database')} that are behind"
        if not refused:
            name = f"same result in databases that are behind, on {engine}"
            return Fact(name, f"Transition: all {all_of} come out the same on {engine}.")
        return Fact(
            f"same result or refusal in databases that are behind, on {engine}",
            f"Transition: of {all_of}, {same} come out the same on {engine}, {len(refused)} are refused before "
            f"anything is written ({'; '.join(self._reasons(refused))}).",
        )

    def _reasons(self, refused: Iterable[Station]) -> list[str]:
        """What the refused databases have to do first, the most frequent first."""
        counted = Counter(_remedy(station.findings[0]) for station in refused if station.findings)
        said = [f"{number}: {text}" for text, number in counted.most_common()]
        return truncated(said, NAMED, "and {} more reasons")


def _remedy(finding: Finding) -> str:
    """What a finding asks for, in a few words: which migration is to be run with the files of before."""
    if finding.other and finding.code in RUN_FIRST:
        return f"run {finding.other} first"
    return finding.found


def plan_transition(
    rehearsed: RehearsalResult,
    old: History,
    new: History,
    rewrites: Rewrites,
    proposed: Rewrite | None,
    apps: Collection[str],
    *,
    trust_names: bool = False,
) -> TransitionPlan:
    """What the planner makes of every database that the old files can have left behind; pure.

    `rehearsed` is what Django records with the old files. A station is looked at after each migration of `apps`.
    """
    judge = _Judge(old, new, rewrites, proposed, trust_names)
    ways = tuple(_way(way, apps, judge) for way in rehearsed.ways)
    findings = [finding for way in ways for finding in (*_refused_at_the_end(way), *_not_growing(way))]
    return TransitionPlan(old, new, ways, (*dict.fromkeys([*findings, *judge.findings]),))


class _Judge:
    """Asks the planner; `findings` are about databases that it takes for two different ones."""

    def __init__(
        self, old: History, new: History, rewrites: Rewrites, proposed: Rewrite | None, trust_names: bool
    ) -> None:
        self.new = new
        self.proposed = proposed
        self.rewrites = rewrites.with_proposed(proposed)
        self.options = PlanOptions(trust_names=trust_names)
        self.old_squashes = _squashes(old)
        self.new_squashes = _squashes(new)
        # Rows of today: not older than the rewrites there are, and not younger than the one that is proposed.
        earliest = max((rewrite.created for rewrite in rewrites.ordered), default=EPOCH)
        self.start = datetime.datetime.fromisoformat(earliest) + datetime.timedelta(milliseconds=1)
        self.findings: list[Finding] = []

    def station(self, last: Key | None, recorded: Sequence[Key]) -> Station:
        """What becomes of a database with these records, in the order in which they were applied."""
        # Where all that a squash replaces has run, Django records the squash, but only at the end of a whole `migrate`.
        # A database that was stopped before that has the same schema and one record less, and must come out the same.
        with_squashes = _completed(recorded, self.old_squashes)
        # The second only while Django's own record of a squash is still to come; it may be refused.
        outcomes = [self._outcome(keys) for keys in dict.fromkeys([with_squashes, tuple(recorded)])]
        # That record may come or not with the new files too, so it makes no difference between two outcomes.
        kept = [_plain(after, self.new_squashes) for after, _ in outcomes if after is not None]
        if not kept:
            return Station(last, frozenset(recorded), None, outcomes[0][1])
        if len(set(kept)) > 1:
            self.findings.append(transition_ambiguous(migration=last))
        return Station(last, frozenset(recorded), kept[0])

    def _outcome(self, recorded: Sequence[Key]) -> tuple[frozenset[Key] | None, tuple[Finding, ...]]:
        records = [
            Record(number, key.app, key.name, self._applied(number)) for number, key in enumerate(recorded, start=1)
        ]
        plan = make_plan(self.new, self.rewrites, records, TargetRef("", "", "", ""), options=self.options)
        if plan.blocked:
            return None, tuple(finding for finding in plan.findings if finding.blocks)
        return frozenset(record.key for record in afterwards(records, plan)), ()

    def _applied(self, number: int) -> str:
        return (self.start + datetime.timedelta(microseconds=number)).isoformat(sep=" ", timespec="microseconds")


def _way(way: RehearsedWay, apps: Collection[str], judge: _Judge) -> Way:
    recorded: list[Key] = []
    # A fresh database is on the first way already.
    stations = [] if way.hidden else [judge.station(None, ())]
    for number, (key, rows) in enumerate(way.steps, start=1):
        recorded += rows
        # The last migration ends the way, whosever it is.
        if key.app in apps or number == len(way.steps):
            stations.append(judge.station(key, recorded))
    return Way(tuple(stations), way.hidden, not way.hidden)


def _squashes(history: History) -> dict[Key, tuple[Key, ...]]:
    return {key: migration.replaces for key, migration in history.migrations.items() if migration.replaces}


def _completed(recorded: Sequence[Key], squashes: Mapping[Key, tuple[Key, ...]]) -> tuple[Key, ...]:
    """The records once a whole `migrate` has ended: with every squash of which all that it replaces is there."""
    there = dict.fromkeys(recorded)
    # More than once, since a squash can replace other squashes.
    while found := [key for key, replaced in squashes.items() if key not in there and there.keys() >= set(replaced)]:
        there |= dict.fromkeys(found)
    return tuple(there)


def _plain(recorded: AbstractSet[Key], squashes: Mapping[Key, tuple[Key, ...]]) -> frozenset[Key]:
    """Without the squashes for which all that they replace stands."""
    return frozenset(key for key in recorded if key not in squashes or not recorded >= set(squashes[key]))


def _refused_at_the_end(way: Way) -> Iterator[Finding]:
    """A database that is up to date must not be refused; nor one that is fresh."""
    ends = [station for station in (way.stations[:1] + way.stations[-1:] if way.whole else ()) if station.after is None]
    for station in ends:
        reason = station.findings[0]
        yield transition_refused(
            fresh=not station.last,
            reason=reason.found,
            consequence=reason.meaning,
            app=reason.app,
            name=reason.name,
        )


def _not_growing(way: Way) -> Iterator[Finding]:
    """Whoever is further must have all that one who is behind has, or one of them was taken for something else."""
    for earlier, later in zip(way.accepted, way.accepted[1:], strict=False):
        lost = (earlier.after or frozenset()) - (later.after or frozenset())
        if lost:
            yield transition_record_lost(migration=later.last, earlier=earlier.last, lost=min(lost))


def compare_stations(
    way: Way,
    old: Sequence[Iterable[CatalogChange]],
    new: Sequence[Iterable[CatalogChange]],
    known: AbstractSet[Part],
    squash: Callable[[Station], Key | None],
) -> Iterator[Finding]:
    """The first station at which the schemas differ; `known` are parts that are known to differ at the end.

    `squash`: see :meth:`TransitionPlan.squash`.
    """
    before: dict[Part, str] = {}
    after: dict[Part, str] = {}
    for station, was, now in zip(way.accepted, old, new, strict=True):
        _follow(before, was)
        _follow(after, now)
        if before != after and (parts := [part for part in differing(before, after) if part not in known]):
            said = [difference(part.kind, part.name, part.table, before.get(part), after.get(part)) for part in parts]
            if found := squash(station):
                yield squash_differs(squash=found, migration=station.last, differences=said)
                known |= set(parts)
                continue
            yield transition_differs(migration=station.last, differences=said)
            return


def _follow(catalog: dict[Part, str], changes: Iterable[CatalogChange]) -> None:
    for kind, table, name, definition in changes:
        part = Part(kind, table, name)
        if definition is None:
            del catalog[part]
        else:
            catalog[part] = definition
