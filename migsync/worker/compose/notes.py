"""What a person must know of a composed file: what was carried, and what about the old files is not in the new one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from migsync.findings import Finding, Severity
from migsync.worker.compose.modules import MigrationModule
from migsync.worker.compose.naming import Named
from migsync.worker.compose.written import depends, operations


def notes(named: Named, origins: Iterable[MigrationModule], app: str, name: str) -> Iterator[Finding]:
    """All notes on the file of one migration; `origins` are the modules that it stands for."""
    modules = named.gathering.modules
    own = [definition for definition in named.gathering.uses if named.canonical[definition] == definition]
    for used in dict.fromkeys(definition.module for definition in own):
        yield _carried(named, modules[used], app, name)
    used_modules = {definition.module: modules[definition.module] for definition in named.gathering.uses}
    for module in {**used_modules, **{each.name: each for each in origins}}.values():
        yield from _side_effects(named, module, app, name)
    yield from _reaching_out(named, app, name)
    for module in origins:
        written = operations(module)
        made = vars(module.module)["Migration"].operations and not written
        if made or any(depends(node) for _, node in written):
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


def _carried(named: Named, module: MigrationModule, app: str, name: str) -> Finding:
    told = []
    for definition in named.gathering.uses:
        if definition.module != module.name or named.canonical[definition] != definition:
            continue
        new = named.name(definition, definition.preferred)
        told.append(definition.preferred if new == definition.preferred else f"{definition.preferred} (as {new})")
    return Finding(
        "carried",
        Severity.INFO,
        f"{', '.join(told)} of {module.migration} {'is' if len(told) == 1 else 'are'} copied into {app}.{name}.",
        app=app,
        name=name,
        file=module.path,
    )


def _side_effects(named: Named, module: MigrationModule, app: str, name: str) -> Iterator[Finding]:
    """Statements at the top that bind nothing, and so do something."""
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
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return True
    return False


def _reaching_out(named: Named, app: str, name: str) -> Iterator[Finding]:
    """Carried source that asks for its own file, or names a migration's module in a text."""
    modules: Mapping[str, MigrationModule] = named.gathering.modules
    for definition in named.gathering.uses:
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
