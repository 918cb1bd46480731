"""The value of an expression in a migration file, with names that code elsewhere stands behind left as names.

Where :mod:`migsync.history.expressions` answers with a value or not at all, this answers always: a call of a class
becomes a :class:`Call`, an imported name a :class:`Name`, a function its source. How much of the answer the file itself
says is its grade.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

from migsync.history.bindings import Binding, BindingKind, Scope, since_last_full
from migsync.history.contents import Grade
from migsync.history.digest import dump
from migsync.history.expressions import origin
from migsync.history.references import references


@dataclass(frozen=True, slots=True)
class Name:
    """Something that is known by where it comes from: ``django.db.models.CASCADE``."""

    dotted: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of something that is known by its name."""

    function: str
    arguments: tuple[Value, ...] = ()
    named: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, function: str, arguments: Iterable[Value] = (), keywords: Mapping[str, Value] | None = None) -> Self:
        """A call, with its named arguments in the order of their names."""
        return cls(function, tuple(arguments), tuple(sorted((keywords or {}).items())))

    @property
    def keywords(self) -> dict[str, Value]:
        """The named arguments."""
        return dict(self.named)


@dataclass(frozen=True, slots=True)
class Code:
    """Code as text, with everything in the file that it refers to.

    `own_name`: it depends on the name of its file.
    """

    text: str
    grade: Grade = Grade.WRITTEN
    own_name: bool = False


@dataclass(frozen=True, slots=True)
class Mapped:
    """A dictionary, as pairs in its own order."""

    pairs: tuple[tuple[Value, Value], ...]


Constant: TypeAlias = "str | bytes | bool | int | float | complex | None"
Value: TypeAlias = "Constant | tuple[Value, ...] | frozenset[Value] | Name | Call | Code | Mapped"

_OWN_NAME = frozenset(["__file__", "__spec__", "__name__"])
_BUILTINS = frozenset(dir(builtins)) - _OWN_NAME
_KNOWN = frozenset(["django", *sys.stdlib_module_names])
_SETTINGS = "django.conf.settings."
SPREAD = "*"
"""Stands as a function for a list whose items are not known."""
_PURE = frozenset(
    [
        *(
            "bool",
            "bytes",
            "dict",
            "float",
            "frozenset",
            "int",
            "len",
            "list",
            "range",
            "set",
            "sorted",
            "str",
            "tuple",
        ),
        *("collections", "datetime", "decimal", "fractions", "functools", "re", "uuid", "zoneinfo"),
    ]
)
"""Where Python's own callables come from whose result is in their arguments; others may read a file or the clock."""
_MODULES = {
    "django.db.migrations.operations.": "django.db.migrations.",
    "django.db.models.fields.related.": "django.db.models.",
    "django.db.models.fields.json.": "django.db.models.",
    "django.db.models.fields.files.": "django.db.models.",
    "django.db.models.fields.": "django.db.models.",
    "django.db.models.deletion.": "django.db.models.",
    "django.db.models.indexes.": "django.db.models.",
    "django.db.models.constraints.": "django.db.models.",
    "django.db.models.expressions.": "django.db.models.",
    "django.db.models.query_utils.": "django.db.models.",
    "django.contrib.gis.db.models.fields.": "django.contrib.gis.db.models.",
}
"""Modules whose names are used from a shorter address as well."""
_FIELDS_OF_CONTRIB = re.compile(r"(django\.contrib\.\w+\.fields)\.\w+(\.\w+)")
"""The same for the fields of all of ``django.contrib``."""


def parts_of(value: Value) -> Iterator[Value]:
    """A value, and all that it is made of."""
    yield value
    match value:
        case tuple() | frozenset():
            inner: Iterable[Value] = value
        case Mapped(pairs=pairs):
            inner = (each for pair in pairs for each in pair)
        case Call(arguments=arguments, named=named):
            inner = (*arguments, *(each for _, each in named))
        case _:
            return
    for each in inner:
        yield from parts_of(each)


def grade_of(value: Value) -> Grade:
    """How much of a value its file says."""
    return max(_own_grade(part) for part in parts_of(value))


