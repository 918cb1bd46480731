"""Which apps a rewriting command is about, and what refuses it before it has begun."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from migsync.findings import Finding, targets
from migsync.findings.order import squash_across_apps, squash_cycle
from migsync.findings.squash import squash_overlap
from migsync.history import History, Key
from migsync.history.unknown_app import unknown_app
from migsync.refactor.order import Arrangement, Units, out_of_order


def chosen_apps(history: History, apps: Collection[str]) -> tuple[str, ...]:
    """The apps asked for, or all first-party apps that have migrations; sorted.

    Raises UsageError for any other app.
    """
    known = sorted(app for app in history.first_party if history.names(app))
    for app in sorted(set(apps) - history.first_party):
        raise unknown_app(app, history, "migsync changes only files of this project's own apps.")
    return tuple(app for app in known if not apps or app in apps)


def command_text(command: str, apps: Collection[str], *options: str) -> str:
    """The command as it was given, for the rewrite: ``linearize --app shop``."""
    return " ".join([command, *(f"--app {app}" for app in sorted(apps)), *options])


def broken(history: History) -> tuple[Finding, ...]:
    """The errors of the history itself: a graph that is not known in full cannot be put in order."""
    return tuple(finding for finding in history.findings if finding.blocks)


def impossible(arrangement: Arrangement) -> Iterator[Finding]:
    """Why there is no order at all: squashes that cannot take the place of what they replace."""
    if arrangement.cycle:
        first = arrangement.cycle[0]
        yield squash_cycle(migration=first, cycle=arrangement.cycle)
    yield from crosses_apps(arrangement.units, arrangement.chains)


def crosses_apps(units: Units, apps: Collection[str]) -> Iterator[Finding]:
    """An error for each unit that spans several apps, one of `apps` among them."""
    for unit in units.across_apps:
        labels = {key.app for key in (*unit.links, *unit.covers)}
        if labels & set(apps):
            squash = unit.covers[0] if unit.covers else unit.links[0]
            yield squash_across_apps(migration=squash, apps=sorted(labels))


def overlapping(history: History, apps: Collection[str]) -> Iterator[Finding]:
    """An error for each squash that replaces a migration which another one replaces: Django puts both in its place."""
    first: dict[Key, Key] = {}
    for key, migration in history.migrations.items():
        for replaced in dict.fromkeys(migration.replaces):
            other = first.setdefault(replaced, key)
            if other != key and {key.app, other.app} & set(apps):
                yield squash_overlap(migration=key, other=other, replaced=replaced, file=migration.path)
                # One finding for a squash is enough, however much it shares.
                break


def applied_order(
    history: History,
    app: str,
    links: Sequence[Key],
    applied: Mapping[str, AbstractSet[Key]],
    refused: Collection[str] = (),
) -> Iterator[Finding]:
    """An error for each database in which `links`, as they would be in line, are not applied from the beginning on.

    `refused` are the aliases on which ``migrate`` does not start today.
    """
    for alias, rows in applied.items():
        found = out_of_order(links, rows)
        if found is not None:
            missing, later = found
            # While an app has several leaves, `migrate` runs nothing.
            forked = len(history.leaves(app)) > 1
            lacking = [other for other, there in applied.items() if missing in there and later not in there]
            yield targets.applied_order(
                migration=later,
                missing=missing,
                alias=alias,
                forked=forked,
                refused=alias in refused,
                elsewhere=[other for other in lacking if other not in refused],
            )
