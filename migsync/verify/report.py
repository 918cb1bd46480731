"""What a judgement means to a person: findings, with commands for what is certain."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from migsync.engines.catalog import Part
from migsync.findings import Finding
from migsync.findings import verification as entries
from migsync.history import History
from migsync.key import Key
from migsync.verify.composition import Judgement, MigrationResult, PartResult, PartState, State

PARTS: Final = {"column": "column {0.table}.{0.name}", "default": "default of {0.table}.{0.name}"}

KIND: Final = re.compile(r"((unique|foreign|primary|fulltext|spatial)\b ?)?(key\b ?)?(using btree ?)?", re.IGNORECASE)


def judgement_findings(history: History, applied: Collection[Key], found: Judgement) -> Iterator[Finding]:
    """What differs, and what cannot be told; `applied` are the migrations that count as recorded."""
    by_state = {state: [each for each in found.results if each.state is state] for state in State}
    absent = [each for each in by_state[State.ABSENT] if each.recorded]
    certain = unrecordable(history, applied, absent)
    if certain:
        parts = [part for each in absent if each.key in certain for part in outcomes_in_words(each.differences)]
        yield entries.not_in_database(migrations=certain, parts=parts, unrecord=True)
    for each in absent:
        if each.key not in certain:
            yield entries.not_in_database(
                migrations=[each.key], parts=outcomes_in_words(each.differences), custom=each.custom
            )
    yield from _there_already(history, applied, found)
    for each in by_state[State.PARTIAL]:
        lacking, kept = outcomes_in_words(each.differences), outcomes_in_words(each.there)
        if each.recorded:
            yield entries.differs_from_record(migration=each.key, parts=lacking)
        else:
            yield entries.partly_there(migration=each.key, there=kept, missing=lacking)
    for each in by_state[State.UNKNOWN]:
        if each.recorded:
            yield entries.not_verified(
                migration=each.key, reason=each.reason, parts=outcomes_in_words(each.differences)
            )
    if any(each.key in history.migrations for each in by_state[State.UNKNOWN]):
        return  # it may be what could not be built
    tables = [part.name for part in found.unexplained if part.kind != "column" and _is_own(history, part.name)]
    columns = [f"{part.table}.{part.name}" for part in found.unexplained if part.kind == "column"]
    if tables or columns:
        yield entries.made_by_no_migration(tables=tables, columns=columns)


def _there_already(history: History, applied: Collection[Key], found: Judgement) -> Iterator[Finding]:
    """Migrations that are there and not recorded: together as far as the same ones are missing between."""
    there = [each.key for each in found.results if each.state is State.PRESENT and not each.recorded]
    foreign: dict[str, list[Key]] = {}
    waiting: dict[tuple[Key, ...], list[Key]] = {}
    for key in there:
        if key.app not in history.first_party:
            foreign.setdefault(key.app, []).append(key)
            continue
        between = history.ancestors([key]) - {*applied, *there}
        waiting.setdefault(tuple(each for each in history.order if each in between), []).append(key)
    for keys in foreign.values():
        yield entries.there_already(migrations=keys, foreign=True)
    for missing, keys in sorted(waiting.items(), key=lambda item: len(item[0])):
        # The command has all that must be recorded before: it is typed alone, or after that of another group.
        needed = {*keys, *missing, *(history.ancestors(keys) - {*applied})}
        own = [each for each in history.order if each in needed and each.app in history.first_party]
        yield entries.there_already(migrations=keys, waits_for=missing, record=own)


def unrecordable(history: History, applied: Collection[Key], absent: Iterable[MigrationResult]) -> list[Key]:
    """Those of the project's own whose records can go together: nothing that stays recorded depends on them.

    What ran code or SQL of its own may have left something that no catalog shows: its record stays.
    """
    candidates = {each.key for each in absent if not each.custom and each.key.app in history.first_party}
    kept = {key for key in applied if key not in candidates and key in history.migrations}
    needed = history.ancestors(kept)
    return [each.key for each in absent if each.key in candidates and each.key not in needed]


def outcomes_in_words(outcomes: Iterable[PartResult]) -> list[str]:
    """``column shop_item.price is missing``, one for each part."""
    return [_in_words(each) for each in outcomes]


def _in_words(outcome: PartResult) -> str:
    part, what = outcome.part, part_in_words(outcome.part)
    if outcome.verdict is PartState.THERE:
        return what
    if outcome.found is None:
        return f"{what} is missing"
    if outcome.expected is None:
        return f"{what} is still there"
    if part.kind in ("column", "default"):
        return f"{what} is {outcome.found}, not {outcome.expected}"
    return f"{what} is another one"


def part_in_words(part: Part) -> str:
    """``column shop_item.price``, ``index (sku) on shop_item``, ``foreign key (a) references b(id) on c``."""
    if part.kind in PARTS:
        return PARTS[part.kind].format(part)
    # What has no name is called by its definition, which begins with the kind again.
    name = KIND.sub("", part.name, count=1) if "(" in part.name else part.name
    return f"{part.kind} {name}" + (f" on {part.table}" if part.table and part.kind != "table" else "")


def _is_own(history: History, table: str) -> bool:
    return any(table.startswith(f"{app}_") for app in history.first_party)
