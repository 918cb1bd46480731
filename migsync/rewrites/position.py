"""The position of a target in one app: the set of rewrites that its records have already been through.

A record's name alone does not tell, since rewrites use names again. The evidence is taken in the order of the design
(section 4): the journal; the recorded names, which must exist at that position and be closed under its dependencies;
whether it matters at all; the order and the time in which the records were applied. What stays open is refused.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from migsync.errors import UsageError
from migsync.findings import Finding, Severity
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.order import Rewrites
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.translate import Row
from migsync.rewrites.undone import NOTHING_UNDONE, Split, Undone, onward, splits

WIDEST_OFFSET = datetime.timedelta(hours=14)


@dataclass(frozen=True)
class Clock:
    """How `applied` texts without an offset are to be read: as UTC, or, where that is not known, with a margin."""

    naive_is_utc: bool = False

    def older(self, applied: str | None, moment: str) -> bool:
        """True when `applied` is certainly before `moment` (UTC text); False for anything that is no time."""
        try:
            time = datetime.datetime.fromisoformat(applied or "")
        except ValueError:
            return False
        limit = datetime.datetime.fromisoformat(moment)
        if time.tzinfo is None:
            time = time.replace(tzinfo=datetime.UTC)
            limit -= datetime.timedelta() if self.naive_is_utc else WIDEST_OFFSET
        return time < limit


@dataclass(frozen=True)
class Position:
    """`passed` are ids of the app's rewrites; with an error among `findings` it is not decided.

    `later` maps ids of records to a position of their own: they were recorded after rewrites that the other rows have
    been taken back from.
    """

    passed: frozenset[str]
    findings: tuple[Finding, ...] = ()
    later: Mapping[int | None, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Places:
    """What can be recorded in `app` at each position: names, and what they depend on.

    A position has `through` in it and nothing of `ahead`: that is known already, by the label that the rows bear.
    """

    app: str
    rewrites: Rewrites
    history: History
    through: frozenset[str] = frozenset()
    ahead: frozenset[str] = frozenset()

    def positions(self, journaled: frozenset[str]) -> list[frozenset[str]]:
        """Those that a target can be at which has been through the rewrites `journaled`."""
        known = journaled | self.through
        return [
            position
            for position in self.rewrites.positions(self.app)
            if known <= position and self.ahead.isdisjoint(position)
        ]

    def names(self, position: frozenset[str]) -> set[str]:
        """The names that exist at `position`, among those that some rewrite of the app changes or gives."""
        changing = self.rewrites.of_app(self.app)
        names: set[str] = set()
        given: set[str] = set()
        for rewrite in changing:
            change = rewrite.apps[self.app]
            names |= {name for name in change.before if name not in given}
            given |= change.targets
        for rewrite in changing:
            if rewrite.id in position:
                names = (names - rewrite.apps[self.app].sources) | rewrite.apps[self.app].targets
        for rewrite in self._next(position):
            unknown = position - self.rewrites.ancestors[rewrite.id]
            gone = [name for one in changing if one.id in unknown for name in one.apps[self.app].sources]
            names |= set(rewrite.apps[self.app].before).difference(gone)
        if len(position) == len(changing):
            names |= set(self.history.names(self.app))
        return names

    def parents(self, position: frozenset[str]) -> Mapping[str, Collection[str]]:
        """The in-app dependencies at `position`, as far as they are known."""
        if len(position) == len(self.rewrites.of_app(self.app)):
            keys = (Key(self.app, name) for name in self.history.names(self.app))
            return {key.name: [up.name for up in self.history.parents(key) if up.app == self.app] for key in keys}
        known: dict[str, Collection[str]] = {}
        for rewrite in self._next(position):
            known = {**rewrite.apps[self.app].parents_before, **known}
        return known

    def squashes(self, position: frozenset[str]) -> Iterator[tuple[str, set[str]]]:
        """The squashes that stand beside what they replace: those on disk, and those that were tidied since."""
        for name in self.history.names(self.app):
            yield name, {key.name for key in self.history.migrations[Key(self.app, name)].replaces}
        for rewrite in self.remaining(position):
            change = rewrite.apps[self.app]
            for squash, olds in (*change.absorbing.items(), *change.squashes.items()):
                yield squash, set(olds)

    def remaining(self, position: frozenset[str]) -> list[Rewrite]:
        """The rewrites that a target at `position` still has to go through, in order."""
        return [rewrite for rewrite in self.rewrites.of_app(self.app) if rewrite.id not in position]

    def _next(self, position: frozenset[str]) -> list[Rewrite]:
        of_app = {rewrite.id for rewrite in self.rewrites.of_app(self.app)}
        return [
            rewrite for rewrite in self.remaining(position) if self.rewrites.ancestors[rewrite.id] & of_app <= position
        ]


def decide(
    places: Places,
    records: Sequence[Record],
    journaled: frozenset[str],
    clock: Clock,
    trust_names: bool = False,
    unseen_journal: str = "",
    undone: Undone = NOTHING_UNDONE,
) -> Position:
    """Decide where `records` (all of one app) stand.

    `journaled` are the ids of rewrites that the target's journal says it has been through, `undone` what it says of
    those that it was taken back from. With `trust_names` the time of a record under a new name is no evidence: for
    databases that keep no journal. `unseen_journal` says how to let migsync see a journal that may be there. Until
    then, that `journaled` lacks a rewrite is no evidence either.
    """
    app, changing = places.app, places.rewrites.of_app(places.app)
    journaled &= {rewrite.id for rewrite in changing}
    touched = {name for rewrite in changing for name in rewrite.apps[app].sources | rewrite.apps[app].targets}
    explained = splits(places, records, touched, places.positions(journaled), undone)
    if not explained:
        names = {record.name for record in records} & touched
        return Position(journaled, (_nowhere(places, names, journaled, bool(undone.rewrites)),))
    # A run keeps the old times. Where no journal says whether there was one, they say nothing.
    timeless = trust_names or unseen_journal
    for narrow in (_closed, _in_applied_order) if timeless else (_closed, _in_applied_order, _not_before_made):
        if _same_rows(places, records, explained):
            break
        fitting = [split for split in explained if narrow(places, split.own, split.base, journaled, clock)]
        explained = fitting or explained
    best = max(explained, key=lambda split: len(split.base))
    if not _same_rows(places, records, explained):
        return Position(best.base, (_open(places, [split.base for split in explained]),))
    doubts = [] if trust_names else _doubts(places, best.own, best.base - journaled, clock, unseen_journal)
    return Position(best.base, tuple(doubts), best.later)


def forced(places: Places, text: str) -> Position:
    """The position that a person states: a rewrite's file name or the beginning of its id, or ``none``."""
    if text == "none":
        return Position(frozenset())
    changing = places.rewrites.of_app(places.app)
    found = [
        rewrite
        for rewrite in changing
        if rewrite.id.startswith(text) or text in (rewrite.label, rewrite.label.removesuffix(".toml"))
    ]
    if len(found) != 1:
        known = ", ".join(["none", *(rewrite.label for rewrite in changing)])
        raise UsageError(
            f"--position {places.app}={text}: {'no' if not found else 'more than one'} such rewrite of {places.app}.",
            "",
            f"There are: {known}.",
        )
    of_app = {rewrite.id for rewrite in changing}
    return Position((places.rewrites.ancestors[found[0].id] & of_app) | {found[0].id})


