"""Renumbers and collapses the migration files of a whole project, as a tool would that leaves no rewrite behind.

It knows nothing of migsync: it reads and edits the files by their syntax trees.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple


class Key(NamedTuple):
    app: str
    name: str


@dataclass(frozen=True)
class File:
    """One migration file. `references` are the places where a key stands in one of the attributes that name keys."""

    path: Path
    source: str
    dependencies: tuple[ast.expr, ...]
    references: tuple[tuple[Key, ast.Constant], ...]
    parents: frozenset[Key]
    replaces: frozenset[Key]
    plain: bool  # nothing but dependencies and operations, so that it can be collapsed

    @classmethod
    def read(cls, path: Path) -> File:
        return replace(cls._parsed(path.read_text()), path=path)

    @classmethod
    @cache
    def _parsed(cls, source: str) -> File:
        """The file wherever it is: a test reads hundreds, many times, of which most are the same."""
        body = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == "Migration").body
        values = {
            target.id: node.value
            for node in body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        named = {attribute: tuple(keys_in(values.get(attribute))) for attribute in NAMING}
        dependencies = values.get("dependencies")
        return cls(
            Path(),
            source,
            tuple(dependencies.elts) if isinstance(dependencies, ast.List | ast.Tuple) else (),
            tuple(found for attribute in NAMING for found in named[attribute]),
            frozenset(key for key, _ in named["dependencies"]),
            frozenset(key for key, _ in named["replaces"]),
            values.keys() <= {"dependencies", "operations"},
        )


NAMING = ("dependencies", "run_before", "replaces")


def keys_in(value: ast.expr | None) -> Iterator[tuple[Key, ast.Constant]]:
    """Every ("app", "name") in a list, with the place of the name."""
    for node in value.elts if isinstance(value, ast.List | ast.Tuple) else ():
        match node:
            case ast.Tuple([ast.Constant(str(app)), ast.Constant(str(name)) as place]):
                yield Key(app, name), place


@dataclass
class NewNames:
    """What each old name becomes: {(app, old): new}, and for those that are collapsed {(app, new): (old, old, …)}."""

    renamed: dict[Key, str] = field(default_factory=dict)
    collapsed: dict[Key, tuple[str, ...]] = field(default_factory=dict)

    def options(self) -> list[str]:
        """The same as options of ``migsync rewrite``."""
        maps = [f"--map={app}.{old}={new}" for (app, old), new in self.renamed.items() if new != old]
        return maps + [f"--collapse={app}.{new}={'+'.join(olds)}" for (app, new), olds in self.collapsed.items()]

    def of(self, key: Key) -> str:
        """The name under which `key` is found now."""
        for (app, new), olds in self.collapsed.items():
            if app == key.app and key.name in olds:
                return new
        return self.renamed.get(key, key.name)


def read_history(history: Path) -> dict[Key, File]:
    return {
        Key(path.parent.name, path.stem): File.read(path)
        for path in sorted(history.glob("*/*.py"))
        if path.stem != "__init__"
    }


def choose_names(files: Mapping[Key, File], shifted: frozenset[str]) -> NewNames:
    """Renumber every app by tens and collapse what can safely be; in the `shifted` apps each migration takes over the
    name of the next instead, so that the same names mean other migrations than before."""
    names = NewNames()
    children = defaultdict(set)
    for key, file in files.items():
        for parent in file.parents:
            children[parent].add(key)
    replaced = frozenset(key for file in files.values() for key in file.replaces)
    for app in sorted({key.app for key in files}):
        order = names_in_order(files, app)
        if app in shifted:
            new = [*order[1:], f"9999_{order[-1].partition('_')[2]}"]
            names.renamed |= {Key(app, old): name for old, name in zip(order, new, strict=True)}
            continue
        for number, run in enumerate(runs(files, children, replaced, app, order), start=1):
            if len(run) == 1:
                names.renamed[Key(app, run[0])] = re.sub(r"\A\d+", f"{number * 10:04d}", run[0])
            else:
                names.collapsed[Key(app, f"{number * 10:04d}_{run[0]}_to_{run[-1][:4]}")] = tuple(run)
    return names


def names_in_order(files: Mapping[Key, File], app: str) -> list[str]:
    graph = {
        key.name: {up.name for up in file.parents if up.app == app} for key, file in files.items() if key.app == app
    }
    return [name for name in TopologicalSorter(graph).static_order() if name in graph]


def runs(
    files: Mapping[Key, File],
    children: Mapping[Key, set[Key]],
    replaced: frozenset[Key],
    app: str,
    order: list[str],
) -> Iterator[list[str]]:
    """The app's names in order, in groups: three that can become one migration, then three for themselves, and so on.

    To become one is safe where each depends in its app on the one before alone, and nothing else anywhere depends on
    that one: whatever the later ones depend on then cannot depend on the earlier ones.
    """
    run: list[str] = []
    groups = 0
    for name in order:
        key = Key(app, name)
        above = {up for up in files[key].parents if up.app == app}
        last = Key(app, run[-1]) if run else None
        joins = (
            last is not None
            and len(run) < (1 if groups % 4 else 3)
            and above == {last}
            and children[last] == {key}
            and files[key].plain
            and files[last].plain
            and not {key, last} & replaced
        )
        if run and not joins:
            yield run
            run, groups = [], groups + 1
        run.append(name)
    if run:
        yield run


def rename_files(files: Mapping[Key, File], names: NewNames) -> None:
    """Write all files under their new names, with the new names in them."""
    for file in files.values():
        file.path.unlink()
    for key, file in files.items():
        if key in names.renamed:
            (file.path.parent / f"{names.renamed[key]}.py").write_text(with_new_names(file, names))
    for (app, new), olds in names.collapsed.items():
        members = [files[Key(app, old)] for old in olds]
        package = members[0].path.parent
        # Django takes no package for a migration: what is in here is only imported.
        (package / "collapsed").mkdir(exist_ok=True)
        (package / "collapsed" / "__init__.py").touch()
        for member in members:
            (package / "collapsed" / member.path.name).write_text(member.source)
        (package / f"{new}.py").write_text(collapsed_source(app, members, names))


def with_new_names(file: File, names: NewNames) -> str:
    lines = file.source.splitlines(keepends=True)
    for key, place in sorted(file.references, key=lambda found: (found[1].lineno, found[1].col_offset), reverse=True):
        # Offsets count bytes; the names and what stands before them on a line are ASCII.
        line = lines[place.lineno - 1]
        lines[place.lineno - 1] = f"{line[: place.col_offset]}{names.of(key)!r}{line[place.end_col_offset :]}"
    return "".join(lines)


def collapsed_source(app: str, members: list[File], names: NewNames) -> str:
    inside = {Key(app, member.path.stem) for member in members}
    dependencies = []
    for member in members:
        for node in member.dependencies:
            found = next(keys_in(ast.List([node])), None)
            if found is None:
                dependencies.append(ast.unparse(node))
            elif found[0] not in inside:
                dependencies.append(repr((found[0].app, names.of(found[0]))))
    return f"""\
from importlib import import_module

from django.conf import settings
from django.db import migrations

STEPS = [import_module(f"history.{app}.collapsed.{{name}}") for name in {[m.path.stem for m in members]!r}]


class Migration(migrations.Migration):
    dependencies = [{", ".join(dict.fromkeys(dependencies))}]
    operations = [operation for step in STEPS for operation in step.Migration.operations]
"""
