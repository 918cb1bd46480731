"""Where each key of a migration's header is written: the entries, in the order in which the reader reads them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from migsync.edits.source import CannotEdit
from migsync.history.bindings import Scope
from migsync.history.expressions import UnreadableError, attribute_of, evaluate
from migsync.history.migration import Key

Holder = ast.List | ast.Tuple | ast.Set
"""A sequence that is written out in the file."""

Through = tuple[ast.Name, ...]
"""The names that lead from the class Migration to a list that is written elsewhere in the file."""


@dataclass(frozen=True)
class Entry:
    """One key as it is written: its expression, the scope to read that in, and the sequence that holds it.

    `place` is its number in the sequence, and `through` the names that lead from the class to the sequence.
    """

    key: Key
    node: ast.expr
    scope: Scope
    holder: Holder
    place: int
    through: Through


@dataclass
class Entries:
    """All that one attribute holds. `holders` are its sequences, the empty ones too.

    `computed` are the expressions, entries or whole lists, that only running the file shows, with what is wrong.
    """

    found: list[Entry] = field(default_factory=list)
    holders: list[tuple[Holder, Through]] = field(default_factory=list)
    computed: list[tuple[ast.expr, UnreadableError]] = field(default_factory=list)

    @property
    def keys(self) -> list[Key]:
        """The keys in order."""
        return [entry.key for entry in self.found]


class NameUses:
    """How often each name of a file is used, and which uses lead to entries: any other one forbids a new value."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._known: dict[str, set[int]] = {}

    @cached_property
    def used(self) -> Counter[str]:
        """The number of uses of each name; made when asked for, since most files write their keys out."""
        names = (node for node in ast.walk(self._tree) if isinstance(node, ast.Name))
        return Counter(name.id for name in names if isinstance(name.ctx, ast.Load))

    def passed(self, through: Through) -> None:
        """Note uses that lead to entries."""
        for name in through:
            self._known.setdefault(name.id, set()).add(id(name))

    def elsewhere(self, through: Through) -> str:
        """The first of these names that is also used for something else; "" when there is none."""
        return next((name.id for name in through if self.used[name.id] > len(self._known.get(name.id, ()))), "")


def find_entries(
    path: str, module: Scope, definition: ast.ClassDef, attribute: str, names: NameUses, *, computed: bool = False
) -> Entries | None:
    """The entries of ``dependencies``, ``run_before`` or ``replaces``; None for an attribute that is not stated.

    With `computed`, entries and lists that only running the file shows are in `Entries.computed`. Otherwise, and for
    whatever else cannot be read, it raises CannotEdit.
    """
    entries = Entries()
    try:
        found = attribute_of(definition, attribute, module)
        if found is None:
            return None
        expressions, scope = found
        through: Through = ()
        if not Scope(definition.body)[attribute]:  # inherited
            through = tuple(base for base in definition.bases if isinstance(base, ast.Name))
            names.passed(through)
        for expression in expressions:
            _Finder(entries, names).look(expression, scope, through)
        if entries.computed and not computed:
            raise entries.computed[0][1]
    except UnreadableError as unreadable:
        raise CannotEdit(path, unreadable.problem.line, f"{attribute}: {unreadable.problem.what}") from None
    return entries


@dataclass
class _Finder:
    entries: Entries
    names: NameUses

    def look(self, node: ast.expr, scope: Scope, through: Through) -> None:
        """Walk an expression whose value is a sequence of keys, as ``evaluate.items`` does."""
        todo = [(node, scope, through)]
        while todo:
            node, scope, through = todo.pop()
            match node:
                case ast.List() | ast.Tuple() | ast.Set():
                    self._sequence(node, scope, through)
                case ast.BinOp(op=ast.Add(), left=left, right=right):
                    # The last is taken first, so the right side waits: entries must come in the order in which the
                    # reader has the keys.
                    todo += [(right, scope, through), (left, scope, through)]
                # Only list(), tuple(), set() and frozenset() get here: the reader has refused all other calls.
                case ast.Call(args=[argument], keywords=[]):
                    todo.append((argument, scope, through))
                case ast.Name() | ast.Attribute(value=ast.Name()):
                    try:
                        todo += reversed(list(self._behind(node, scope, through)))
                    except UnreadableError as unreadable:
                        self.entries.computed.append((node, unreadable))
                case _:
                    what = f"`{ast.unparse(node)}` is not a list written in this file"
                    self.entries.computed.append((node, UnreadableError(node, what)))

    def _sequence(self, node: Holder, scope: Scope, through: Through) -> None:
        self.entries.holders.append((node, through))
        for place, element in enumerate(node.elts):
            if isinstance(element, ast.Starred):
                self.look(element.value, scope, through)
                continue
            try:
                value = evaluate(element, scope)
            except UnreadableError as unreadable:
                self.entries.computed.append((element, unreadable))
                continue
            match value:
                case (str() as app, str() as name):
                    self.entries.found.append(Entry(Key(app, name), element, scope, node, place, through))
                case other:
                    raise UnreadableError(element, f"{other!r} is not a pair of app and name")

    def _behind(
        self, node: ast.Name | ast.Attribute, scope: Scope, through: Through
    ) -> Iterator[tuple[ast.expr, Scope, Through]]:
        """The expressions whose sum a name, or an attribute of a class in this file, stands for."""
        name = node if isinstance(node, ast.Name) else node.value
        if not isinstance(name, ast.Name):
            raise UnreadableError(node, f"`{ast.unparse(node)}` is known only when the file runs")
        through = (*through, name)
        self.names.passed((name,))
        bindings, where = scope.find(name.id, name)
        if isinstance(node, ast.Attribute):
            definition = bindings[0].statement if len(bindings) == 1 else None
            found = attribute_of(definition, node.attr, where) if isinstance(definition, ast.ClassDef) else None
            if found is None:
                raise UnreadableError(node, f"`{ast.unparse(node)}` is known only when the file runs")
            yield from ((expression, found[1], through) for expression in found[0])
            return
        for binding in bindings:
            if binding.value is None:
                raise UnreadableError(node, f"{name.id} is not set by plain assignments alone")
            yield binding.value, where, through