def _same_rows(places: Places, records: Sequence[Record], explained: Iterable[Split]) -> bool:
    """True when it does not matter which of these it is: all lead to the same rows."""
    rows, outcomes = [Row.of(record) for record in records], set()
    for split in explained:
        after, findings = onward(rows, places, split)
        outcomes.add((frozenset((row.origin, row.now) for row in after), bool(findings)))
    return len(outcomes) == 1


def _closed(places: Places, records: Sequence[Record], position: frozenset[str], *_: object) -> bool:
    """No record without what it depends on. A squash and what it replaces stand for each other."""
    recorded = {record.name for record in records}
    names = places.names(position)
    stands = set(recorded)
    for squash, replaced in places.squashes(position):
        if squash in recorded:
            stands |= replaced
        elif replaced and replaced <= recorded:
            stands.add(squash)
    parents = places.parents(position)
    return all(up in stands for name in recorded for up in parents.get(name, ()) if up in names or up in parents)


def _in_applied_order(places: Places, records: Sequence[Record], position: frozenset[str], *_: object) -> bool:
    """No record that was applied, by its time and by its id, before what it depends on."""
    by_name = {record.name: record for record in records}
    for name, ups in places.parents(position).items():
        for up in ups:
            child, parent = by_name.get(name), by_name.get(up)
            if (
                child
                and parent
                and (child.applied or "") < (parent.applied or "")
                and (child.id or 0) < (parent.id or 0)
            ):
                return False
    return True


