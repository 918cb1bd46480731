"""What a person must know of a composed file: what was copied, and what of the old files is not in the new one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from migsync.findings import Finding, Severity
from migsync.worker.compose.migration_module import ATTRIBUTES, MIGRATION, MigrationModule
from migsync.worker.compose.namespace import Namespace
from migsync.worker.compose.references import bound

METHODS = ("__init__", "apply", "unapply", "mutate_state")
"""The methods of Django's ``Migration`` by which a class can do more than its operations."""


def notes(namespace: Namespace, origins: Iterable[MigrationModule], app: str, name: str) -> Iterator[Finding]:
    """All notes on the file of one migration; `origins` are the modules that it stands for."""
    modules = namespace.definitions.modules
    for used in dict.fromkeys(definition.module for definition in namespace.copied):
        yield _carried(namespace, modules[used], app, name)
    used_modules = {definition.module: modules[definition.module] for definition in namespace.definitions.uses}
    for module in {**used_modules, **{each.name: each for each in origins}}.values():
        yield from _side_effects(namespace, module, app, name)
    yield from _reaching_out(namespace, app, name)
    for module in origins:
        made = vars(module.module)[MIGRATION].operations and not module.operations
        if made or any(_depends(node) for _, node in module.operations):
            yield _made(module, app, name)


def stays_apart(places: Iterable[tuple[str, str]], app: str, name: str) -> Iterator[Finding]:
    """The fields, as (model, field), that are altered more than once in the file, when there are any."""
    fields = ", ".join(".".join(place) for place in places)
    if fields:
        yield Finding(
            "stays-apart",
            Severity.INFO,
            f"{app}.{name} has more than one operation on {fields}.",
            "As one, it would leave another value in rows that are already there.",
            app=app,
            name=name,
        )


def _depends(node: ast.expr) -> bool:
    """Whether an operation is written so that it may be another one elsewhere: by a condition, or by the engine."""
    return any(
        isinstance(each, ast.IfExp) or (isinstance(each, ast.Attribute) and each.attr == "vendor")
        for each in ast.walk(node)
    )


def _made(module: MigrationModule, app: str, name: str) -> Finding:
    """Operations that are not written out: which they are may depend on the engine, or on settings."""
    return Finding(
        "made-operations",
        Severity.WARNING,
        f"The operations of {module.migration} are made when it is imported.",
        f"{app}.{name} holds them as they are here and now; with another engine or other settings they may be others.",
        f"When that is so, leave {module.migration} as a file of its own.",
        app,
        name,
        module.path,
        module.definition.lineno if module.definition else 0,
    )


def _carried(namespace: Namespace, module: MigrationModule, app: str, name: str) -> Finding:
    told = []
    for definition in (each for each in namespace.copied if each.module == module.name):
        new = namespace.name(definition, definition.preferred)
        told.append(definition.preferred if new == definition.preferred else f"{definition.preferred} (as {new})")
    return Finding(
        "carried",
        Severity.INFO,
        f"{', '.join(told)} of {module.migration} {'is' if len(told) == 1 else 'are'} copied into {app}.{name}.",
        app=app,
        name=name,
        file=module.path,
    )


def _side_effects(namespace: Namespace, module: MigrationModule, app: str, name: str) -> Iterator[Finding]:
    """Statements at the top that bind nothing, and so do something."""
    # Statements are copied by the names that they bind. One that binds none is never asked for, and so gets lost.
    bound = {place for places in module.bindings.values() for place in places}
    for place, statement in enumerate(module.source.tree.body):
        if place in bound or _says_nothing(statement):
            continue
        text = module.source.text(*module.source.span(statement)).partition("\n")[0]
        yield Finding(
            "side-effect",
            Severity.WARNING,
            f"{module.migration} does something when it is imported: {text}",
            f"That is not in {app}.{name}.",
            "When it is needed, add it to the new file by hand.",
            app,
            name,
            module.path,
            statement.lineno,
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


def _reaching_out(namespace: Namespace, app: str, name: str) -> Iterator[Finding]:
    """Carried source that asks for its own file, or names a migration's module in a text."""
    modules: Mapping[str, MigrationModule] = namespace.definitions.modules
    for definition in namespace.definitions.uses:
        module = modules[definition.module]
        for node in (node for place in module.bindings[definition.name] for node in ast.walk(module.statements[place])):
            match node:
                case ast.Name(id="__file__"):
                    found = f"{definition.preferred} uses __file__, which is {module.migration}'s own until now"
                    meaning = f"In {app}.{name} it is the new file's."
                case ast.Constant(value=str(text)) if text in modules:
                    found = f"{definition.preferred} names the migration {text} in a text"
                    meaning = "That file may be gone when it is run."
                case _:
                    continue
            hint = "Look at it in the new file."
            line = node.lineno
            yield Finding("reaches-out", Severity.WARNING, f"{found}.", meaning, hint, app, name, module.path, line)


def is_plain(module: ModuleType) -> bool:
    """Whether the class of a module's migration has nothing but what Django knows."""
    from django.db.migrations import Migration

    held = vars(module)[MIGRATION]
    return held.__bases__ == (Migration,) and not _own(held) and not {*METHODS} & vars(held).keys()


def class_notes(
    module: MigrationModule, bases: tuple[type, ...], severity: Severity, app: str, name: str
) -> Iterator[Finding]:
    """What a migration's class does or has that a class of the new file, with these `bases`, does not."""
    yield from _unlike_others(module, bases, severity, app, name)
    yield from _lost_attributes(module, app, name)


def _unlike_others(
    module: MigrationModule, bases: tuple[type, ...], severity: Severity, app: str, name: str
) -> Iterator[Finding]:
    """A finding when the class of a migration does more than Django's, or than `bases` do."""
    from django.db.migrations import Migration

    held: Any = module.module.__dict__[MIGRATION]
    line = module.definition.lineno if module.definition else 0
    own = [method for method in METHODS if getattr(held, method) is not getattr(Migration, method)]
    if own:
        yield Finding(
            "own-migration-class",
            severity,
            f"{module.migration} is not a migration like others: its class has {' and '.join(own)} of its own.",
            "What it does besides its operations would be lost.",
            f"Leave {module.migration} as a file of its own.",
            app,
            name,
            module.path,
            line,
        )
    elif held.__bases__ not in (bases, (Migration,)):
        names = ", ".join(base.__name__ for base in held.__bases__ if base is not Migration)
        yield Finding(
            "own-base-class",
            severity,
            f"{module.migration} is not a migration like others: its base class is {names}.",
            "A new file has a base class of one's own where all that it stands for have the same one, and no migration "
            "defines it.",
            "Give all of them the same, or leave this one as a file of its own.",
            app,
            name,
            module.path,
            line,
        )


def _lost_attributes(module: MigrationModule, app: str, name: str) -> Iterator[Finding]:
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
        yield Finding(
            "own-attributes",
            Severity.WARNING,
            f"The class of {module.migration} has {' and '.join(lost)}, which Django does not know.",
            "The new file has not.",
            "When something looks at it, add it to the new file by hand.",
            app,
            name,
            module.path,
            next((statement.lineno for statement in body if bound(statement) & {*lost}), 0),
        )


def _own(held: type) -> list[str]:
    """The attributes of a class that Django does not know."""
    return [each for each in vars(held) if each not in {*ATTRIBUTES, *METHODS} and not each.startswith("__")]
