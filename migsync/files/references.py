"""Where else in the project a migration is called by a name that changes: found and reported, never edited."""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from migsync.files.resolution import Resolution
from migsync.findings import Finding
from migsync.findings.references import reference_by_name
from migsync.history import Key
from migsync.project.firstparty import is_environment
from migsync.project.search import PASSED_OVER

_SETTINGS_SUFFIXES = (".toml", ".ini", ".cfg", ".yaml", ".yml", ".sh", ".bash", ".mk", ".env")
_SETTINGS_FILES = frozenset(["Makefile", "GNUmakefile", "Dockerfile", "Justfile", "justfile", "Procfile", "CODEOWNERS"])
_LARGEST = 2_000_000
_REWRITE = b"format = 1\nid = "  # a rewrite tells of old names for ever
_WORD = re.compile(rb"\w+")
_NUMBERED_WORD = re.compile(rb"\b\d\w*")
_IMPORTS = (b".migrations", b"import_module", b"__import__", b"_migration(")


@dataclass(frozen=True)
class _Place:
    """One use of a name: the line, the key that it means, and whether that is certain."""

    line: int
    key: Key
    certain: bool = True


def find_references(resolution: Resolution, root: Path, settled: Collection[tuple[str, int]] = ()) -> Iterator[Finding]:
    """A warning for each line of a first-party file that names a migration by its old key; `settled` ones left out.

    It searches Python files, and configuration in other formats (TOML, YAML, INI, shell, make). In migration files only
    imports by name count: their headers are edited.
    """
    names = _Names(resolution)
    if not names.by_name:
        return
    directories = {
        os.path.realpath(app.directory) for app in resolution.history.apps.values() if app.directory and app.first_party
    }
    for directory, files in _files(root):
        in_migrations = os.path.realpath(directory) in directories
        for path in files:
            for place in _places(path, names, in_migrations=in_migrations):
                if in_migrations and (path, place.line) in settled:
                    continue
                yield reference_by_name(
                    file=path,
                    line=place.line,
                    migration=place.key,
                    certain=place.certain,
                    becomes=names.becomes[place.key],
                )


class _Names:
    """The names that change, by name and as text."""

    def __init__(self, resolution: Resolution) -> None:
        self.becomes: Mapping[Key, tuple[Key, ...]] = {
            key: new for key, new in resolution.becomes.items() if key in resolution.history.migrations
        }
        self.labels = resolution.history.apps.keys()
        self.by_name: dict[str, list[Key]] = {}
        for key in sorted(self.becomes):
            self.by_name.setdefault(key.name, []).append(key)
        self.packages: dict[str, tuple[str, ...]] = {}
        for label in {key.app for key in self.becomes}:
            directory = resolution.history.apps[label].directory or ""
            # A label is no part of a path: what is imported by its path stays where it is.
            moved = label not in resolution.keys.labels
            self.packages[label] = tuple(Path(directory).parts[-2:]) if moved else ()

    @cached_property
    def words(self) -> frozenset[bytes]:
        """A part of each name that the search for words finds in one piece; empty where it finds none."""
        found = {name: self._search.findall(name.encode()) for name in self.by_name}
        return frozenset(pieces[0] for pieces in found.values()) if all(found.values()) else frozenset()

    @cached_property
    def _search(self) -> re.Pattern[bytes]:
        # Where all names begin with a digit, as nearly always, most words of a file need not be looked at.
        return _NUMBERED_WORD if all(re.match(r"\d\w*", name) for name in self.by_name) else _WORD

    def may_be_in(self, content: bytes) -> bool:
        """Whether one of the names may be in a file; most files are done with here."""
        return not self.words or not self.words.isdisjoint(self._search.findall(content))

    def dotted(self, text: str) -> Key | None:
        """The key that ``shop.0003_b`` or ``project.shop.migrations.0003_b`` means."""
        before, _, name = text.rpartition(".")
        for key in self.by_name.get(name, ()):
            if before == key.app or self.is_package(before, key.app):
                return key
        return None

    def is_package(self, dotted: str, label: str) -> bool:
        """Whether a dotted name is that of an app's migrations package."""
        parts = self.packages[label]
        return len(parts) == 2 and (dotted == ".".join(parts) or dotted.endswith("." + ".".join(parts)))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Each name as a word of its own in a line of text."""
        # The longest first: of `0003_b` and `0003_b-2` the shorter would match at the beginning of the longer.
        alternatives = "|".join(re.escape(name) for name in sorted(self.by_name, key=len, reverse=True))
        return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")


def _files(root: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """Each directory with the files of it to be looked at."""
    for place, directories, files in os.walk(root):
        directories[:] = sorted(
            name
            for name in directories
            if name not in PASSED_OVER and not name.startswith(".") and not is_environment(f"{place}{os.sep}{name}")
        )
        suffixes = (".py", *_SETTINGS_SUFFIXES)
        yield (
            place,
            [f"{place}{os.sep}{name}" for name in sorted(files) if name.endswith(suffixes) or name in _SETTINGS_FILES],
        )


def _places(path: str, names: _Names, *, in_migrations: bool) -> Sequence[_Place]:
    try:
        if os.path.getsize(path) > _LARGEST:  # noqa: PTH202 -- a hot loop
            return ()
        with open(path, "rb") as file:  # noqa: PTH123 -- the same
            content = file.read()
    except OSError:
        return ()  # what cannot be read cannot be reported; nothing depends on it
    if in_migrations and not any(word in content for word in _IMPORTS):
        return ()
    # Cheap tests first: of thousands of files nearly all are done with here.
    if content.startswith(_REWRITE) or not names.may_be_in(content):
        return ()
    if path.endswith(".py"):
        found = _in_python(content, names, in_migrations=in_migrations)
    else:
        found = _in_text(content.decode(errors="replace"), names)
    return list(dict.fromkeys(found))


def _in_python(content: bytes, names: _Names, *, in_migrations: bool) -> Iterator[_Place]:
    """Names in strings and imports; comments and docstrings tell of the past, and stay."""
    nodes = _nodes(content)
    docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
    texts = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    texts = [text for text in texts if text not in docstrings]
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from _imported(node, names)
    yield from _dotted(texts, names, in_migrations=in_migrations)
    # In the header of a migration a pair of app and name is a dependency, which is edited.
    if not in_migrations:
        pairs = {name: key for node in nodes for key, name in _pairs(node, names)}
        yield from (_Place(name.lineno, key) for name, key in pairs.items() if key in names.becomes)
        yield from _alone([text for text in texts if text not in pairs], names)


def _nodes(content: bytes) -> list[ast.AST]:
    """All nodes of a module; none of what is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string is the file's own affair
            return [*ast.walk(ast.parse(content))]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _dotted(texts: Iterable[ast.Constant], names: _Names, *, in_migrations: bool) -> Iterator[_Place]:
    """``"shop.migrations.0003_b"``, ``"shop.0003_b"`` and ``"shop/migrations/0003_b.py"``."""
    for text in texts:
        value = str(text.value)
        key = names.dotted(value.replace("/", ".").removesuffix(".py"))
        # In a migration ``shop.0002_x`` without its package may be anything; a name with the package is an import.
        if key is not None and (not in_migrations or "migrations" in value):
            yield _Place(text.lineno, key)


