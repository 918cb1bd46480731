"""Twins: migrations of two branches that do the same, of which only one can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from migsync.history import History, Key, Migration

ONCE = frozenset(
    f"{verb}{part}"
    for part in ("Model", "Field", "Index", "Constraint")
    for verb in ("Create", "Add", "Remove", "Delete", "Rename")
)
"""Operations that fail where they have run already."""
AGAIN = frozenset(["AlterField", "AlterModelOptions", "AlterModelManagers", "AlterUniqueTogether"])
"""Those that do nothing more where they have run already."""


def twins(history: History, branches: Sequence[Iterable[Key]]) -> Mapping[Key, Key]:
    """Of two branches, each migration that has a twin in the other one, with that one; both ways."""
    if len(branches) != 2:
        return {}
    first, second = ({_digest(history.migrations[key]): key for key in keys} for keys in branches)
    pairs = [(first[digest], second[digest]) for digest in first.keys() & second.keys() if digest]
    return {one: other for pair in pairs for one, other in (pair, pair[::-1])}


def _digest(migration: Migration) -> str:
    """What stands for the operations; empty where running them twice may be right, or where they are not known."""
    operations = migration.contents.operations
    kinds = {operation.kind for operation in operations}
    sure = bool(kinds & ONCE) and kinds <= ONCE | AGAIN and not migration.replaces
    return migration.digest if sure and all(operation.comparable for operation in operations) else ""
