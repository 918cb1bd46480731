"""The operations digest: equal for two migrations that do the same, whatever they are called and depend on.

It is the SHA-256 of the syntax tree of `operations` and of everything in the file that the operations refer to:
functions, constants, classes and imports, transitively. Two data migrations that differ in the body of a function
differ in their digests; formatting, comments, docstrings, quotes and the order of imports are no matter. Operations
that depend on the file's own name (the SQL file beside it) have no digest: equal text does not make them equal. Digests
are committed in rewrites, so they must not depend on the version of Python, as ``ast.dump`` does: see :func:`dump`.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from migsync.history.bindings import Binding, BindingKind, Scope
from migsync.history.expressions import bases_of

_FORMAT = "migsync operations 1"
_NO_MEANING = frozenset(["ctx", "kind", "type_comment", "type_ignores"])
_HAS_DOCSTRING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BUILTINS = frozenset(dir(builtins))
_OWN_NAME = frozenset(["__file__", "__name__", "__spec__"])


def operations_digest(module: Scope, definition: ast.ClassDef) -> str:
    """The digest, 64 hexadecimal digits, of the operations of one class Migration; empty where they have none."""
    names: set[str] = set()
    body, operations = _operations(module, definition)
    text = [_FORMAT, *(_binding(binding, names) for binding in operations)]
    # A reference to the class itself would bring its header, and so the dependencies, into the digest.
    names.discard(definition.name)
    scopes = [body, module]
    seen = {definition.name}
    text += _definitions(scopes, names, seen)
    if seen & _OWN_NAME:
        return ""
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def dump(root: ast.AST, names: set[str], labels: Mapping[int, str] = MappingProxyType({})) -> str:
    """A tree as text, the same on every version of Python; adds the names that it uses to `names`.

    Fields that are None or empty are left out: later versions add such fields to old kinds of nodes. `labels` stand
    in for the names that some nodes hold, by the :func:`id` of the node.
    """
    # With a stack of its own, since ``"a" + "b" + …`` nests one level deeper with each part.
    out: list[str] = []
    todo: list[object] = [root]
    while todo:
        match todo.pop():
            case str() as text:
                out.append(text)
            case ast.Constant(value=value):
                out.append(constant(value))
            case ast.Name(id=name) as node:
                names.add(name)
                out.append(f"Name({labels.get(id(node), name)})")
            case ast.AST() as node:
                out.append(f"{type(node).__name__}(")
                todo.append(")")
                for field, content in reversed(list(_fields(node))):
                    labelled = field == "name" and id(node) in labels
                    todo.extend((labels[id(node)] if labelled else content, f" {field}="))
            case list() as contents:
                out.append("[")
                todo.append("]")
                for content in reversed(contents):
                    todo.extend((" ", content))
            case atom:
                out.append(constant(atom))
    return "".join(out)


def _operations(module: Scope, definition: ast.ClassDef) -> tuple[Scope, list[Binding]]:
    """Everything that makes up the operations, and the body that it is in: the class's own or a base's in this file."""
    body = Scope(definition.body, module)
    found = [*body["operations"], *module[f"{definition.name}.operations"]]
    if found:
        return body, found
    for base in bases_of(definition, module):
        if isinstance(base, ast.ClassDef):
            inherited = _operations(module, base)
            if inherited[1]:
                return inherited
    return body, []


def _definitions(scopes: list[Scope], names: Iterable[str], seen: set[str]) -> list[str]:
    """What `names` stand for, and the names in that, and so on: sorted by name, so that no order is left in it."""
    definitions: dict[str, str] = {}
    unknown = False
    todo = set(names)
    while todo:
        name = todo.pop()
        seen.add(name)
        bindings = next((scope[name] for scope in scopes if scope[name]), ())
        unknown = unknown or not (bindings or name in _BUILTINS)
        if bindings:
            used: set[str] = set()
            definitions[name] = f"{name}: " + "; ".join(_binding(binding, used) for binding in bindings)
            todo |= used - seen
    # A name that nothing here binds may come from a ``from … import *``.
    wildcards = {binding.source for scope in scopes for binding in scope["*"]} if unknown else set()
    return [definitions[name] for name in sorted(definitions)] + sorted(wildcards)


def _binding(binding: Binding, names: set[str]) -> str:
    if binding.kind is BindingKind.IMPORT:
        return f"import {binding.source}"
    if binding.value is None:
        return dump(binding.statement, names)
    return ("+=" if binding.kind is BindingKind.ADDED else "=") + dump(binding.value, names)


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    for field, content in ast.iter_fields(node):
        if content is None or content == [] or field in _NO_MEANING:
            continue
        if field == "body" and isinstance(node, _HAS_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            yield field, content[1:]
        elif field == "values" and isinstance(node, ast.JoinedStr):
            yield field, _merged(content)
        else:
            yield field, content


def _merged(parts: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string with neighbouring texts as one; versions of Python differ in where they cut them."""
    merged: list[ast.expr] = []
    for part in parts:
        if isinstance(part, ast.Constant) and merged and isinstance(merged[-1], ast.Constant):
            merged[-1] = ast.Constant(str(merged[-1].value) + str(part.value))
        elif not (isinstance(part, ast.Constant) and part.value == ""):
            merged.append(part)
    return merged


def constant(value: object) -> str:
    """A constant as text, the same on every version of Python."""
    match value:
        case bool() | None:
            return repr(value)
        case int():
            return hex(value)  # decimal digits are limited in number
        case str():
            return ascii(value)  # repr() depends on which characters a version of Unicode calls printable
        case _:
            return repr(value)
