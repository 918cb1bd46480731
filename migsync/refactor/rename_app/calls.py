"""The calls in a migration file that matter for a label: what they are called, and their arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator

HEADER = frozenset({"dependencies", "run_before", "replaces"})
RELATIONS = frozenset({"ForeignKey", "OneToOneField", "ManyToManyField", "ParentalKey", "ParentalManyToManyField"})
MODEL_ARGUMENTS = frozenset({"to", "through"})


def calls(tree: ast.Module) -> list[ast.Call]:
    """All calls, from the top of the file to its end."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def called(call: ast.Call) -> str:
    """The last part of what is called: ``CreateModel`` for ``migrations.CreateModel(…)``."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """The argument that is at this place, or has this name."""
    by_name = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    return by_name if by_name is not None else call.args[place] if place < len(call.args) else None


def text(node: ast.expr | None) -> str | None:
    """The value of a plain string."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def model_references(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments of a call that name a model or, for ``get_model``, an app, for certain."""
    name = called(call)
    yield from (keyword.value for keyword in call.keywords if keyword.arg in MODEL_ARGUMENTS)
    if name in RELATIONS and call.args:
        yield call.args[0]
    if name == "get_model" and (first := argument(call, 0, "app_label")) is not None:
        yield first
    if name == "CreateModel":
        match argument(call, 3, "bases"):
            case ast.Tuple(elts=bases) | ast.List(elts=bases):
                yield from bases


def in_header(tree: ast.Module) -> set[ast.AST]:
    """All nodes in the statements that say what a migration depends on."""
    statements = [
        statement
        for definition in tree.body
        if isinstance(definition, ast.ClassDef)
        for statement in definition.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
    ]
    return {
        node
        for statement in statements
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name) and target.id in HEADER
        for node in ast.walk(statement)
    }
