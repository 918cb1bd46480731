"""Migrations that import others by name: ``import_module("shop.migrations.0006_z")`` follows a rename."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from migsync.edits.source import Source, Splice
from migsync.errors import HistoryError
from migsync.files.resolution import Resolution
from migsync.findings import Finding
from migsync.findings.references import removed_import
from migsync.history import Key, Migration

IMPORTS = (b"import_module", b"__import__")


@dataclass
class MigrationImports:
    """What becomes of the imports in a project's own migrations.

    `edited` are files by key, before and after, as :class:`migsync.files.reshape.ContentChanges` has them; `places`
    the lines (file, line) that need no warning; `findings` are errors about files that go and are imported.
    """

    edited: dict[Key, tuple[bytes, bytes]] = field(default_factory=dict)
    places: set[tuple[str, int]] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def with_imports(resolution: Resolution) -> tuple[Resolution, MigrationImports]:
    """The resolution with imports by name edited too, and what there is to say of them."""
    found = MigrationImports()
    modules = _modules(resolution)
    for key, migration in resolution.history.migrations.items() if modules else ():
        if key.app in resolution.history.first_party and key not in resolution.keys.gone:
            _follow(resolution, migration, modules, found)
    if not found.edited:
        return resolution, found
    contents = resolution.contents
    edited = {**contents.edited, **found.edited}
    return Resolution(resolution.history, replace(resolution.reshape, contents=replace(contents, edited=edited))), found


def _modules(resolution: Resolution) -> Mapping[str, Key]:
    """The migrations whose files get other names or go, by the end of a dotted name: ``shop.migrations.0006_z``."""
    found = {}
    for key in (*resolution.keys.renamed, *resolution.keys.gone):
        directory = resolution.history.apps[key.app].directory if key.app in resolution.history.apps else None
        # A label is no part of a path: what gets another label alone stays where it is.
        if (
            directory
            and key in resolution.history.migrations
            and (key in resolution.keys.gone or resolution.now(key).name != key.name)
        ):
            found[".".join((*Path(directory).parts[-2:], key.name))] = key
    return found


def _follow(resolution: Resolution, migration: Migration, modules: Mapping[str, Key], found: MigrationImports) -> None:
    try:
        old = Path(migration.path).read_bytes()
        before, content = resolution.contents.edited.get(migration.key, (old, old))
        if not any(word in content for word in IMPORTS):
            return
        source = Source(content, migration.path)
    except (OSError, SyntaxError, ValueError, HistoryError):
        return  # whatever reads it next says so
    splices = []
    for text, key in _imported(source.tree, migration.key, modules):
        found.places.add((migration.path, text.lineno))
        if key in resolution.keys.gone:
            found.findings.append(
                removed_import(migration=migration.key, other=key, file=migration.path, line=text.lineno)
            )
            continue
        start, end = source.span(text)
        splices.append(Splice(start, end, _renamed(source.text(start, end), key.name, resolution.now(key).name)))
    if splices:
        found.edited[migration.key] = before, source.spliced(splices)


def _imported(tree: ast.Module, own: Key, modules: Mapping[str, Key]) -> Iterator[tuple[ast.Constant, Key]]:
    """The name in each import of a migration by name, and the migration."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str() as name) as text, *_],
            ):
                ends = [end for end, key in modules.items() if f".{name}".endswith(f".{end}")]
                # ``import_module(".0006_z", __package__)``
                ends += [end for end, key in modules.items() if key.app == own.app and name == f".{key.name}"]
                yield from ((text, modules[end]) for end in ends[:1])


def _renamed(text: str, old: str, new: str) -> str:
    """The literal with another name at its end, its quotes and its prefix kept."""
    head, _, tail = text.rpartition(old)
    return f"{head}{new}{tail}"
