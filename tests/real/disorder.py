"""Brings disorder into the migration files of a whole project, as years of branches do: gaps, forks, merges, doubles.

It knows nothing of migsync: it reads and edits the files by their syntax trees.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.real.renaming import File, Key, NewNames, names_in_order, read_history, rename_files, with_new_names

EVERY = 4  # of so many migrations in an app, one has a branch beside it

BRANCH = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {dependencies!r}

    operations = [
        migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),
    ]
"""
MERGE = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {dependencies!r}

    operations = []
"""


def bring_gaps(history: Path) -> None:
    """Multiply every number by ten."""
    files = read_history(history)
    names = NewNames({key: re.sub(r"\A\d+", lambda number: f"{int(number[0]) * 10:04d}", key.name) for key in files})
    rename_files(files, names)


def bring_forks(history: Path) -> set[Key]:
    """Add a branch beside every fourth migration, with a merge behind both that everybody depends on from then on.

    Every other branch has two migrations, and every other merge names the fork's beginning as well. The merges.
    """
    files = read_history(history)
    special = _special(files)
    merges: dict[Key, Key] = {}
    for app in sorted({key.app for key in files}):
        plain = [key for name in names_in_order(files, app) if (key := Key(app, name)) not in special]
        for number, key in enumerate(plain[1::EVERY]):
            parents = [parent for parent in files[key].parents if parent.app == app]
            if parents:
                merges[key] = _fork(history, key, min(parents), number)
    for key, file in files.items():
        mine = NewNames({passed: merge.name for passed, merge in merges.items() if passed != key})
        file.path.write_text(with_new_names(file, mine))
    return set(merges.values())


def _fork(history: Path, key: Key, parent: Key, number: int) -> Key:
    digits = int(re.sub(r"\D.*", "", key.name))
    branch = [Key(key.app, f"{digits:04d}_beside_{number}_{place}") for place in range(1 + number % 2)]
    for below, each in zip([parent, *branch], branch, strict=False):
        write(history, each, BRANCH, [below])
    merge = Key(key.app, f"{digits + 1:04d}_merge_{number}")
    write(history, merge, MERGE, [key, branch[-1], *([parent] if number % 2 else [])])
    return merge


def bring_ends(history: Path) -> dict[str, list[Key]]:
    """Give every app a second end, a branch of two migrations beside its last one: {app: branch}."""
    files = read_history(history)
    special = _special(files)
    branches = {}
    for app in sorted({key.app for key in files}):
        last = Key(app, names_in_order(files, app)[-1])
        parents = [parent for parent in files[last].parents if parent.app == app]
        if last in special or not parents:
            continue
        number = re.sub(r"\D.*", "", last.name)
        branch = [Key(app, f"{number}_branch"), Key(app, f"{int(number) + 1:0{len(number)}d}_branch_end")]
        write(history, branch[0], BRANCH, [min(parents)])
        write(history, branch[1], BRANCH, [branch[0]])
        branches[app] = branch
    return branches


def _special(files: Mapping[Key, File]) -> set[Key]:
    """Squashes, what they replace, what some file wants to run before, and names without a number."""
    found = {key for key, file in files.items() if file.replaces or not key.name[:1].isdigit()}
    for file in files.values():
        found |= file.replaces | ({key for key, _ in file.references} - file.parents)
    return found


def write(history: Path, key: Key, template: str, parents: Iterable[Key]) -> None:
    path = history / key.app / f"{key.name}.py"
    assert not path.exists()
    path.write_text(template.format(dependencies=[tuple(parent) for parent in parents]))


def in_app_parents(files: Mapping[Key, File]) -> dict[Key, set[Key]]:
    """Each migration's own parents in its app."""
    found: dict[Key, set[Key]] = defaultdict(set)
    for key, file in files.items():
        found[key] = {parent for parent in file.parents if parent.app == key.app}
    return found
