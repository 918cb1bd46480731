"""How far one database is past one squash, told by its records alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from migsync.history import Key
from migsync.refactor.tidy.squashes import Squash

if TYPE_CHECKING:
    from migsync.refactor.ground import Ground


class SquashState(StrEnum):
    """What a database says of a squash. Only with one of the first three is it past it."""

    NOTHING = "not applied"
    REPLACED = "old names applied"
    RECORDED = "squash applied"
    PARTIAL = "partly applied"
    UNREACHABLE = "out of reach"


@dataclass(frozen=True)
class DatabaseRecords:
    """One configured database: what it has recorded once the rewrites of today are applied; None where `error`.

    `rows` are its records as they are, `behind` the ids of the rewrites that it has yet to go through.
    """

    alias: str
    recorded: frozenset[Key] | None
    error: str = ""
    rows: frozenset[Key] = frozenset()
    behind: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DatabaseProgress:
    """Where one database stands with one squash: `rows` are recorded names that it replaces, `missing` those not."""

    alias: str
    state: SquashState
    rows: tuple[Key, ...] = ()
    missing: tuple[Key, ...] = ()
    error: str = ""

    @property
    def past(self) -> bool:
        """True where nothing of what was squashed is left to run."""
        return self.state not in (SquashState.PARTIAL, SquashState.UNREACHABLE)


def databases_of(ground: Ground) -> tuple[DatabaseRecords, ...]:
    """Every configured database, those without a record and those out of reach among them."""
    found = [
        DatabaseRecords(
            alias,
            database.applied,
            rows=frozenset(record.key for record in database.records),
            behind=frozenset(rewrite.id for rewrite in database.plan.passed),
        )
        for alias, database in ground.databases.items()
    ]
    found += [DatabaseRecords(alias, frozenset()) for alias in ground.survey.fresh]
    found += [DatabaseRecords(alias, None, error.found) for alias, error in ground.survey.errors.items()]
    return tuple(found)


def progress_of(squash: Squash, database: DatabaseRecords, replaces: Mapping[Key, tuple[Key, ...]]) -> DatabaseProgress:
    """Judge one database. `replaces` are those of all squashes on disk: an inner squash may stand for its part."""
    recorded = database.recorded
    if recorded is None:
        return DatabaseProgress(database.alias, SquashState.UNREACHABLE, error=database.error)
    rows = tuple(key for key in squash.replaced if key in recorded)
    missing = tuple(key for key in squash.replaced if not _ran(key, recorded, replaces))
    # Its own row is enough, whatever old rows are missing: without `replaces` Django goes by that row alone.
    if squash.key in recorded:
        state = SquashState.RECORDED
    elif not missing:
        state = SquashState.REPLACED
    # Such a database runs the squash itself.
    elif recorded.isdisjoint(_all_within(squash.replaced, replaces)):
        state = SquashState.NOTHING
    else:
        state = SquashState.PARTIAL
    return DatabaseProgress(database.alias, state, rows, missing)


def _ran(key: Key, recorded: AbstractSet[Key], replaces: Mapping[Key, tuple[Key, ...]]) -> bool:
    # A squash among the replaced has run, with or without a row of its own, where all that it comes to has.
    return key in recorded or (key in replaces and _all_within((key,), replaces) - replaces.keys() <= recorded)


def _all_within(keys: tuple[Key, ...], replaces: Mapping[Key, tuple[Key, ...]]) -> set[Key]:
    found: set[Key] = set()
    todo = [*keys]
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo += replaces.get(key, ())
    return found
