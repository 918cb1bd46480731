"""The operations of one migration file, read from its syntax tree; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from migsync.history.bindings import BindingKind, Scope, since_last_full
from migsync.history.contents import COMPUTED, Grade, Operation, OperationStep
from migsync.history.expressions import DJANGO_MIGRATION, bases_of
from migsync.history.operations.effects import RUN_SQL, SEPARATE, arguments_of, effect_of, is_reversible, kind_of
from migsync.history.operations.step_values import digest_of, step_value
from migsync.history.operations.steps import EffectStep, steps_of
from migsync.history.operations.values import Call, Code, Value, Values, grade_of, parts_of

WRITTEN = (BindingKind.VALUE, BindingKind.ADDED)
DEPTH = 20
"""So many names may stand for one another; a longer chain goes round."""


def operations_of(module: Scope, definition: ast.ClassDef, app: str) -> tuple[Operation, ...]:
    """The operations of one class Migration in `app`, in order; one of kind COMPUTED for each part that is not read."""
    values = Values(module, Scope(definition.body, module), definition.name)
    return tuple(operation for part in _parts_of_class(definition, module) for operation in _of_part(part, values, app))


class _Part(NamedTuple):
    """A piece of the list of operations: an item of it, or (`whole`) code that only running shows the items of."""

    node: ast.AST | None
    scope: Scope
    whole: bool = False


def _parts_of_class(definition: ast.ClassDef, module: Scope) -> Iterator[_Part]:
    body = Scope(definition.body, module)
    bindings = since_last_full(body["operations"])
    for binding in bindings:
        if binding.kind in WRITTEN and binding.value is not None:
            yield from _parts(binding.value, body)
        else:
            yield _Part(binding.statement, body, whole=True)
    changes = module[f"{definition.name}.operations"]
    yield from (_Part(binding.statement, module, whole=True) for binding in changes)
    if not bindings:
        for base in bases_of(definition, module):
            if isinstance(base, ast.ClassDef):
                yield from _parts_of_class(base, module)
            elif base not in DJANGO_MIGRATION:
                yield _Part(None, module, whole=True)


def _parts(node: ast.expr, scope: Scope, depth: int = 0) -> Iterator[_Part]:
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for element in elements:
                if isinstance(element, ast.Starred):
                    yield from _parts(element.value, scope, depth)
                else:
                    yield _Part(element, scope)
            return
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            yield from _parts(left, scope, depth)
            yield from _parts(right, scope, depth)
            return
        case ast.Name(id=name) if depth < DEPTH:
            bindings, where = scope.find(name, node)
            if bindings and all(each.kind in WRITTEN for each in bindings):
                for binding in bindings:
                    if binding.value is not None:
                        yield from _parts(binding.value, where, depth + 1)
                return
    yield _Part(node, scope, whole=True)


def _of_part(part: _Part, values: Values, app: str) -> Iterator[Operation]:
    if part.whole or not isinstance(part.node, ast.expr):
        yield _computed(values.source(part.node, part.scope) if part.node else None, state_only=False)
    else:
        yield from _of_value(values.of(part.node, part.scope), app, state_only=False)


def _step(step: EffectStep) -> OperationStep:
    return OperationStep(step.action, step.part, step.model, step.name, step_value(step))


def _computed(value: Value, *, state_only: bool) -> Operation:
    """An operation, or several, of which only the source is known; None for code in another file."""
    return Operation(COMPUTED, _exact(value) if value is not None else "", grade=Grade.COMPUTED, state_only=state_only)


def _exact(value: Value) -> str:
    """The digest of an operation as it is written; none where the same text in another file would do otherwise."""
    own_name = any(isinstance(part, Code) and part.own_name for part in parts_of(value))
    return "" if own_name else digest_of(value)


def _of_value(value: Value, app: str, *, state_only: bool) -> Iterator[Operation]:
    """The operations in one: several for a SeparateDatabaseAndState, whose parts run one by one."""
    if not isinstance(value, Call):
        yield _computed(value, state_only=state_only)
        return
    if value.function == SEPARATE:
        given = arguments_of(value)
        for name, state in (("database_operations", state_only), ("state_operations", True)):
            parts = given.get(name)
            for part in parts if isinstance(parts, tuple) else () if parts is None else (parts,):
                yield from _of_value(part, app, state_only=state)
        return
    effect = effect_of(value, app)
    yield Operation(
        kind_of(value.function),
        _exact(value),
        digest_of(effect.effect) if effect.effect is not None else "",
        effect.subject,
        digest_of(effect.default) if effect.default is not None else "",
        grade_of(effect.effect),
        state_only,
        tuple(map(_step, steps_of(effect.effect))) if effect.effect is not None else (),
        is_reversible(value),
    )
    if value.function == RUN_SQL:
        parts = arguments_of(value).get("state_operations")
        for part in parts if isinstance(parts, tuple) else ():
            yield from _of_value(part, app, state_only=True)
