"""What a remake has to say: what became of each operation that the models do not show, and what refuses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from migsync.findings import Finding, Severity
from migsync.history import History, Key
from migsync.words import sample, text_list
from migsync.worker.protocol import Carried, Disposition, RemakeResult

FATES: Mapping[Disposition, str] = {
    Disposition.FIRST: "stands first in {into}",
    Disposition.CARRIED: "is carried over into {into}",
    Disposition.SHOWN: "is left out: the models show what it leads to",
    Disposition.ELIDABLE: "is left out: it is elidable",
    Disposition.NOTHING: "is left out: it does nothing",
    Disposition.DROPPED: "is dropped, as you said",
}
SHOWN = 5
OTHER_ROWS = "data-differs"
"""The finding that a new database would hold other rows than it did: meant, where a migration is left out."""


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
        "If nobody needs it any more, or the models show all that it leads to: "
        f"--drop {origins[0] if len(origins) == 1 else 'APP.NAME'}\n"
        "If it must run where it did, between other changes: migsync squash, in place of remake"
    )


def explained(left_out: Sequence[Key], known: Advice, finding: Finding) -> Finding:
    """A finding of the proof with what a remake can add: whether other rows are meant, what to do where it fails."""
    if finding.code == OTHER_ROWS and left_out:
        why = f"Left out on purpose: {', '.join(map(str, left_out))}."
        return replace(finding, severity=Severity.WARNING, meaning=f"{finding.meaning} {why}")
    if finding.blocks and not finding.hint:
        key = Key(finding.app, finding.name)
        return replace(finding, hint=known.get((key, finding.operation)) or known.get((key, 0), ""))
    return finding


def advice_against_replaces(olds: Iterable[Key]) -> Advice:
    """What to do where an old migration, still on disk, does not run beside the new ones."""
    hint = (
        "In a database that is behind, one of an app's new migrations stands for what another one does already.\n"
        "Leave --replaces out: then such a database is told to be migrated first."
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
    it_was = "it was" if len(needed) == 1 else "they were"
    together = (
        f"Make them anew together: migsync remake {' '.join(sorted([*needed, key.app]))}\n"
        if key.app in first_party
        else ""
    )
    return (
        f"It is not made anew, and may need {text_list(needed)} as {it_was} in its day.\n"
        f"{together}{'Or leave' if together else 'Leave'} {text_list(needed)} out, or use migsync squash."
    )


def pending(changes: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """An error for each app whose models have changes that no migration has."""
    for app in dict.fromkeys(app for app, _ in changes):
        words = [each for label, each in changes if label == app]
        yield Finding(
            "changes-pending",
            Severity.ERROR,
            f"The models of {app} have changes without a migration: {sample(words, SHOWN, '; ')}.",
            "From scratch they would be taken in, and be recorded as applied in databases that never had them.",
            "Make the migration first: python manage.py makemigrations",
            app=app,
        )


def stuck(carried: Iterable[Carried]) -> Iterator[Finding]:
    """An error for each operation that can neither be carried over nor left out."""
    for each in carried:
        if each.disposition is Disposition.STUCK:
            yield Finding(
                "cannot-carry",
                Severity.ERROR,
                f"{each.origin} has {each.called}, which changes the models' state in a way of its own.",
                "The models show the state, but not what else it does to a database; run again, it would make twice "
                "what is there.",
                f"Leave it out if the models show all of it: --drop {each.origin}\n"
                "Or put the rest of it into a RunPython or RunSQL before; or use migsync squash.",
                app=each.origin.app,
                name=each.origin.name,
                file=each.file,
            )


def needless_drops(drop: Iterable[Key], remade: RemakeResult) -> Iterator[Finding]:
    """A warning for each migration that was dropped by name and has nothing that could be."""
    had = {each.origin for each in remade.carried if each.disposition is Disposition.DROPPED}
    for key in drop:
        if key not in had:
            yield Finding(
                "nothing-to-drop",
                Severity.WARNING,
                f"{key} has nothing that would be carried over.",
                "What it does to the models is in the new migrations.",
                "Leave --drop out.",
                app=key.app,
                name=key.name,
            )


def several_ends(history: History, apps: Iterable[str]) -> Iterator[Finding]:
    """An error for each app whose migrations are not in line."""
    for app in apps:
        if len(ends := history.leaves(app)) > 1:
            yield Finding(
                "several-ends",
                Severity.ERROR,
                f"{app} ends in {len(ends)} migrations: {', '.join(end.name for end in ends)}.",
                "Its state is not one yet.",
                f"Bring them together first: migsync fix-conflicts --app {app}",
                app=app,
            )


def open_squashes(history: History, apps: Iterable[str]) -> Iterator[Finding]:
    """An error for each squash that still stands beside what it replaces: Django replaces no replacement."""
    for app in apps:
        for name in history.names(app):
            squash = history.migrations[Key(app, name)]
            if squash.replaces:
                yield Finding(
                    "open-squash",
                    Severity.ERROR,
                    f"{squash.key} replaces other migrations itself.",
                    "With --replaces a new one would replace it in turn, which Django does not follow.",
                    f"Finish it first: migsync tidy {app}\nOr leave --replaces out: then it goes with the others.",
                    app=app,
                    name=name,
                    file=squash.path,
                )


def crossed(apps: Iterable[str]) -> Iterator[Finding]:
    """An error for each app of which not every old migration can be replaced by a new one."""
    for app in apps:
        yield Finding(
            "cannot-replace",
            Severity.ERROR,
            f"The old migrations of {app} cannot be shared out among its new ones.",
            "Whichever replaces which, some would depend on each other, or a new one would replace none.",
            "Leave --replaces out: then the old files go, and migsync apply brings the records along.",
            app=app,
        )


def without_migrations(apps: Iterable[str]) -> Iterator[Finding]:
    """A note for each app that was asked for and has no migrations yet."""
    for app in apps:
        yield Finding(
            "no-migrations",
            Severity.INFO,
            f"{app} has no migrations yet: there is nothing to make anew.",
            hint=f"To make the first: python manage.py makemigrations {app}",
            app=app,
        )


def made_already(apps: Sequence[str]) -> Finding:
    """The note for apps that remake would give what they have."""
    return Finding(
        "made-already",
        Severity.INFO,
        f"The migrations of {text_list(apps)} are what they would be from scratch.",
        "New ones would have other names, and nothing else.",
    )


def left_alone(apps: Iterable[str]) -> Iterator[Finding]:
    """A note for each app whose migrations come to nothing, and was not asked for by name."""
    for app in apps:
        yield Finding(
            "nothing-left",
            Severity.INFO,
            f"{app} has migrations, and no models or other operations that they would have to make.",
            "Its migrations stay as they are.",
            f"For an empty one in their place, ask for it by name: migsync remake {app}",
            app=app,
        )


def emptied(apps: Iterable[str]) -> Iterator[Finding]:
    """A note for each app whose new migration has no operations."""
    for app in apps:
        yield Finding(
            "nothing-left",
            Severity.INFO,
            f"{app} has no models or other operations that its migrations would have to make.",
            "An empty one stands for them in the databases, and for what depends on them.",
            app=app,
        )


def cycle(found: Sequence[Key], remade: frozenset[str], first_party: frozenset[str]) -> Finding:
    """The error for migrations that would depend on each other."""
    labels = {key.app for key in found}
    others = sorted(labels - remade)
    together = bool(others) and first_party.issuperset(others)
    return Finding(
        "remake-cycle",
        Severity.ERROR,
        f"From scratch, these would depend on each other: {' -> '.join(map(str, (*found, found[0])))}.",
        f"{text_list(others)} {'is not made anew, and comes' if len(others) == 1 else 'are not made anew, and come'} "
        "both before and after."
        if others
        else "No order of running them would be right.",
        f"Make them anew together: migsync remake {' '.join(sorted(remade.union(others)))}"
        if together
        else f"Leave {text_list(sorted(labels & remade))} out, or use migsync squash.",
        app=found[0].app,
    )