def _own_grade(value: Value) -> Grade:
    match value:
        case Code(grade=grade, own_name=own_name):
            return Grade.COMPUTED if own_name else grade
        case Name(dotted=dotted):
            return _weight(dotted)
        case Call(function=function):
            return Grade.COMPUTED if _is_computed(function) else _weight(function)
    return Grade.WRITTEN


def _weight(dotted: str) -> Grade:
    """The grade of a name by where it comes from."""
    top = dotted.partition(".")[0]
    if dotted.startswith(_SETTINGS) and dotted != f"{_SETTINGS}AUTH_USER_MODEL":
        return Grade.COMPUTED
    return Grade.WRITTEN if top in _KNOWN or dotted in _BUILTINS else Grade.IMPORTED


def _is_computed(function: str) -> bool:
    """True for a callable of Python's library whose result is not in its arguments, such as ``open``."""
    top = function.partition(".")[0]
    return function == SPREAD or (top not in _PURE and (function in _BUILTINS or top in sys.stdlib_module_names))


class Values:
    """Reads the expressions of one file.

    `module` and `body` are the scopes of the file and of its class Migration, which is called `definition`.
    """

    def __init__(self, module: Scope, body: Scope, definition: str = "Migration") -> None:
        self.module = module
        self.body = body
        self.definition = definition
        self._open: list[str] = []

    def of(self, node: ast.expr, scope: Scope | None = None) -> Value:
        """The value of `node`, which stands in `scope` (the class body, unless said otherwise)."""
        scope = scope or self.body
        match node:
            case ast.Constant(value=value):
                # Python 2 wrote names as bytes; a digest tells no difference either.
                return value.decode("latin-1") if isinstance(value, bytes) else None if value is Ellipsis else value
            case ast.List() | ast.Tuple():
                return tuple(self._elements(node.elts, scope))
            case ast.Set(elts=elements):
                return frozenset(self._elements(elements, scope))
            case ast.Dict(keys=keys, values=values) if all(keys):
                pairs = zip(keys, values, strict=True)
                return Mapped(tuple((self.of(key, scope), self.of(value, scope)) for key, value in pairs if key))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                first, second = self.of(left, scope), self.of(right, scope)
                if isinstance(first, str) and isinstance(second, str):
                    return first + second
                if isinstance(first, tuple) and isinstance(second, tuple):
                    return first + second
                return self.source(node, scope)
            case ast.Name() | ast.Attribute():
                return self._named(node, scope)
            case ast.Call():
                return self._call(node, scope)
        return self.source(node, scope)

    def name_of(self, node: ast.expr, scope: Scope) -> str:
        """The address that a name or an attribute was imported from, in its shortest form; "" where it was not."""
        found = origin(node, scope)
        for long, short in _MODULES.items():
            if found.startswith(long) and "." not in found.removeprefix(long):
                return short + found.removeprefix(long)
        if contrib := _FIELDS_OF_CONTRIB.fullmatch(found):
            return contrib[1] + contrib[2]
        if isinstance(node, ast.Name) and not found and node.id in _BUILTINS and not scope.find(node.id, node)[0]:
            return node.id
        return found

    def source(self, node: ast.AST, scope: Scope | None = None, grade: Grade = Grade.WRITTEN) -> Code:
        """Code as text, and behind it what it refers to in this file, by order of use: what names it has is no matter.

        `grade` is the lowest that it may have.
        """
        return _Listing(scope or self.module, self.module, self.definition, grade).of(node)

    def _elements(self, elements: Sequence[ast.expr], scope: Scope) -> Iterator[Value]:
        for element in elements:
            if isinstance(element, ast.Starred):
                inner = self.of(element.value, scope)
                if isinstance(inner, tuple):
                    yield from inner
                else:
                    yield Call(SPREAD, (inner,))
            else:
                yield self.of(element, scope)

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        function = self.name_of(node.func, scope)
        if not function or any(keyword.arg is None for keyword in node.keywords):
            return self._local_call(node, scope)
        if function == "logging.getLogger":
            # Loggers are named after their module, and say nothing about what runs.
            return Name(function)
        arguments = tuple(self._elements(node.args, scope))
        if function in ("frozenset", "list", "set", "tuple") and [type(each) for each in arguments] == [tuple]:
            (items,) = arguments
            return frozenset(items) if function in ("frozenset", "set") else items  # type: ignore[arg-type]
        keywords = {keyword.arg: self.of(keyword.value, scope) for keyword in node.keywords if keyword.arg}
        return Call.of(function, arguments, keywords)

    def _local_call(self, node: ast.Call, scope: Scope) -> Value:
        """A call of a class or function of this file, or one with ``**arguments``."""
        is_class = isinstance(node.func, ast.Name) and self._is_class(node.func, scope)
        return self.source(node, scope, Grade.WRITTEN if is_class else Grade.COMPUTED)

    def _is_class(self, node: ast.Name, scope: Scope) -> bool:
        bindings, _ = scope.find(node.id, node)
        return len(bindings) == 1 and bindings[0].kind is BindingKind.CLASS

    def _named(self, node: ast.Name | ast.Attribute, scope: Scope) -> Value:
        dotted = self.name_of(node, scope)
        if dotted:
            return Name(dotted)
        if isinstance(node, ast.Attribute):
            return self.source(node, scope)
        bindings, where = scope.find(node.id, node)
        written = bool(bindings) and all(each.kind in (BindingKind.VALUE, BindingKind.ADDED) for each in bindings)
        # A name that stands for itself, ``operations = operations + […]``, is read by its binding before.
        if not written or node.id in self._open:
            return self.source(node, scope)
        self._open.append(node.id)
        try:
            return self._sum([binding.value for binding in bindings if binding.value is not None], node, where)
        finally:
            self._open.pop()

    def _sum(self, parts: Sequence[ast.expr], node: ast.expr, scope: Scope) -> Value:
        values = [self.of(part, scope) for part in parts]
        if len(values) == 1:
            return values[0]
        if all(isinstance(value, tuple) for value in values):
            return tuple(item for value in values if isinstance(value, tuple) for item in value)
        return self.source(node, scope)


