"""What a person must know of a composed file: what was copied, and what of the old files is not in the new one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from migsync.findings import Finding
from migsync.findings.composition import (
    carried,
    made_operations,
    own_attributes,
    own_base_class,
    own_migration_class,
    reaches_out,
    side_effect,
)
from migsync.history.references import bound
from migsync.key import Key
from migsync.worker.compose.migration_module import ATTRIBUTES, MIGRATION, MigrationModule
from migsync.worker.compose.namespace import Namespace

METHODS = ("__init__", "apply", "unapply", "mutate_state")
"""The methods of Django's ``Migration`` by which a class can do more than its operations."""


def notes(namespace: Namespace, origins: Iterable[MigrationModule], migration: Key) -> Iterator[Finding]:
    """All notes on the file of one migration; `origins` are the modules that it stands for."""
    modules = namespace.definitions.modules
    for used in dict.fromkeys(definition.module for definition in namespace.copied):
        yield _carried(namespace, modules[used], migration)
    used_modules = {definition.module: modules[definition.module] for definition in namespace.definitions.uses}
    for module in {**used_modules, **{each.name: each for each in origins}}.values():
        yield from _side_effects(module, migration)
    yield from _reaching_out(namespace, migration)
    for module in origins:
        made = vars(module.module)[MIGRATION].operations and not module.operations
        if made or any(_depends(node) for _, node in module.operations):
            line = module.definition.lineno if module.definition else 0
            yield made_operations(migration=migration, origin=module.migration, file=module.path, line=line)


def _depends(node: ast.expr) -> bool:
    """Whether an operation is written so that it may be another one elsewhere: by a condition, or by the engine."""
    return any(
        isinstance(each, ast.IfExp) or (isinstance(each, ast.Attribute) and each.attr == "vendor")
        for each in ast.walk(node)
    )


def _carried(namespace: Namespace, module: MigrationModule, migration: Key) -> Finding:
    used = (each for each in namespace.copied if each.module == module.name)
    copies = {each.preferred: namespace.name(each, each.preferred) for each in used}
    return carried(migration=migration, origin=module.migration, copies=copies, file=module.path)


def _side_effects(module: MigrationModule, migration: Key) -> Iterator[Finding]:
    """Statements at the top that bind nothing, and so do something."""
    # Statements are copied by the names that they bind. One that binds none is never asked for, and so gets lost.
    bound = {place for places in module.bindings.values() for place in places}
    for place, statement in enumerate(module.source.tree.body):
        if place in bound or _says_nothing(statement):
            continue
        text = module.source.text(*module.source.span(statement)).partition("\n")[0]
        yield side_effect(
            migration=migration,
            origin=module.migration,
            statement=text,
            file=module.path,
            line=statement.lineno,
        )


def _says_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Assert():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        # Never run, so there is no effect to lose.
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return True
    return False


def _reaching_out(namespace: Namespace, migration: Key) -> Iterator[Finding]:
    """Carried source that asks for its own file, or names a migration's module in a text."""
    modules: Mapping[str, MigrationModule] = namespace.definitions.modules
    for definition in namespace.definitions.uses:
        module = modules[definition.module]
        for node in (node for place in module.bindings[definition.name] for node in ast.walk(module.statements[place])):
            match node:
                case ast.Name(id="__file__"):
                    text = ""
                case ast.Constant(value=str(text)) if text in modules:
                    pass
                case _:
                    continue
            yield reaches_out(
                migration=migration,
                origin=module.migration,
                definition=definition.preferred,
                text=text,
                file=module.path,
                line=node.lineno,
            )


def is_plain(module: ModuleType) -> bool:
    """Whether the class of a module's migration has nothing but what Django knows."""
    from django.db.migrations import Migration

    held = vars(module)[MIGRATION]
    return held.__bases__ == (Migration,) and not _own(held) and not {*METHODS} & vars(held).keys()


def class_notes(
    module: MigrationModule, bases: tuple[type, ...], migration: Key, *, dropped: bool = False
) -> Iterator[Finding]:
    """What a migration's class does or has that a class of the new file, with these `bases`, does not.

    With `dropped` somebody has said that the migration may go, and nothing of it is an error.
    """
    yield from _unlike_others(module, bases, migration, dropped)
    yield from _lost_attributes(module, migration)


def _unlike_others(
    module: MigrationModule, bases: tuple[type, ...], migration: Key, dropped: bool
) -> Iterator[Finding]:
    """A finding when the class of a migration does more than Django's, or than `bases` do."""
    from django.db.migrations import Migration

    held: Any = module.module.__dict__[MIGRATION]
    line = module.definition.lineno if module.definition else 0
    own = [method for method in METHODS if getattr(held, method) is not getattr(Migration, method)]
    if own:
        yield own_migration_class(
            migration=migration, origin=module.migration, methods=own, dropped=dropped, file=module.path, line=line
        )
    elif held.__bases__ not in (bases, (Migration,)):
        names = [base.__name__ for base in held.__bases__ if base is not Migration]
        yield own_base_class(
            migration=migration, origin=module.migration, bases=names, dropped=dropped, file=module.path, line=line
        )


def _lost_attributes(module: MigrationModule, migration: Key) -> Iterator[Finding]:
    """A warning for what a migration's class has that Django does not know, and its operations do not use."""
    from django.db.migrations import Migration

    held: Any = module.module.__dict__[MIGRATION]
    # Functions in a class with Django's base are there for its operations; with another base, it may call them.
    kinds = (FunctionType, staticmethod, classmethod) if held.__bases__ == (Migration,) else ()
    body = module.definition.body if module.definition else []
    nodes = [node for statement in body for node in ast.walk(statement)]
    used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    lost = [each for each in _own(held) if each not in used and not isinstance(vars(held)[each], kinds)]
    if lost:
        yield own_attributes(
            migration=migration,
            origin=module.migration,
            attributes=lost,
            file=module.path,
            line=next((statement.lineno for statement in body if bound(statement) & {*lost}), 0),
        )


def _own(held: type) -> list[str]:
    """The attributes of a class that Django does not know."""
    return [each for each in vars(held) if each not in {*ATTRIBUTES, *METHODS} and not each.startswith("__")]
