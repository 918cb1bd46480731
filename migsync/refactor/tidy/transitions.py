"""The to-do list: for each open squash the steps of its transition, each done, open or blocked. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from migsync.history import History, Key
from migsync.refactor.tidy.progress import DatabaseProgress, DatabaseRecords, SquashState, progress_of
from migsync.refactor.tidy.squashes import Squash, open_squashes
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan_groups import sentence_names


class StepStatus(StrEnum):
    """How a step stands."""

    DONE = "done"
    OPEN = "open"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Step:
    """One step: `keys` are what is left of it, `blockers` say what stands in its way, in words."""

    name: str
    status: StepStatus
    keys: tuple[Key, ...] = ()
    blockers: tuple[str, ...] = ()


@dataclass(frozen=True)
class SquashTransition:
    """An open squash, and where every configured database stands with it.

    `fixed` are dependants whose files are not the project's own.
    """

    squash: Squash
    places: tuple[DatabaseProgress, ...]
    fixed: frozenset[Key] = frozenset()

    @property
    def blockers(self) -> tuple[str, ...]:
        """What forbids every step, in words; empty when the squash can be finished."""
        squash = self.squash
        found = self._behind()
        found += [f"{key}, which it replaces, is an unfinished squash itself" for key in squash.inner]
        found += [f"{key} depends on {squash.key}, but has a name that it replaces" for key in squash.later]
        found += [f"{key} replaces the same migrations" for key in squash.rivals]
        if squash.foreign:
            waiting = [place.alias for place in self.places if place.state is SquashState.REPLACED]
            found += [
                f"{name} has no record of the squash yet, which also replaces names of another app"
                for name in sentence_names(waiting)
            ]
        return tuple(found)

    def _behind(self) -> list[str]:
        """The databases that are not past the squash, in words."""
        by_state: dict[SquashState, list[str]] = {}
        for place in self.places:
            if not place.past:
                by_state.setdefault(place.state, []).append(place.alias)
        return [f"{name} is {state}" for state, aliases in by_state.items() for name in sentence_names(aliases)]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Deployed, dependants, files, `replaces` and rows, in the order in which they are done."""
        squash, blockers, behind = self.squash, self.blockers, self._behind()
        deployed = Step("deployed", StepStatus.BLOCKED if behind else StepStatus.DONE, blockers=tuple(behind))
        others = tuple(f"{key} is not the project's own" for key in squash.dependants if key in self.fixed)
        rows = tuple(dict.fromkeys(key for place in self.places for key in place.rows))
        return (
            deployed,
            _step("dependants", tuple(squash.dependants), (*blockers, *others)),
            _step("files", squash.files, (*blockers, *others)),
            _step("replaces", () if squash.settled else (squash.key,), (*blockers, *others)),
            _step("rows", rows, (*blockers, *others)),
        )


def _step(name: str, keys: tuple[Key, ...], blockers: tuple[str, ...]) -> Step:
    if not keys:
        return Step(name, StepStatus.DONE)
    return Step(name, StepStatus.BLOCKED if blockers else StepStatus.OPEN, keys, blockers)


def transitions(
    history: History, databases: Sequence[DatabaseRecords], apps: Collection[str]
) -> tuple[SquashTransition, ...]:
    """The transitions of `apps` that stand open."""
    replaces = {key: migration.replaces for key, migration in history.migrations.items() if migration.replaces}
    return tuple(
        SquashTransition(
            squash,
            tuple(progress_of(squash, database, replaces) for database in databases),
            frozenset(key for key in squash.dependants if key.app not in history.first_party),
        )
        for squash in open_squashes(history, apps)
    )


def settled_transitions(
    history: History, rewrites: Rewrites, databases: Sequence[DatabaseRecords], apps: Collection[str]
) -> tuple[SquashTransition, ...]:
    """The transitions of `apps` that are finished on disk, with the databases that still hold rows of the old names.

    What is left to do there is migsync apply.
    """
    found = []
    for rewrite, app in ((each, app) for each in rewrites.ordered for app in each.apps if app in apps):
        for name, olds in rewrite.apps[app].absorbing.items():
            squash = Squash(Key(app, name), tuple(Key(app, old) for old in olds), (), {}, settled=True)
            # By the rows as they are: `recorded` is what they come to once the rewrites are applied, without the old
            # names.
            behind = [replace(each, recorded=each.rows) for each in databases if rewrite.id in each.behind]
            places = tuple(place for place in (progress_of(squash, each, {}) for each in behind) if place.rows)
            if places and squash.key in history.migrations:
                found.append(SquashTransition(squash, places))
    return tuple(found)
