"""What a remake has to say: what became of each operation that the models do not show, and what refuses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from migsync.findings import Finding
from migsync.findings.remake import (
    changes_pending,
    nothing_to_drop,
    open_squash,
    remake_cycle,
    several_ends,
)
from migsync.findings.rows import data_differs
from migsync.history import History, Key
from migsync.words import text_list
from migsync.worker.protocol import Disposition, RemakeResult

FATES: Mapping[Disposition, str] = {
    Disposition.FIRST: "is carried over to the start of {into}",
    Disposition.CARRIED: "is carried over into {into}",
    Disposition.SHOWN: "is left out: the models show its result",
    Disposition.ELIDABLE: "is left out: it is elidable",
    Disposition.NOTHING: "is left out: it does nothing",
    Disposition.DROPPED: "is left out, because of --drop",
}


def notes(remade: RemakeResult) -> tuple[str, ...]:
    """A sentence for each operation that the models do not show, in the old order."""
    return tuple(
        f"{each.origin}: {each.called} {FATES[each.disposition].format(into=each.into)}."
        for each in remade.carried
        if each.disposition in FATES
    )


def left_out(remade: RemakeResult) -> tuple[Key, ...]:
    """The migrations of which something is left out that could write rows."""
    gone = (each.origin for each in remade.carried if each.disposition in (Disposition.DROPPED, Disposition.ELIDABLE))
    return tuple(dict.fromkeys(gone))


Advice = dict[tuple[Key, int], str]
"""By a migration and one of its operations by its number from 1 (0: the whole migration): what to do where it fails."""


def advice(remade: RemakeResult) -> Advice:
    """What to do where an operation that was carried over does not run, and of its file where that is all one knows."""
    found: Advice = {}
    for each in remade.made:
        found |= {(each.key, number): _advice([origin]) for number, origin in each.origins}
        if each.origins:
            found[each.key, 0] = _advice(list(dict.fromkeys(origin for _, origin in each.origins)))
    return found


def _advice(origins: Sequence[Key]) -> str:
    return (
        f"It was carried over from {text_list(origins)}.\n"
        "If it is no longer needed, or the models show its result, leave it out with "
        f"--drop {origins[0] if len(origins) == 1 else 'APP.NAME'}\n"
        "If it must run between other changes, as it did, use migsync squash instead of remake."
    )


def explained(left_out: Sequence[Key], known: Advice, finding: Finding) -> Finding:
    """A finding of the proof with what a remake can add: whether other rows are meant, what to do where it fails."""
    # Other rows in a new database are meant, where a migration is left out.
    if finding.code == data_differs.code and left_out:
        return finding.with_facts(left_out=left_out)
    if finding.blocks and not finding.hint:
        key = Key(finding.app, finding.name)
        return replace(finding, hint=known.get((key, finding.operation)) or known.get((key, 0), ""))
    return finding


def advice_against_replaces(olds: Iterable[Key]) -> Advice:
    """What to do where an old migration, still on disk, does not run beside the new ones."""
    hint = (
        "In a database that is behind, two new migrations of an app would do the same.\n"
        "Remake without --replaces: such a database must then be migrated first."
    )
    return {(key, 0): hint for key in olds}


def advice_beside(history: History, apps: Collection[str]) -> Advice:
    """What to do where a migration that stays does not run on the new ones."""
    needed: dict[Key, set[str]] = {}
    for key in history.order:
        above = (needed[parent] for parent in history.parents(key))
        needed[key] = set().union([key.app] if key.app in apps else [], *above)
    return {
        (key, 0): _advice_beside(key, sorted(olds), history.first_party)
        for key, olds in needed.items()
        if olds and key.app not in apps
    }


def _advice_beside(key: Key, needed: Sequence[str], first_party: Collection[str]) -> str:
    together = (
        f"Remake these apps together: migsync remake {' '.join(sorted([*needed, key.app]))}\n"
        if key.app in first_party
        else ""
    )
    return (
        f"It is not remade, and may need an earlier state of {text_list(needed)}.\n"
        f"{together}{'Or leave' if together else 'Leave'} out {text_list(needed)}, or use migsync squash."
    )


def pending(changes: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """An error for each app whose models have changes that no migration has."""
    for app in dict.fromkeys(app for app, _ in changes):
        yield changes_pending(app=app, changes=[each for label, each in changes if label == app])


def needless_drops(drop: Iterable[Key], remade: RemakeResult) -> Iterator[Finding]:
    """A warning for each migration that was dropped by name and has nothing that could be."""
    had = {each.origin for each in remade.carried if each.disposition is Disposition.DROPPED}
    yield from (nothing_to_drop(migration=key) for key in drop if key not in had)


def forks(history: History, apps: Iterable[str]) -> Iterator[Finding]:
    """An error for each app whose migrations are not in line."""
    for app in apps:
        if len(ends := history.leaves(app)) > 1:
            yield several_ends(app=app, ends=[end.name for end in ends])


def open_squashes(history: History, apps: Iterable[str]) -> Iterator[Finding]:
    """An error for each squash that still stands beside what it replaces: Django replaces no replacement."""
    for app in apps:
        for name in history.names(app):
            squash = history.migrations[Key(app, name)]
            if squash.replaces:
                yield open_squash(migration=squash.key, file=squash.path)


def cycle(found: Sequence[Key], new: Collection[Key], remade: frozenset[str], first_party: frozenset[str]) -> Finding:
    """The error for migrations that would depend on each other; `new` are those that are made."""
    labels = {key.app for key in found}
    others = sorted(labels - remade)
    together = bool(others) and first_party.issuperset(others)
    return remake_cycle(
        app=found[0].app,
        cycle=found,
        new=[key for key in found if key in new],
        others=others,
        together=sorted(remade.union(others)) if together else (),
        remade=sorted(labels & remade),
    )