def _alone(texts: Sequence[ast.Constant], names: _Names) -> Iterator[_Place]:
    """A name as a string by itself, in a file that names the app as well: it may be meant."""
    values = {str(text.value) for text in texts}
    for text in texts:
        for key in names.by_name.get(str(text.value), ()):
            if key.app in values:
                yield _Place(text.lineno, key, certain=False)


def _imported(node: ast.ImportFrom, names: _Names) -> Iterator[_Place]:
    """``from shop.migrations import initial``; a name that begins with a digit cannot be imported like this."""
    for alias in node.names:
        for key in names.by_name.get(alias.name, ()):
            if names.is_package(node.module or "", key.app):
                yield _Place(node.lineno, key)
    module = names.dotted(node.module or "")
    if module:
        yield _Place(node.lineno, module)


def _pairs(node: ast.AST, names: _Names) -> Iterator[tuple[Key, ast.expr]]:
    """An app and a name side by side: ``("shop", "0003_b")``, ``call_command("migrate", "shop", "0003_b")``."""
    match node:
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Call(args=items):
            for first, second in pairwise(items):
                match first, second:
                    case ast.Constant(value=str() as app), ast.Constant(value=str() as name):
                        if app in names.labels and name in names.by_name:
                            yield Key(app, name), second


def _in_text(text: str, names: _Names) -> Iterator[_Place]:
    """Lines of settings: ``shop.0003_b``, ``shop/migrations/0003_b.py``, ``migrate shop 0003_b``."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in names.pattern.finditer(line):
            before = line[: found.start()]
            for key in names.by_name[found[0]]:
                if _leads_to(before, key.app, names):
                    yield _Place(number, key)


def _leads_to(before: str, label: str, names: _Names) -> bool:
    """Whether the text before a name ends in its app: after a dot, a slash, a blank, or as a quoted word."""
    path = names.packages[label]
    ends = [re.escape(label) + r"(?:\.|\s+|['\"]\s*[,:]\s*['\"])"]
    if len(path) == 2:
        ends.append(rf"{re.escape(path[0])}[./]{re.escape(path[1])}[./]")
    return re.search(rf"(?<!\w)(?:{'|'.join(ends)})\Z", before) is not None
