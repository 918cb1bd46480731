"""What a person should look at before a range is squashed, read from the files of the range.

Ten thousand files are looked at in a blink, since most are not parsed: one expression tells that a file calls nothing
but Django's operations on models, and fields. Only the others are read as syntax trees.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from migsync.history import Key, Migration


class Hazard(StrEnum):
    """What kind of risk it is.

    CODE is RunPython, SQL RunSQL, CUSTOM an operation that is not Django's, SEPARATE SeparateDatabaseAndState,
    TRANSACTION a BEGIN or COMMIT within RunSQL. UNREADABLE is an operation, or a file, of which only running it tells
    what it is; MADE a list of operations that is computed.
    """

    CODE = "code"
    SQL = "sql"
    CUSTOM = "custom-operation"
    SEPARATE = "separate-state"
    TRANSACTION = "transaction"
    UNREADABLE = "unreadable"
    MADE = "made-operations"


class Risk(NamedTuple):
    """One place in one file, and what is there, in words."""

    key: Key
    line: int
    hazard: Hazard
    what: str

    def __str__(self) -> str:
        return f"{self.key}:{self.line}: {self.what}" if self.line else f"{self.key}: {self.what}"


MADE = "the operations are known only when the file is run"
DATA = frozenset({Hazard.CODE, Hazard.SQL, Hazard.CUSTOM, Hazard.SEPARATE, Hazard.UNREADABLE})
DJANGO = "django."
PLAIN = (
    "Add(?:Constraint|Field|Index)|Alter(?:Constraint|Field|IndexTogether|ModelManagers|ModelOptions|ModelTable"
    "|ModelTableComment|OrderWithRespectTo|UniqueTogether)|(?:Create|Delete)Model|Remove(?:Constraint|Field|Index)"
    "|Rename(?:Field|Index|Model)"
)
# What a file with nothing to look at may call, and the one form of list that its calls stand in. Calls are looked for
# from behind, where a parenthesis is: that is four times faster than from the front, where any word may become one.
_CALLS_BACKWARDS = re.compile(rb"\(\s*+([\w.]++)(?!['\"])")
_MAY_CALL = re.compile(
    rb"migrations\.(?:" + PLAIN.encode() + rb"|swappable_dependency)|Migration|models\..*|django\..*|[^A-Za-z_].*"
)
_PLAIN_LIST = re.compile(rb"^    operations = \[(?:\]|\s*migrations\.)", re.MULTILINE)
_MADE = re.compile(rb"^ {5,}operations\b", re.MULTILINE)
_BARE_ITEM = re.compile(rb"\n {8}\*?[A-Za-z_][\w.]*,?\n")
# In a function's or a trigger's body, BEGIN is followed by a statement; what ends with it is a transaction.
_BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
_TRANSACTION = re.compile(
    r"(?:^|;)\s*(BEGIN|COMMIT|ROLLBACK|START\s+TRANSACTION)"
    r"(?:\s+(?:WORK|TRANSACTION|IMMEDIATE|EXCLUSIVE|DEFERRED))*\s*(?:;|$)",
    re.IGNORECASE,
)


def changing(risks: Iterable[Risk]) -> frozenset[Key]:
    """The migrations that change data, or may."""
    return frozenset(risk.key for risk in risks if risk.hazard in DATA)


def risks_of(migrations: Iterable[Migration], kept: Collection[Key] = ()) -> Iterator[Risk]:
    """The risks in these files, in their order; a file that cannot be read is one itself.

    What is elidable is none, except in migrations of `kept`.
    """
    for migration in migrations:
        try:
            with open(migration.path, "rb", buffering=0) as file:  # noqa: PTH123 -- one for each of thousands of files
                content = file.read()
            if not _is_plain(content):
                yield from _Reading(migration.key, ast.parse(content), kept=migration.key in kept).risks()
        except (OSError, SyntaxError, ValueError) as error:
            yield Risk(migration.key, 0, Hazard.UNREADABLE, f"the file could not be read: {error}")


def _is_plain(content: bytes) -> bool:
    """Whether the file can hold nothing to look at; False also where only the syntax tree can tell."""
    if _PLAIN_LIST.search(content) is None or not all(map(_may_call, set(_CALLS_BACKWARDS.findall(content[::-1])))):
        return False
    return (b"     operations" not in content or _MADE.search(content) is None) and _BARE_ITEM.search(content) is None


@cache
def _may_call(backwards: bytes) -> bool:
    return _MAY_CALL.fullmatch(backwards[::-1]) is not None


class _Reading:
    """One file's syntax tree."""

    def __init__(self, key: Key, module: ast.Module, *, kept: bool) -> None:
        self.key = key
        self.kept = kept
        self.module = module
        self.origins = dict(_imported(module.body))

    def risks(self) -> Iterator[Risk]:
        """Of the operations in the class, in their order."""
        definition = next(
            (it for it in self.module.body if isinstance(it, ast.ClassDef) and it.name == "Migration"), None
        )
        for statement in definition.body if definition else ():
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id="operations")], value=value)
                    | ast.AnnAssign(target=ast.Name(id="operations"), value=ast.expr() as value)
                    | ast.AugAssign(target=ast.Name(id="operations"), value=value)
                ):
                    yield from self._of_list(value)
                case ast.If() | ast.Try() | ast.For() | ast.With():
                    yield from self._of_block(statement)

    def _of_block(self, block: ast.stmt) -> Iterator[Risk]:
        """``if connection.vendor == …:`` and the like."""
        names = (node for node in ast.walk(block) if isinstance(node, ast.Name) and node.id == "operations")
        if name := next(names, None):
            yield self._risk(name, Hazard.MADE, MADE)

    def _of_list(self, value: ast.expr) -> Iterator[Risk]:
        if isinstance(value, ast.List | ast.Tuple):
            for item in value.elts:
                yield from self._of_item(item)
        else:
            yield self._risk(value, Hazard.MADE, MADE)

    def _of_item(self, item: ast.expr) -> Iterator[Risk]:
        if not isinstance(item, ast.Call):
            yield self._risk(item, Hazard.UNREADABLE, f"`{_shown(item)}`: what it is only running the file can tell")
            return
        origin = self._origin(item.func)
        name = origin.rpartition(".")[2]
        if not origin.startswith(DJANGO):
            yield self._risk(item, Hazard.CUSTOM, f"{name} is a custom operation, of the project or of a package")
        elif name == "RunPython" and self._stays(item):
            yield self._risk(item, Hazard.CODE, f"RunPython({_first(item)}) is not elidable, so it is kept")
        elif name == "RunSQL":
            yield from self._of_sql(item)
        elif name == "SeparateDatabaseAndState":
            yield self._risk(item, Hazard.SEPARATE, "SeparateDatabaseAndState: the models do not show what it does")
            # Its lists hold operations, which may be RunPython or RunSQL.
            for inner in _lists_in(item):
                yield from self._of_list(inner)

    def _of_sql(self, item: ast.Call) -> Iterator[Risk]:
        if self._stays(item):
            yield self._risk(item, Hazard.SQL, "RunSQL is not elidable, so it is kept")
        for text in self._texts(item):
            # Bodies of functions are taken out first: their BEGIN and END are no transaction.
            if found := _TRANSACTION.search(_BODY.sub("", text)):
                what = f"{' '.join(found[1].upper().split())} in RunSQL: in a squash, this transaction has more in it"
                yield self._risk(item, Hazard.TRANSACTION, what)
                return

    def _stays(self, item: ast.Call) -> bool:
        return self.kept or not any(
            word.arg == "elidable" and isinstance(word.value, ast.Constant) and bool(word.value.value)
            for word in item.keywords
        )

    def _texts(self, item: ast.Call) -> Iterator[str]:
        """The texts in a call, and those that the file gives to a name that it uses."""
        used = {node.id for node in ast.walk(item) if isinstance(node, ast.Name)}
        assigned = [
            statement.value
            for statement in self.module.body
            if isinstance(statement, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id in used for target in statement.targets)
        ]
        for node in (node for place in (item, *assigned) for node in ast.walk(place)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value

    def _origin(self, node: ast.expr) -> str:
        """The dotted name by which something was imported; as it is written where it was not."""
        match node:
            case ast.Name(id=name):
                return self.origins.get(name, name)
            case ast.Attribute(value=value, attr=attribute):
                return f"{self._origin(value)}.{attribute}"
        return _shown(node)

    def _risk(self, node: ast.expr, hazard: Hazard, what: str) -> Risk:
        return Risk(self.key, node.lineno, hazard, what)


def _imported(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement in body:
        if isinstance(statement, ast.ImportFrom):
            module = "." * statement.level + (statement.module or "")
            yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in statement.names)
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or name, name


def _first(call: ast.Call) -> str:
    return _shown(call.args[0] if call.args else next((word.value for word in call.keywords), call.func))


def _lists_in(call: ast.Call) -> Iterator[ast.expr]:
    yield from (argument for argument in call.args if isinstance(argument, ast.List | ast.Tuple))
    yield from (word.value for word in call.keywords if isinstance(word.value, ast.List | ast.Tuple))


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else f"{text[:37]}..."