class _Listing:
    """Writes one piece of code out, with all that it refers to."""

    def __init__(self, scope: Scope, module: Scope, definition: str, grade: Grade) -> None:
        self.scopes = (scope, module)
        self.definition = definition
        self.grade = grade
        self.own_name = False
        self.numbers: dict[str, int] = {}

    def of(self, root: ast.AST) -> Code:
        text = [self.labelled(root)]
        defined = 0
        while defined < len(self.numbers):
            bindings = since_last_full(self.bindings(list(self.numbers)[defined]))
            text += [self.binding(binding) for binding in bindings]
            defined += 1
        return Code("; ".join(text), self.grade, self.own_name)

    def bindings(self, name: str) -> Sequence[Binding]:
        return next((scope[name] for scope in self.scopes if scope[name]), ())

    def binding(self, binding: Binding) -> str:
        if binding.kind is BindingKind.IMPORT:
            self.weigh(binding.source)
            return f"import {binding.source}"
        root: ast.AST = binding.value if binding.value is not None else binding.statement
        return ("+=" if binding.kind is BindingKind.ADDED else "=") + self.labelled(root)

    def labelled(self, root: ast.AST) -> str:
        """A tree as text, with numbers for the names of this file."""
        if _is_logger(root):
            return "logger"
        for node in ast.walk(root):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.weigh(alias.name)
            elif isinstance(node, ast.ImportFrom):
                self.weigh("." * node.level + (node.module or ""))
        labels = {id(each.node): self.label(each.name) for each in references(root)}
        return dump(root, set(), labels)

    def label(self, name: str) -> str:
        bindings = self.bindings(name)
        if len(bindings) == 1 and bindings[0].kind is BindingKind.IMPORT:
            self.weigh(bindings[0].source)
            return bindings[0].source
        if bindings and name != self.definition:
            return f"${self.numbers.setdefault(name, len(self.numbers))}"
        if name in _OWN_NAME:
            self.own_name = True
        elif not bindings and name not in _BUILTINS:
            # It may come from a ``from … import *``, or not exist.
            self.grade = Grade.COMPUTED
        return name

    def weigh(self, dotted: str) -> None:
        # A function that reads a setting is written here all the same.
        self.grade = max(self.grade, min(_weight(dotted), Grade.IMPORTED))


def _is_logger(node: ast.AST) -> bool:
    """``logging.getLogger(__name__)``: named after its module, and of no effect on what runs."""
    match node:
        case ast.Call(func=ast.Attribute(attr="getLogger") | ast.Name(id="getLogger")):
            return True
    return False
