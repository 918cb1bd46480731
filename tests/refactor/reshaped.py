"""A Reshape carried out on values, by a way of its own: what the files and the rows would be afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from migsync.files.reshape import Reshape
from migsync.history import FIRST, History, Key, Migration, build_history, parse_migration


def migration(text: str, *dependencies: str, **values: object) -> Migration:
    """``migration("shop.0002_b", "shop.0001_a", replaces=["shop.0001_x"])``."""
    for field in ("run_before", "replaces"):
        if field in values:
            values[field] = tuple(map(Key.parse, values[field]))  # type: ignore[call-overload]
    return Migration(Key.parse(text), dependencies=tuple(map(Key.parse, dependencies)), **values)  # type: ignore[arg-type]


def merge(text: str, *dependencies: str, **values: object) -> Migration:
    return migration(text, *dependencies, operations=False, **values)


def history_of(*migrations: Migration) -> History:
    history = build_history(migrations)
    assert not history.findings
    return history


def files_after(history: History, reshape: Reshape) -> list[Migration]:
    def now(key: Key) -> list[Key]:
        if key in reshape.keys.removed:
            return [found for stand_in in reshape.keys.removed[key] for found in now(stand_in)]
        return [reshape.keys.renamed.get(key, key)]

    found = []
    for key, old in history.migrations.items():
        if key in reshape.keys.removed:
            continue
        own = [parent for parent in old.dependencies if parent.app == key.app and parent.name != FIRST]
        others = [parent for parent in old.dependencies if parent not in own]
        own = list(reshape.dependencies.parents.get(key, own))
        others = [parent for parent in others if parent not in reshape.dependencies.dropped.get(key, ())]
        dependencies = dict.fromkeys(new for parent in own + others for new in now(parent))
        assert not any(named in reshape.keys.removed for named in (*old.run_before, *old.replaces))
        found.append(
            replace(
                old,
                key=reshape.keys.renamed.get(key, key),
                dependencies=tuple(dependencies),
                run_before=tuple(
                    new
                    for named in old.run_before
                    for new in (() if named in reshape.dependencies.redirected.get(key, {}) else now(named))
                ),
                replaces=tuple(new for named in old.replaces for new in now(named)),
            )
        )
    return [*found, *(parse_migration(content, key) for key, content in reshape.contents.created.items())]


def rows_after(rows: Iterable[Key], reshape: Reshape) -> frozenset[Key]:
    return frozenset(reshape.keys.renamed.get(key, key) for key in rows if key not in reshape.keys.removed)


def names(history: History, reshape: Reshape, app: str) -> list[str]:
    """One app's new names, in order."""
    return list(build_history(files_after(history, reshape)).names(app))


def edges(history: History, reshape: Reshape, app: str) -> dict[str, list[str]]:
    """One app's new names with their new dependencies, as texts."""
    return {
        each.key.name: sorted(map(str, each.dependencies))
        for each in files_after(history, reshape)
        if each.key.app == app
    }


def codes(reshape: Reshape) -> list[str]:
    return [finding.code for finding in reshape.findings]


def keys(*texts: str) -> AbstractSet[Key]:
    return frozenset(map(Key.parse, texts))


def by_alias(applied: Iterable[AbstractSet[Key]]) -> dict[str, AbstractSet[Key]]:
    """What databases have applied, as ``db1``, ``db2`` and so on."""
    return {f"db{number}": each for number, each in enumerate(applied, 1)}
