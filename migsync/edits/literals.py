"""New values for expressions: a literal gets another text, and a constant of the file where all its uses agree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from migsync.edits.entries import NameUses
from migsync.edits.source import CannotEdit, Source, Splice
from migsync.history.bindings import Binding, BindingKind, Scope
from migsync.history.expressions import evaluate
from migsync.history.migration import FIRST, Key

LITERAL = re.compile(r"""([uUrR]?)('''|\"{3}|'|")[^'"\\]*\2""")
_QUOTE = re.compile("['\"]")


def literal(value: str | Key, quote: str, prefix: str = "") -> str:
    """A text or a key as Python, with this quote as far as the text allows it."""
    if isinstance(value, Key):
        return f"({literal(value.app, quote)}, {literal(value.name, quote)})"
    if value.isprintable() and "\\" not in value and quote[0] not in value:
        return f"{prefix}{quote}{value}{quote}"
    return repr(value)


@dataclass
class _Constant:
    """A constant of the file, and what each use of it must become."""

    value: ast.expr
    scope: Scope
    uses: dict[ast.Name, str | Key] = field(default_factory=dict)


class Literals:
    """What expressions must evaluate to, and the splices that change the literals behind them."""

    def __init__(self, source: Source, names: NameUses) -> None:
        self._source = source
        self._names = names
        self._texts: dict[ast.expr, str] = {}
        self._constants: dict[ast.expr, _Constant] = {}

    def want(self, node: ast.expr, scope: Scope, new: str | Key) -> None:
        """`node` must evaluate to `new`."""
        # Half of a key mostly is what it must be, and stays as it is written: an f-string, a constant that others use.
        if evaluate(node, scope) == new:
            return
        match node, new:
            case ((ast.Tuple(elts=[app, name]) | ast.List(elts=[app, name])), Key()) if not _starred(app, name):
                self.want(app, scope, new.app)
                self.want(name, scope, new.name)
            case ast.Name(), _ if (binding := _constant(node, scope)) is not None:
                value, where = binding
                self._constants.setdefault(value, _Constant(value, where)).uses[node] = new
            case ast.Call(args=[argument]), Key() if isinstance(current := evaluate(node, scope), Key):
                self._swappable(argument, scope, current, new)
            case _:
                self._literal(node, new)

    def splices(self) -> Iterator[Splice]:
        """The splices for all that is wanted."""
        # A constant can be the value of another one (LAST = FIRST): then resolving the one adds the other.
        while self._constants:
            _, constant = self._constants.popitem()
            self._resolve(constant)
        for node, text in self._texts.items():
            yield Splice(*self._source.span(node), text)

    def _resolve(self, constant: _Constant) -> None:
        """Change the constant when every use of it becomes the same; otherwise its uses, each for itself."""
        # A use that nobody asked to change would change along with the constant.
        first, *others = constant.uses.items()
        same = all(new == first[1] for _, new in others)
        if same and self._names.used[first[0].id] == len(constant.uses):
            self.want(constant.value, constant.scope, first[1])
        else:
            for use, new in constant.uses.items():
                self._literal(use, new)

    def _swappable(self, argument: ast.expr, scope: Scope, current: Key, new: Key) -> None:
        """``swappable_dependency("shop.Model")`` follows when the app gets another label."""
        model = evaluate(argument, scope) if isinstance(argument, ast.Constant) else None
        if not isinstance(model, str) or current.name != FIRST or new.name != FIRST:
            what = f"`{ast.unparse(argument)}` would have to mean {new}"
            raise CannotEdit(self._source.path, argument.lineno, what)
        self._literal(argument, new.app + model[len(current.app) :])

    def _literal(self, node: ast.expr, new: str | Key) -> None:
        old = self._source.text(*self._source.span(node))
        if isinstance(new, str) and (found := LITERAL.fullmatch(old)):
            self._texts[node] = literal(new, found[2], found[1])
        else:
            quote = _QUOTE.search(old)
            self._texts[node] = literal(new, quote[0] if quote else self._source.quote)


def _starred(*nodes: ast.expr) -> bool:
    return any(isinstance(node, ast.Starred) for node in nodes)


def _constant(node: ast.Name, scope: Scope) -> tuple[ast.expr, Scope] | None:
    """What a name was assigned, when that was done once and for all."""
    bindings, where = scope.find(node.id, node)
    match bindings:
        case [Binding(kind=BindingKind.VALUE, value=ast.expr() as value)] if len(where[node.id]) == 1:
            return value, where
    return None
