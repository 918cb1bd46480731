"""One migration file parsed: bytes in, :class:`Migration` out; the project is never imported."""

from __future__ import annotations

import ast
import hashlib
import re
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from migsync.errors import HistoryError
from migsync.history.bindings import BindingKind, Scope
from migsync.history.contents import UNREAD, Contents
from migsync.history.digest import operations_digest
from migsync.history.expressions import DJANGO_MIGRATION, UnreadableError, attribute_of, bases_of, evaluate, items
from migsync.history.migration import Key, Migration, Problem

if TYPE_CHECKING:
    from migsync.history.source_cache import SourceCache

_CONFLICT_MARKER = re.compile(rb"^(<{7}|>{7}|={7})(?: .*)?\r?$", re.MULTILINE)


class Header(NamedTuple):
    """What a migration file says besides its operations; the fields are those of :class:`Migration`.

    `source` is the digest of the file as it is, see :func:`source_digest`.
    """

    dependencies: tuple[Key, ...] = ()
    run_before: tuple[Key, ...] = ()
    replaces: tuple[Key, ...] = ()
    initial: bool | None = None
    atomic: bool = True
    operations: bool = True
    problems: tuple[Problem, ...] = ()
    source: str = ""

    def migration(
        self, key: Key, path: str, source: Callable[[], bytes], digest: str = "", *, digests: SourceCache | None = None
    ) -> Migration:
        """The migration that this is the header of; `source` is asked for when its operations are.

        `digest` is that of the operations, where the caller knows it; else `digests` may remember it.
        """
        operations = _Operations(source, path or str(key), key.app)
        dependencies, run_before, replaces, initial, atomic, has_operations, problems, digest_of_file = self
        known = operations.digest
        if digests is not None and digest_of_file:
            known = partial(digests.of, key.app, digest_of_file, operations.digest)
        return Migration.of_fields(
            {
                "key": key,
                "path": path,
                "dependencies": dependencies,
                "run_before": run_before,
                "replaces": replaces,
                "initial": initial,
                "atomic": atomic,
                "operations": has_operations,
                "digest": digest or known,
                "problems": problems,
                "contents": operations.contents,
                "first_digest": operations.first_digest,
                "source": digest_of_file,
            }
        )


class _Operations:
    """What :class:`Migration` asks for when it is asked for it: the operations of a file, and their digests."""

    __slots__ = ("app", "found", "path", "source")

    def __init__(self, source: Callable[[], bytes], path: str, app: str) -> None:
        self.source = source
        self.path = path
        self.app = app
        self.found: Contents | None = None

    def contents(self) -> Contents:
        if self.found is None:
            self.found = read_contents(self.source(), self.path, self.app)
        return self.found

    def digest(self) -> str:
        return self.contents().digest

    def first_digest(self) -> str:
        return read_first_digest(self.source(), self.path)


FIX_AND_RERUN = "Fix the file, then run the command again."


def source_digest(source: bytes) -> str:
    """64 hexadecimal digits: the same for files that are the same byte by byte."""
    return hashlib.sha256(source).hexdigest()


class BrokenFileError(HistoryError):
    """A file that is not valid Python, or is not a migration; Django cannot load it either. `line` may be 0."""

    def __init__(self, path: str, line: int, what: str, meaning: str, hint: str) -> None:
        super().__init__(f"{path}:{line}: {what}" if line else f"{path}: {what}", meaning, hint)
        self.path, self.problem = path, Problem(line, what)


def parse_migration(source: bytes, key: Key, path: str = "") -> Migration:
    """One migration from the bytes of its file; raises HistoryError where they are not those of a migration file.

    Errors name the file by `path`, or by the key where that is empty.
    """
    header = read_header(source, path or str(key))
    return header.migration(key, path, lambda: source)


def read_first_digest(source: bytes, path: str) -> str:
    """The digest of the operations as migsync wrote it first; see :mod:`migsync.history.digest`."""
    module = _parse(source, path)
    definition = _definition(module, path)
    return operations_digest(module, definition) if definition else ""


def read_contents(source: bytes, path: str, app: str) -> Contents:
    """The operations of a file of `app`; raises HistoryError when it is not a Python migration file."""
    from migsync.history.operations import operations_of  # much code, and most plans ask for no operations

    module = _parse(source, path)
    definition = _definition(module, path)
    return Contents(operations_of(module, definition, app)) if definition else UNREAD


def read_header(source: bytes, path: str) -> Header:
    """What a file says besides its operations."""
    module = _parse(source, path)
    return _header(module, _definition(module, path))


def _parse(source: bytes, path: str) -> Scope:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string is the file's own affair
            return Scope(ast.parse(source).body)
    # ValueError: a null byte. The last two: code that is nested too deeply, depending on the version of Python.
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _broken(source, path, error) from None


