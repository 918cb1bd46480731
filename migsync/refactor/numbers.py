"""The numbers in migration names: reading them, giving new ones, and what stands against a new name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from migsync.findings import Finding
from migsync.findings.numbers import name_in_record, name_in_replaces, name_taken
from migsync.history import History, Key

WIDTH = 4
WIDEST_STYLE = 7  # eight digits and more are a date or a time, not a count
_NUMBERED = re.compile(r"(\d+)(.*)", re.DOTALL)
_SQUASHED = re.compile(r".*_squashed_(\d+)", re.DOTALL)


def number_of(name: str) -> int | None:
    """The number that a name begins with; None for a name without one."""
    found = _NUMBERED.match(name)
    return int(found[1]) if found else None


def last_number(name: str) -> int | None:
    """The number that ``makemigrations`` counts on from: of ``0001_squashed_0004_x`` it is 4."""
    squashed = _SQUASHED.match(name)
    return int(squashed[1]) if squashed else number_of(name)


def by_number(name: str) -> tuple[float, str]:
    """Sorts names as people read them: by number, then by name; those without a number come last."""
    number = number_of(name)
    return (float("inf") if number is None else number, name)


def width_of(names: Iterable[str]) -> int:
    """How many digits an app writes: two to seven where all its names agree on that, else four as Django does."""
    widths = {len(found[1]) for found in map(_NUMBERED.match, names) if found}
    return widths.pop() if len(widths) == 1 and 2 <= max(widths) <= WIDEST_STYLE else WIDTH


def numbered(name: str, number: int, width: int) -> str:
    """The name with this number, what follows the number kept; a name that bears it already stays as it is."""
    found = _NUMBERED.match(name)
    if found is None:
        return f"{number:0{width}d}_{name}"
    return name if int(found[1]) == number else f"{number:0{width}d}{found[2]}"


def renames(keys: Sequence[Key], numbers: Mapping[Key, int], width: int) -> dict[Key, Key]:
    """Old key to new key for those of `keys` whose name changes when each gets its number."""
    new = {key: key._replace(name=numbered(key.name, numbers[key], width)) for key in keys}
    return {key: renamed for key, renamed in new.items() if renamed != key}


def replaced_and_gone(history: History) -> dict[Key, list[Key]]:
    """Names that a squash on disk replaces and that no file bears any more, with those squashes."""
    found: dict[Key, list[Key]] = {}
    for key, migration in history.migrations.items():
        for replaced in migration.replaces:
            if replaced not in history.migrations:
                found.setdefault(replaced, []).append(key)
    return found


def name_findings(
    history: History, renamed: Mapping[Key, Key], removed: Collection[Key], applied: Mapping[str, AbstractSet[Key]]
) -> Iterator[Finding]:
    """What stands against these new names; `applied` are the recorded keys of each database, by alias."""
    gone = replaced_and_gone(history) if renamed else {}
    bearers: dict[Key, Key] = {key: key for key in history.migrations if key not in renamed and key not in removed}
    for old, new in renamed.items():
        file = history.migrations[old].path
        if new in gone:
            yield name_in_replaces(migration=old, new=new.name, squash=gone[new][0], file=file)
        # A name that a file bears now has rows that are renamed, or removed, in the same step.
        elif new not in history.migrations:
            stale = [alias for alias, rows in applied.items() if new in rows]
            if stale:
                yield name_in_record(migration=old, new=new.name, aliases=stale, file=file)
        if bearers.setdefault(new, old) != old:
            yield name_taken(migration=old, new=new.name, other=bearers[new], file=file)
