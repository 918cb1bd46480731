"""Migrations whose class is not quite Django's: it has another base class, or methods or attributes of its own."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from types import FunctionType, ModuleType
from typing import Any

from migsync.findings import Finding, Severity
from migsync.worker.compose.modules import ATTRIBUTES, MIGRATION, MigrationModule
from migsync.worker.compose.references import bound
from migsync.worker.compose.skeleton import CLASS

METHODS = ("__init__", "apply", "unapply", "mutate_state")


def is_plain(module: ModuleType) -> bool:
    """Whether the class of a module's migration has nothing but what Django knows."""
    from django.db.migrations import Migration

    held = vars(module)[MIGRATION]
    return held.__bases__ == (Migration,) and not _own(held) and not {*METHODS} & vars(held).keys()


def shared_bases(modules: Collection[ModuleType], migrations: Collection[str]) -> tuple[type, ...]:
    """The bases that the classes of all these modules have, if they are not Django's alone and can be imported."""
    from django.db.migrations import Migration

    found = {vars(module)[MIGRATION].__bases__ for module in modules}
    bases: tuple[type, ...] = found.pop() if len(found) == 1 else ()
    can_be_named = (
        base.__module__ not in migrations and getattr(sys.modules.get(base.__module__), base.__name__, None) is base
        for base in bases
    )
    return bases if bases != (Migration,) and all(can_be_named) else ()


def with_bases(written: str, bases: Collection[type]) -> str:
    """The module that Django wrote, where its class has these bases."""
    from django.db.migrations import Migration

    if not bases:
        return written
    imports = "".join(f"import {base.__module__}\n" for base in bases if base is not Migration)
    names = ["migrations.Migration" if it is Migration else f"{it.__module__}.{it.__name__}" for it in bases]
    return imports + CLASS.sub(lambda _: f"\nclass Migration({', '.join(names)}):\n", written, count=1)


def unlike_others(
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


def lost_attributes(module: MigrationModule, app: str, name: str) -> Iterator[Finding]:
    """A warning for what a migration's class has that Django does not know, and its operations do not use."""
    from django.db.migrations import Migration

    held: Any = module.module.__dict__[MIGRATION]
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
    return [each for each in vars(held) if each not in {*ATTRIBUTES, *METHODS} and not each.startswith("__")]