def _broken(source: bytes, path: str, error: Exception) -> BrokenFileError:
    marker = _CONFLICT_MARKER.search(source)
    if marker and isinstance(error, SyntaxError):
        line = source.count(b"\n", 0, marker.start()) + 1
        what = f"conflict markers ({marker[1].decode()})"
        return BrokenFileError(
            path, line, what, "A merge conflict is not resolved.", "Resolve the conflict, then run the command again."
        )
    line = (error.lineno or 0) if isinstance(error, SyntaxError) else 0
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    meaning = "Django cannot load this migration either."
    if _is_undecodable(source):
        hint = "Save it as UTF-8, or name its encoding in its first line: # -*- coding: latin-1 -*-"
        line = line or _first_undecodable(source)
        return BrokenFileError(path, line, f"wrong encoding ({what})", meaning, hint)
    return BrokenFileError(path, line, f"not valid Python ({what})", meaning, FIX_AND_RERUN)


def _is_undecodable(source: bytes) -> bool:
    """Whether the bytes are not text in the encoding that the file names, or in UTF-8."""
    import io  # only a broken file needs them
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return True
    return False


def _first_undecodable(source: bytes) -> int:
    try:
        source.decode()
    except UnicodeDecodeError as error:
        return source.count(b"\n", 0, error.start) + 1
    return 0


def _definition(module: Scope, path: str) -> ast.ClassDef | None:
    """The class Migration; None when the file has one that is not a plain class statement."""
    bindings = module["Migration"]
    if not bindings:
        # ``from … import *`` may bring a Migration along.
        if module["*"]:
            return None
        raise BrokenFileError(
            path,
            0,
            "no class Migration",
            "Django loads every module in a migrations package as a migration, and fails on this one.",
            "Move the file to another package, or start its name with an underscore.",
        )
    last = bindings[-1]
    return last.statement if last.kind is BindingKind.CLASS and isinstance(last.statement, ast.ClassDef) else None


def _header(module: Scope, definition: ast.ClassDef | None) -> Header:
    if definition is None:
        line = module["Migration"][-1].statement.lineno if module["Migration"] else 1
        return Header(problems=(Problem(line, "Migration is not a class written in this file"),))
    reader = _Reader(module, definition)
    return Header(
        reader.keys("dependencies"),
        reader.keys("run_before"),
        reader.keys("replaces"),
        reader.flag("initial"),
        # Django's default is True, also for what is not read here.
        reader.flag("atomic") is not False,
        reader.has_operations(),
        tuple(sorted(reader.problems)),
    )


class _Reader:
    """Reads the attributes of one class Migration, and gathers what it cannot read."""

    def __init__(self, module: Scope, definition: ast.ClassDef) -> None:
        self.module = module
        self.definition = definition
        self.problems: list[Problem] = []
        self._look_for_code()

    def keys(self, name: str) -> tuple[Key, ...]:
        found = self._attribute(name)
        if found is None:
            if name == "dependencies":
                # Without a statement of its own the class may inherit dependencies from a base in another file.
                self._look_for_unknown_base()
            return ()
        expressions, scope = found
        keys = []
        for expression in expressions:
            for item in items(expression, scope):
                match item:
                    case Problem():
                        self.problems.append(Problem(item.line, f"{name}: {item.what}"))
                    case (str() as app, str() as migration) if app and migration:
                        keys.append(Key(app, migration))
                    case _:
                        what = f"{name}: {item!r} is not a pair of app and name"
                        self.problems.append(Problem(expression.lineno, what))
        return tuple(keys)

    def flag(self, name: str) -> bool | None:
        """The truth of `initial` or `atomic`; None when it is not there, is None, or cannot be read."""
        found = self._attribute(name)
        if not found or not found[0]:
            return None
        try:
            value = evaluate(found[0][-1], found[1])
        except UnreadableError as unreadable:
            self.problems.append(Problem(unreadable.problem.line, f"{name}: {unreadable.problem.what}", flag=True))
            return None
        return None if value is None and name == "initial" else bool(value)

    def has_operations(self) -> bool:
        try:
            found = attribute_of(self.definition, "operations", self.module)
        except UnreadableError:
            # What cannot be read counts as operations: a merge that does something must not be taken away.
            return True
        if found is None:
            return not self._derives_from_django()
        return not all(isinstance(value, ast.List | ast.Tuple) and not value.elts for value in found[0])

    def _attribute(self, name: str) -> tuple[list[ast.expr], Scope] | None:
        try:
            return attribute_of(self.definition, name, self.module)
        except UnreadableError as unreadable:
            self.problems.append(unreadable.problem)
            return [], self.module

    def _look_for_code(self) -> None:
        """A method that sets what Django reads, ``self.dependencies = …`` for one, is a problem."""
        methods = [each for each in self.definition.body if isinstance(each, ast.FunctionDef)]
        for node in (node for method in methods for node in ast.walk(method)):
            match node:
                case ast.Attribute(attr="dependencies" | "run_before" | "replaces" as name, value=ast.Name(id="self")):
                    self.problems.append(Problem(node.lineno, f"{name}: a method of the class uses it"))

    def _look_for_unknown_base(self) -> None:
        if not self._derives_from_django():
            what = "dependencies: not in this class, and its base class is imported"
            self.problems.append(Problem(self.definition.lineno, what))

    def _derives_from_django(self) -> bool:
        """Whether every base class is Django's own, directly or through classes of this file."""
        todo = [self.definition]
        while todo:
            for base in bases_of(todo.pop(), self.module):
                if isinstance(base, ast.ClassDef):
                    todo.append(base)
                elif base not in DJANGO_MIGRATION:
                    return False
        return True
