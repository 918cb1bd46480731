"""Whether ``migrate`` would start on a database: what Django's loader and its checks say of the files and the rows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator
from itertools import groupby

from migsync.findings import Finding, Severity
from migsync.history.graph import History
from migsync.history.loader import LoaderState
from migsync.history.migration import Key
from migsync.words import count, sample

NAMED = 3


def inconsistencies(
    history: History, state: LoaderState, scope: Collection[str], *, alias: str, told: bool = False
) -> Iterator[Finding]:
    """What stops ``migrate``, in any app: files that do not load, and recorded migrations without their dependencies.

    Of first-party apps outside of `scope`, whose records the plan leaves as they are, the latter is a warning. So is
    what rests on files that could not be read in full. `told` says that a finding about the files does so already.
    """
    if state.error and not told:
        yield _broken(history, state.error)
    for child, parent in state.inconsistent:
        yield _inconsistent(history, state, child, parent, _severity(history, scope, child, parent), alias)
    yield from (finding for finding in state.findings if not finding.app or finding.app in scope)


def conflicts(history: History, state: LoaderState) -> Iterator[Finding]:
    """Apps with several leaf nodes: ``migrate`` refuses those files whatever is recorded."""
    if state.error:
        return
    for app, leaves in groupby(state.leaves, key=lambda key: key.app):
        names = [key.name for key in leaves]
        # A file that could not be read may be the one that puts the leaves together.
        if len(names) > 1 and app not in history.unread:
            yield _conflict(history, app, names)


def unread_apps(history: History) -> Iterator[Finding]:
    """How many apps could not be read in full, so that their part of these checks is missing."""
    if apps := sorted(history.unread):
        yield Finding(
            "unread-apps",
            Severity.WARNING,
            f"{count(len(apps), 'app')} could not be read in full: {sample(apps, NAMED)}.",
            "Whether `migrate` starts was not checked where it depends on them.",
            "To let Django check it: python manage.py migrate --plan",
        )


def _severity(history: History, scope: Collection[str], child: Key, parent: Key) -> Severity:
    outside = child.app in history.first_party and child.app not in scope
    doubtful = not history.unread.isdisjoint((child.app, parent.app))
    return Severity.WARNING if outside or doubtful else Severity.ERROR


def _broken(history: History, error: str) -> Finding:
    doubtful = any(key.app in history.unread for key in history.dangling)
    return Finding(
        "broken-graph",
        Severity.WARNING if doubtful else Severity.ERROR,
        error,
        "Django cannot load these migrations, so neither `migrate` nor migsync can tell what is applied.",
        "Correct the dependency in the file that is named. If the file is a package's, install a version that fits.",
    )


def _inconsistent(
    history: History, state: LoaderState, child: Key, parent: Key, severity: Severity, alias: str
) -> Finding:
    own = parent.app in history.first_party
    return Finding(
        "inconsistent-history",
        severity,
        f"{child} is recorded, but {parent}, which it depends on, is not.",
        "`migrate` refuses such a database (InconsistentMigrationHistory)."
        + ("" if own else f" {parent.app} is not an app of this project, so migsync does not change its records."),
        _own_advice(parent) if own else _package_advice(history, state, child, parent, alias),
        app=child.app,
        name=child.name,
        other=str(parent),
    )


def _own_advice(parent: Key) -> str:
    return f"If {parent} ran here under another name, say so with --map. Otherwise, run it first, with the old files."


def _package_advice(history: History, state: LoaderState, child: Key, parent: Key, alias: str) -> str:
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    strange = sorted(
        key for key in state.recorded if key.app == parent.app and key not in history.migrations and key not in replaced
    )
    ran = f"If the tables of {parent} are there, record it, which runs nothing: {_record(parent, alias)}"
    if strange:
        names = ", ".join(map(str, strange[:NAMED])) + (" and more" if len(strange) > NAMED else "")
        return (
            f"{names}: recorded, and not in the installed version of {parent.app}, which may have renamed its files. "
            f"Install a version that has them.\n{ran}"
        )
    if child.app in history.first_party:
        return (
            f"Take this dependency out of {child}, run migrate, and put it into a new migration of {child.app}.\n{ran}"
        )
    return f"Install the version of {child.app} that this database was migrated with, and run migrate.\n{ran}"


def _record(key: Key, alias: str) -> str:
    """What ``migrate --fake`` would do, which Django refuses while the history is inconsistent."""
    code = (
        "from django.db import connections; from django.db.migrations.recorder import MigrationRecorder; "
        f"MigrationRecorder(connections[{alias!r}]).record_applied({key.app!r}, {key.name!r})"
    )
    plain = re.fullmatch(r"[\w.-]+", f"{alias}{key.app}{key.name}")
    quoted = f'"{code}"' if plain else shlex.quote(code)
    return f"python manage.py shell -c {quoted}"


def _conflict(history: History, app: str, names: list[str]) -> Finding:
    own = app in history.first_party
    directory = history.apps[app].directory or app
    return Finding(
        "conflicting-migrations",
        Severity.ERROR,
        f"{app} has {len(names)} leaf nodes: {', '.join(names)}.",
        "`migrate` refuses such files (CommandError: Conflicting migrations detected).",
        f"Put one behind the other: migsync fix-conflicts --app {app}. Or merge them: "
        "python manage.py makemigrations --merge"
        if own
        else f"{app} is not an app of this project. Files of an older version, or of makemigrations, may be left in "
        f"{directory}: remove what the package does not have, or install it again.",
        app=app,
        name=names[-1],
    )
