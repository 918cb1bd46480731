"""The traces of migrations, composed over those that are recorded, against the catalog of a database; pure.

By object: what counts is the last recorded migration that wrote it. So what later migrations change or remove does not
speak against the earlier ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from migsync.engines.catalog import Part
from migsync.key import Key
from migsync.worker.migration_traces import MigrationTrace

ON_TABLES = frozenset({"index", "unique constraint", "primary key", "foreign key", "check", "constraint"})
"""Kinds of parts that a partitioned table has otherwise."""

Catalog = Mapping[Part, str]


class PartState(StrEnum):
    """What became of one change of a migration: it is `THERE`, it is `NOT_THERE`, or the part is `DIFFERENT`."""

    THERE = "there"
    NOT_THERE = "not there"
    DIFFERENT = "different"


class State(StrEnum):
    """What a database has of a migration."""

    PRESENT = "present"
    ABSENT = "absent"
    PARTIAL = "partial"
    NO_TRACE = "no trace"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True, slots=True)
class PartResult:
    """One part that a migration changes: its definition after it, and in the database; None where it is not there."""

    part: Part
    expected: str | None
    found: str | None
    verdict: PartState


@dataclass(frozen=True, slots=True)
class MigrationResult:
    """What the database has of one migration; `differences` are the outcomes that are not :attr:`PartState.THERE`.

    `reason` says why it cannot be told. `custom`: it does more than tables show.
    """

    key: Key
    recorded: bool
    state: State
    differences: tuple[PartResult, ...] = ()
    reason: str = ""
    custom: bool = False
    there: tuple[PartResult, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """All migrations, in the order in which they run; and the tables, views and columns that no trace explains."""

    results: tuple[MigrationResult, ...]
    unexplained: tuple[Part, ...] = ()


def judge(
    traces: Sequence[MigrationTrace],
    recorded: AbstractSet[Key],
    live: Catalog,
    *,
    unknown: Mapping[Key, str] | None = None,
    accepted: Callable[[Part], bool] = lambda part: False,
) -> Judgement:
    """Judge each migration.

    `unknown` are those without a trace, with the reason; where one of them is recorded, its app is in doubt.
    """
    unknown = unknown or {}
    # What they would have done to what other migrations of their apps made, nobody knows.
    doubtful = {key.app: key for key in unknown if key in recorded}
    ordered = [
        *(each for each in traces if each.key in recorded),
        *(each for each in traces if each.key not in recorded),
    ]
    writes: defaultdict[Part, list[tuple[int, str | None]]] = defaultdict(list)
    for number, trace in enumerate(ordered):
        for kind, table, name, definition in trace.changes:
            writes[Part(kind, table, name)].append((number, definition))
    last = sum(each.key in recorded for each in traces)
    place = {each.key: number for number, each in enumerate(traces)}
    places = [place[each.key] for each in ordered]
    loose = _otherwise_stored(writes, live)
    lost = _lost_tables(writes, last, live)
    outcomes: defaultdict[int, list[PartResult]] = defaultdict(list)
    for part, values in writes.items():
        if accepted(part) or (part.kind in ON_TABLES and part.table in loose):
            continue
        for number, outcome in _outcomes(part, values, last, places, live.get(part), lost=part.table in lost):
            outcomes[number].append(outcome)
    results = [
        _result(trace, trace.key in recorded, outcomes[number], doubtful) for number, trace in enumerate(ordered)
    ]
    results += [MigrationResult(key, key in recorded, State.UNKNOWN, reason=why) for key, why in unknown.items()]
    tables = {part.name for part in writes if part.kind == "table"}
    unexplained = [
        part
        for part in live.keys() - writes.keys()
        if (part.kind in ("table", "view") or (part.kind == "column" and part.table in tables)) and not accepted(part)
    ]
    return Judgement(tuple(results), tuple(sorted(unexplained)))


def misfits(
    traces: Sequence[MigrationTrace], recorded: AbstractSet[Key], live: Catalog, accepted: Callable[[Part], bool]
) -> set[Part]:
    """The parts that are otherwise than the recorded migrations leave them; not those that no migration makes."""
    to_be: dict[Part, str | None] = {}
    stored: defaultdict[Part, list[str | None]] = defaultdict(list)
    for trace in traces:
        for kind, table, name, definition in trace.changes:
            part = Part(kind, table, name)
            if trace.key in recorded:
                to_be[part] = definition
            else:
                to_be.setdefault(part, None)
            if kind == "table":
                stored[part].append(definition)
    loose = {part.table for part, values in stored.items() if live.get(part) and live[part] not in values}
    return {
        part
        for part, definition in to_be.items()
        if not is_as(part, definition, live.get(part))
        and not accepted(part)
        and not (part.kind in ON_TABLES and part.table in loose)
    }


def _otherwise_stored(writes: Mapping[Part, Sequence[tuple[int, str | None]]], live: Catalog) -> set[str]:
    """Tables that the database partitions and the migrations do not: keys and indexes there must be others."""
    return {
        part.table
        for part, values in writes.items()
        if part.kind == "table" and live.get(part) and live[part] not in [value for _, value in values]
    }


def _lost_tables(writes: Mapping[Part, Sequence[tuple[int, str | None]]], last: int, live: Catalog) -> set[str]:
    """Tables that are gone and that no migration on disk removes."""
    return {
        part.table
        for part, values in writes.items()
        if part.kind == "table"
        and part not in live
        and values[-1][1] is not None
        and any(number < last and value is not None for number, value in values)
    }


def _outcomes(
    part: Part,
    values: Sequence[tuple[int, str | None]],
    last: int,
    places: Sequence[int],
    found: str | None,
    *,
    lost: bool,
) -> Iterable[tuple[int, PartResult]]:
    """What became of each write of a part: (number of the migration, outcome); `last` recorded ones come first.

    `places` says for each migration when it ran in the build. A pending one before a recorded one is needed by that: it
    ran, or neither did. Where its table is `lost`, no pending migration has removed it.

    Writes that nothing can be said of have none: earlier ones, where the part is otherwise than any of them left it.
    """
    recorded = [(number, value) for number, value in values if number < last]
    end = places[recorded[-1][0]] if recorded else -1
    pending = [(number, value) for number, value in values if number >= last and places[number] > end]
    to_be = recorded[-1][1] if recorded else None
    if is_as(part, to_be, found):
        # As recorded. A pending write that would leave it so anyway says nothing.
        for number, value in recorded:
            yield number, PartResult(part, value, found, PartState.THERE)
        for number, value in pending:
            if not is_as(part, value, found):
                yield number, PartResult(part, value, found, PartState.NOT_THERE)
        return
    fits = [place for place, (_, value) in enumerate(pending) if is_as(part, value, found)]
    done = max(fits, default=None)
    if not lost and done is not None:
        for number, value in recorded:
            yield number, PartResult(part, value, found, PartState.THERE)
        for place, (number, value) in enumerate(pending):
            yield number, PartResult(part, value, found, PartState.THERE if place <= done else PartState.NOT_THERE)
        return
    until = sorted((each for each in values if places[each[0]] <= end), key=lambda each: places[each[0]])
    reached = max((place for place, (_, value) in enumerate(until) if is_as(part, value, found)), default=-1)
    if reached < 0 and found is not None:
        # The part is there, and otherwise than anything that the files say.
        if recorded:
            yield recorded[-1][0], PartResult(part, to_be, found, PartState.DIFFERENT)
        elif pending:
            yield pending[0][0], PartResult(part, pending[0][1], found, PartState.DIFFERENT)
        return
    for place, (number, value) in enumerate(until):
        yield number, PartResult(part, value, found, PartState.THERE if place <= reached else PartState.NOT_THERE)


def is_as(part: Part, expected: str | None, found: str | None) -> bool:
    """Whether a part is as expected; None where it is not there."""
    if expected == found:
        return True
    if expected is None or found is None:
        return False
    # Unnamed parts are counted, and one more of them does no harm. A definition that may not be read is empty.
    counted = expected.isdecimal() and found.isdecimal() and part.kind in ON_TABLES
    return int(found) >= int(expected) if counted else not found or part.kind == "table"


def _result(
    trace: MigrationTrace, recorded: bool, outcomes: Sequence[PartResult], doubtful: Mapping[str, Key]
) -> MigrationResult:
    wrong = [each for each in outcomes if each.verdict is not PartState.THERE]
    right = [each for each in outcomes if each.verdict is PartState.THERE]
    if not outcomes:
        state = State.NO_TRACE
    elif not wrong:
        state = State.PRESENT
    else:
        absent = not right and all(each.verdict is PartState.NOT_THERE for each in wrong)
        state = State.ABSENT if absent else State.PARTIAL
    reason = ""
    if wrong and recorded and trace.key.app in doubtful:
        state, reason = State.UNKNOWN, f"{doubtful[trace.key.app]} may have changed it, and could not be built"
    return MigrationResult(
        trace.key, recorded, state, tuple(_shortened(wrong)), reason, trace.custom, tuple(_shortened(right))
    )


def _shortened(outcomes: Collection[PartResult]) -> list[PartResult]:
    """The outcomes; of a table that is itself among them with the same verdict, the table alone."""
    tables = {(each.part.table, each.verdict) for each in outcomes if each.part.kind == "table"}
    return sorted(
        (each for each in outcomes if each.part.kind == "table" or (each.part.table, each.verdict) not in tables),
        key=lambda each: each.part,
    )