def _not_before_made(
    places: Places, records: Sequence[Record], position: frozenset[str], journaled: frozenset[str], clock: Clock
) -> bool:
    """The newest record of the app is not older than a rewrite that this position says it has been through.

    Only for rewrites made together with the files: one that was written down later says nothing about when the new
    names came up, and a database may have been migrated with them before.
    """
    made = [
        rewrite.created
        for rewrite in places.rewrites.of_app(places.app)
        if rewrite.id in position - journaled and rewrite.made_with_files
    ]
    return not any(all(clock.older(record.applied, moment) for record in records) for moment in made)


def _doubts(
    places: Places, records: Sequence[Record], unjournaled: frozenset[str], clock: Clock, unseen_journal: str
) -> Iterable[Finding]:
    """A record under a name that a rewrite gave, applied before that rewrite was made, and no journal to explain it."""
    app = places.app
    journal = "no journal says that it was applied to this database"
    if unseen_journal:
        journal = "a journal that would say that it was applied to this database cannot be seen"
    for rewrite in places.rewrites.of_app(app):
        if rewrite.id not in unjournaled:
            continue
        given = rewrite.apps[app].targets - rewrite.apps[app].absorbing.keys()
        for record in records:
            if record.name in given and clock.older(record.applied, rewrite.created):
                yield Finding(
                    "doubtful-name",
                    Severity.ERROR,
                    f"{record.key} is recorded since {record.applied}, before {rewrite.label} gave a migration "
                    f"this name ({rewrite.created}), and {journal}.",
                    "Either its rows were renamed by other means, or this row is a leftover of another migration "
                    "and the one on disk never ran here.",
                    (f"{unseen_journal}\n" if unseen_journal else "")
                    + f"If it was renamed: --position {app}={rewrite.label}. If it is a leftover: --prune {record.key} "
                    f"--position {app}=none.\n"
                    "If migsync renames without a journal here, say so once: journal = false in [tool.migsync].",
                    app=app,
                    name=record.name,
                    file=rewrite.path,
                )


def _nowhere(places: Places, names: Collection[str], journaled: frozenset[str], undone: bool) -> Finding:
    app, changing = places.app, places.rewrites.of_app(places.app)
    old = sorted(name for rewrite in changing for name in names if name in rewrite.apps[app].sources)
    new = sorted(name for rewrite in changing for name in names if name in rewrite.apps[app].targets)
    journal = ", and its journal says that it has been through rewrites that gave the new ones" if journaled else ""
    return Finding(
        "no-position",
        Severity.ERROR,
        f"{app}: the records hold old names ({', '.join(dict.fromkeys(old))}) together with new ones "
        f"({', '.join(dict.fromkeys(new)) or 'none'}){journal}.",
        "Rows were recorded before and after an undo, and the journal does not tell which names some of them mean."
        if undone
        else "The rows were changed by other means, by hand or with --fake, so that no rewrite fits all of them.",
        f"Look at the rows. Remove a leftover with --prune {app}.NAME, or state which rewrite they have been through: "
        f"--position {app}=REWRITE.",
        app=app,
    )


def _open(places: Places, positions: Sequence[frozenset[str]]) -> Finding:
    app = places.app
    last = [
        [rewrite.label for rewrite in places.rewrites.of_app(app) if rewrite.id in position] for position in positions
    ]
    choices = [labels[-1] if labels else "none" for labels in last]
    return Finding(
        "open-position",
        Severity.ERROR,
        f"{app}: names were used again, and the records fit {len(positions)} points of the history of names.",
        "Names, order and times of the records do not tell which; the rows would end differently.",
        "State the last rewrite that this database has been through: "
        + " or ".join(f"--position {app}={choice}" for choice in dict.fromkeys(choices)),
        app=app,
    )
