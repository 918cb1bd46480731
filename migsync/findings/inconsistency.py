"""About a recorded migration that depends on one which is not recorded: Django's InconsistentMigrationHistory."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from migsync.alias import is_of_entry
from migsync.findings.commands import migrate, migsync, old_files
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list

NAMED = 3
SETTING = "__setting__"
LATEST = "__latest__"
FIRST = "__first__"


@entry("inconsistent-history", Severity.ERROR, Severity.WARNING)
def inconsistent_history(
    *,
    migration: Key,
    other: Key,
    own: bool,
    own_child: bool,
    strange: Sequence[Key],
    doubtful: bool,
    stated_in: Key | None = None,
    named: Key | None = None,
    last: str = "",
    commit: str = "",
    was_there: bool = False,
    alias: str = "",
) -> Texts:
    """A migration is recorded, but one that it depends on is not.

    Django's `migrate` refuses to start on such a database (InconsistentMigrationHistory), also with `--fake`. The
    message says which file states the dependency, and since which commit. The reason is one of these:

    - The missing migration ran under another name. Say so with `--map`.
    - What it does is there, but it is not recorded. Record it with `--record`, which runs nothing.
    - The dependency was added after the migration had run. If the missing migration is older than that, run it first,
      with the files of the commit before. Then deploy the files of today.
    - The missing migration is new, and was put before one that had run. `migsync linearize` puts it behind, and takes
      out a dependency between apps, where the proof shows that the two do not need each other. Where they do, it says
      which operation needs what.
    - The dependency is on `__latest__` or `__first__` of an app. With each new migration, or after a squash, these
      mean another one. Write the name of the migration that is needed into the file.
    - A custom user model was introduced late: `swappable_dependency(settings.AUTH_USER_MODEL)` means the first
      migration of another app than before. The foreign keys of this database still lead to the table of the old model.
      Give the new model that table (`db_table = "auth_user"`), and the tables of its many-to-many fields, in its first
      migration. Then record that migration, which runs nothing, and rename the tables in a later one. Make a backup
      first: if the new model has other columns than the old table, queries fail until a migration adds them.
    - A package was installed in another version, whose migrations differ. Where it renamed them and ships no rewrite,
      write one with `migsync rewrite --third-party`. Or install the version that this database was migrated with. If
      the tables of the missing migration exist already, record it with the command in the message, which runs nothing.
      If they do not exist, recording it means that they never will be made.
    """
    lines = (
        _own_advice(migration, other, alias, stated_in, named, last, commit, own_child=own_child, was_there=was_there)
        if own
        else _package_advice(migration, other, strange, alias, stated_in, named, last, own_child=own_child)
    )
    cause = _cause(migration, other, stated_in, named, commit)
    return Texts(
        f"{migration} is recorded, but {other}, which it depends on, is not.",
        "`migrate` refuses to start on such a database (InconsistentMigrationHistory)."
        + ("" if own else f" {other.app} is not an app of this project, so migsync does not change its records.")
        + (f"\n{cause}" if cause else ""),
        "\n".join(lines),
        Severity.WARNING if doubtful else Severity.ERROR,
    )


def _cause(child: Key, parent: Key, stated_in: Key | None, named: Key | None, commit: str) -> str:
    """Which file states the dependency, since when; and for words whose meaning changes, what they mean now."""
    since = f" It does so since commit {commit[:10]}." if commit else ""
    if stated_in is None or named is None:
        return ""
    if named.app == SETTING:
        return (
            f"{stated_in} depends on the model that the setting {named.name} names: on the first migration of its app, "
            f"which is {parent} now. Usually the setting named another model when this database was migrated."
            + (f" {parent} is there since commit {commit[:10]}." if commit else "")
        )
    if named.name in (LATEST, FIRST):
        return f"{stated_in} depends on `{named.name}` of {named.app}. That is {parent}" + (
            f" since commit {commit[:10]}." if commit else " now."
        )
    if stated_in != child and named == child:
        return f"{stated_in} has {child} in its `run_before`.{since}"
    return f"{stated_in} states the dependency since commit {commit[:10]}." if commit else ""


def _own_advice(
    child: Key,
    parent: Key,
    alias: str,
    stated_in: Key | None,
    named: Key | None,
    last: str,
    commit: str,
    *,
    own_child: bool,
    was_there: bool,
) -> Iterator[str]:
    record = migsync("plan", "--record", parent, alias=alias)
    if named and named.app == SETTING:
        yield (
            f"If {parent} makes its model on the table of the old one (`db_table`, many-to-many fields too), record "
            f"it, which runs nothing: {record}"
        )
        yield f"If not, give it that table first, and rename the table in a later migration. Or set {named.name} back."
        return
    yield (f"If {parent} ran here under another name: {migsync('plan', '--map', f'{parent.app}.OLD={parent.name}')}")
    yield f"If what it does is there already, record it: {record}"
    if named and named.name in (LATEST, FIRST):
        yield _write_name(child, parent, stated_in, last, own_child=own_child)
        return
    if was_there:
        yield (
            f"To run it first, with the files from before that commit:\n"
            f"{old_files(f'{commit[:9]}^', parent.app, parent.name, alias)}"
        )
    elif not commit:
        yield (
            "If the files that this database was last migrated with have it, run it first, with those files: "
            f"{migrate(parent.app, parent.name, alias=alias)}"
        )
    if own_child:
        yield f"If neither needs the other, let {child} come first, in every database: {_linearize()}"


def _write_name(child: Key, parent: Key, stated_in: Key | None, last: str, *, own_child: bool) -> str:
    if not own_child:
        return f"Install a version of {child.app} that names the migration that it needs."
    if not last:
        return f"If {child} does not need {parent.app}, remove this dependency from {stated_in or child}."
    return f'Write the name of the migration that it needs into {stated_in or child}: ("{parent.app}", "{last}")'


def _linearize() -> str:
    return migsync("linearize", "--update-db")


def _package_advice(
    child: Key,
    parent: Key,
    strange: Sequence[Key],
    alias: str,
    stated_in: Key | None,
    named: Key | None,
    last: str,
    *,
    own_child: bool,
) -> Iterator[str]:
    ran = (
        f"If the tables of {parent} exist, record it, which runs nothing: {_record(parent, alias)}\n"
        "If they do not exist, do not record it: they would never be made."
    )
    if named and named.app == SETTING:
        yield f"Set {named.name} back to the model that this database was migrated with.\n{ran}"
    elif named and own_child and named.name in (LATEST, FIRST):
        yield f"{_write_name(child, parent, stated_in, last, own_child=True)}\n{ran}"
    elif strange:
        old = strange[0].name if len(strange) == 1 else "OLD"
        stated = migsync("rewrite", "--third-party", "--map", f"{parent.app}.{old}={parent.name}")
        yield (
            f"The installed version of {parent.app} does not have {text_list(strange, NAMED)}, which "
            f"{'is' if len(strange) == 1 else 'are'} recorded. It may have renamed its files.\n"
            f"If {'it' if len(strange) == 1 else 'one of them'} is {parent.name} now, say so: {stated}\n"
            f"Or install a version that has {'it' if len(strange) == 1 else 'them'}.\n{ran}"
        )
    elif own_child:
        yield (
            f"Remove this dependency from {child}, run `migrate`, then add the dependency to a new migration of "
            f"{child.app}.\n{ran}"
        )
    else:
        yield f"Install the version of {child.app} that this database was migrated with, and run `migrate`.\n{ran}"


def _record(key: Key, alias: str) -> str:
    """What ``migrate --fake`` would do, which Django refuses while the history is inconsistent."""
    if is_of_entry(alias):
        code = f"MigrationRecorder(connection).record_applied({key.app!r}, {key.name!r})"
        return f"`{code}`, in a shell of Django that is connected to {alias}"
    database = alias or "default"
    code = (
        "from django.db import connections; from django.db.migrations.recorder import MigrationRecorder; "
        f"MigrationRecorder(connections[{database!r}]).record_applied({key.app!r}, {key.name!r})"
    )
    plain = re.fullmatch(r"[\w.-]+", f"{database}{key.app}{key.name}")
    quoted = f'"{code}"' if plain else shlex.quote(code)
    return f"python manage.py shell -c {quoted}"
