"""The ranges of migrations that are safe to squash, told from the graph alone.

The rule: in a range each migration has exactly one dependency and one dependent, in the graph of all apps, and the last
may have many dependents. So nothing outside stands between two of a range, and a squash in their place can close no
circle: who comes in comes in at the first, who goes out goes out at the last.

Where branches of an app run side by side, Django runs the one first whose end has the lesser name. A squash has another
name than its last migration; where that would turn the order round, the last stays out of the range.

The first of a range has one dependency too, on whatever it is: of the same app or of another. A first migration of an
app mostly depends on nothing, or on a setting, and is in no range then; what it makes is what others name by
``__first__``, and to begin anew from there is what ``migsync remake`` is for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from migsync.history import FIRST, LATEST, SETTING, History, Key, Migration
from migsync.refactor.squash.ranges import squash_key
from migsync.refactor.squash.risks import Hazard, Risk, changing, risks_of
from migsync.words import text_list

SHOWN = 2
"""How many keys a sentence names before it counts the others."""


class Stop(NamedTuple):
    """What a range stops at: the migration that causes it (None where there is nothing), and why, as a sentence."""

    key: Key | None
    why: str


@dataclass(frozen=True)
class SafeRange:
    """A maximal range: two names of one app or more, in their order, and what stands before and after it.

    `risks` are what the files hold that a person should look at first, where they were read
    (:func:`assess`).
    """

    app: str
    names: tuple[str, ...]
    before: Stop
    after: Stop
    risks: tuple[Risk, ...] = ()

    @property
    def keys(self) -> tuple[Key, ...]:
        """The migrations, in their order."""
        return tuple(Key(self.app, name) for name in self.names)

    @property
    def saves(self) -> int:
        """How many files there are less once one stands for all."""
        return len(self.names) - 1

    @property
    def stops(self) -> tuple[Stop, Stop]:
        """What stands before it and what after it."""
        return self.before, self.after


def find_safe_ranges(history: History, apps: Collection[str] = ()) -> tuple[SafeRange, ...]:
    """The maximal ranges of `apps` (none: of all first-party apps), by app and in the order of their migrations.

    Left out is what is not simple, and what cannot be changed: a migration with several parents, ``run_before`` in
    either direction, ``atomic = False``, one that names ``__first__`` or ``__latest__`` (a swappable dependency does)
    or is what they mean, one of an unfinished squash, one that is not read in full, and one that a file names which
    is not the project's own. No name collides: a squash gets one that is free.
    """
    rule = _Rule(history)
    chosen = sorted(app for app in history.first_party if not apps or app in apps)
    return tuple(safe for app in chosen for safe in rule.ranges(app))


def assess(
    ranges: Iterable[SafeRange], migrations: Mapping[Key, Migration], kept: Collection[Key] = ()
) -> tuple[SafeRange, ...]:
    """The ranges with their risks; reads the files of the ranges and no other.

    Elidable operations are no risk, for the squash leaves them out, except in the migrations `kept`, which keep them.
    """
    return tuple(replace(safe, risks=tuple(risks_of((migrations[key] for key in safe.keys), kept))) for safe in ranges)


def transactions(safe: SafeRange) -> tuple[tuple[Key, ...], ...]:
    """An assessed range in parts that can each be one transaction on every engine: cut after what changes data.

    PostgreSQL refuses a change of a table's schema after one of its rows in the same transaction ("pending trigger
    events"). Operations that are made when the file is imported may be others on another engine: such a file is a part
    of its own. A part of one key is no squash.
    """
    data = changing(safe.risks)
    made = {risk.key for risk in safe.risks if risk.hazard is Hazard.MADE}
    parts: list[list[Key]] = [[]]
    for key in safe.keys:
        # It may change rows on one engine and the schema on another: it shares a transaction with nothing.
        if key in made:
            parts.append([])
        parts[-1].append(key)
        if key in data | made:
            parts.append([])
    return tuple(tuple(part) for part in parts if part)


class _Rule:
    """The rule over one history. Whatever names a migration other than as a dependency is gathered once."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._early: dict[Key, Key] = {}
        self._replaced: dict[Key, Key] = {}
        self._meant: dict[Key, Key] = {}
        self._fixed: dict[Key, Key] = {}
        self._squashes: dict[Key, Key] = {}
        self._first: dict[Key, Key] = {}
        self._ends: dict[str, list[Key]] = {}
        for key, migration in history.migrations.items():
            self._gather(key, migration)

    def _gather(self, key: Key, migration: Migration) -> None:
        if migration.run_before:
            self._early |= dict.fromkeys(_named_early(self.history, key, migration), key)
        if migration.replaces:
            self._replaced |= dict.fromkeys(migration.replaces, key)
        if any(_is_open(parent) for parent in migration.dependencies):
            # What such a name means is known to the graph only: the parents that are not named otherwise.
            self._meant |= dict.fromkeys(set(self.history.parents(key)).difference(migration.dependencies), key)
        if key.app not in self.history.first_party or migration.problems:
            self._fixed |= dict.fromkeys([*migration.dependencies, *migration.run_before, *migration.replaces], key)

    def ranges(self, app: str) -> Iterator[SafeRange]:
        """The ranges of one app."""
        passed: set[str] = set()
        for name in self.history.names(app):
            if name not in passed:
                keys = self._from(Key(app, name))
                passed.update(key.name for key in keys)
                if len(keys) > 1:
                    yield SafeRange(app, tuple(key.name for key in keys), self._before(keys[0]), self._after(keys[-1]))

    def _from(self, key: Key) -> Sequence[Key]:
        """The longest range that begins with `key`, of which no part was in one that began earlier."""
        found: dict[Key, None] = {}
        following: Key | None = None if self.against(key) else key
        # By the rule each has one child only, so there is one way to go on, and no choice that could be wrong.
        while following is not None and following not in found:
            found[following] = None
            following = self._next(following)
        if following in found:
            return ()  # a circle is no range
        keys = tuple(found)
        if len(keys) > 1 and self._turns_round(keys):
            return keys[:-1]  # the one before the last has nothing beside it: the last is its only child
        return keys

    def _turns_round(self, keys: Sequence[Key]) -> bool:
        """Whether Django would run the last before, or after, what is beside it, were it called as its squash is.

        What is beside it may be squashed as well, or not: the order must not turn round in any case.
        """
        # For example: 0004_m stands beside 0005_b, and runs before it. A squash of 0002_x to 0005_b is called
        # 0002_squashed_0005_b, and would run before 0004_m.
        last, squash = keys[-1], squash_key(self.history, keys, ())
        beside = self._beside(last)
        for other in beside:
            others = (other, self._squashes.get(other, other))
            if len({one < two for one in (last, squash) for two in others}) > 1:
                self._first[last] = other
                return True
        if beside:
            self._squashes[last] = squash
        return False

    def _beside(self, last: Key) -> set[Key]:
        """What Django puts in order with `last` by name: the app's other parents of its children, or other ends."""
        children = self.history.children(last)
        found = {up for child in children for up in self.history.parents(child) if up.app == last.app}
        if all(child.app != last.app for child in children):
            found.update(self._ends_of(last.app))
        return found - {last}

    def _ends_of(self, app: str) -> Sequence[Key]:
        """The migrations on which no other of the app depends: Django starts from each, by name."""
        if app not in self._ends:
            keys = [Key(app, name) for name in self.history.names(app)]
            inner = {up for key in keys for up in self.history.parents(key)}
            self._ends[app] = [key for key in keys if key not in inner]
        return self._ends[app]

    def _next(self, key: Key) -> Key | None:
        children = self.history.children(key)
        if len(children) != 1 or children[0].app != key.app or self.against(children[0]):
            return None
        return children[0]

    def _before(self, first: Key) -> Stop:
        # By the rule the first of a range has exactly one parent.
        (parent,) = self.history.parents(first)
        if parent.app != first.app:
            return Stop(parent, f"{first} depends on {parent}, of another app")
        if reason := self.against(parent):
            return reason
        return self._after(parent)

    def _after(self, last: Key) -> Stop:
        children = self.history.children(last)
        outside = [child for child in children if child.app != last.app]
        if not children:
            return Stop(None, f"nothing depends on {last}")
        if outside:
            return Stop(outside[0], f"{text_list(outside, SHOWN)} {_verb(outside)} on {last}, from another app")
        if len(children) > 1:
            return Stop(children[0], f"{text_list(children, SHOWN)} depend on {last}")
        if reason := self.against(children[0]):
            return reason
        beside = self._first.get(children[0])
        return Stop(beside, f"with {children[0]} in a squash, Django would order it and {beside} the other way round")

    def against(self, key: Key) -> Stop | None:
        """What keeps `key` out of every range, and why; None where nothing does.

        Without a reason it can still be in no range: that takes a neighbour without one.
        """
        migration, parents = self.history.migrations[key], self.history.parents(key)
        # Graph and file are both asked: another migration's run_before is a parent that this file does not name, and a
        # dependency on an app without migrations is no parent.
        if len(parents) != 1 or len(set(migration.dependencies)) != 1 or _is_open(migration.dependencies[0]):
            return Stop(key, _dependencies(key, migration))
        if key in self._replaced or migration.replaces:
            squash = self._replaced.get(key, key)
            return Stop(squash, f"{key} belongs to the unfinished squash {squash.name}")
        if migration.run_before:
            return Stop(key, f"{key} must run before {text_list(migration.run_before, SHOWN)}")
        if key in self._early:
            return Stop(self._early[key], f"{self._early[key]} must run before {key}")
        if not migration.atomic:
            return Stop(key, f"{key} has atomic = False")
        if key in self._meant:
            return Stop(self._meant[key], f"{self._meant[key]} refers to {key} by {FIRST}, {LATEST} or a setting")
        if key in self._fixed:
            other = self._fixed[key]
            why = "is computed" if other.app in self.history.first_party else "is not the project's own"
            return Stop(other, f"{other} names {key}, and {why}")
        if migration.unread:
            return Stop(key, f"{key} could not be read in full: {migration.problems[0].what}")
        return None


def _is_open(dependency: Key) -> bool:
    """Whether it names an end of an app, whatever that is; a swappable dependency names the first."""
    return dependency.app == SETTING or dependency.name in (FIRST, LATEST)


def _named_early(history: History, key: Key, migration: Migration) -> Iterable[Key]:
    """What `key` must run before, as its file names it and as the graph has it."""
    named = set(migration.run_before)
    return [child for child in history.children(key) if child in named or any(map(_is_open, named))]


def _dependencies(key: Key, migration: Migration) -> str:
    named = dict.fromkeys(migration.dependencies)
    if not named:
        return f"{key} depends on nothing: its app begins with it"
    spelled = [f"the setting {each.name}" if each.app == SETTING else str(each) for each in named]
    return f"{key} depends on {text_list(spelled, SHOWN)}"


def _verb(keys: Sequence[Key]) -> str:
    return "depends" if len(keys) == 1 else "depend"
