"""Where a project is, and which settings module it uses; nothing is imported."""

from __future__ import annotations

import ast
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from migsync.errors import ProjectError
from migsync.project.library import Library, find_named_apps
from migsync.project.options import PYPROJECT, Options, read_options
from migsync.project.search import MANAGE, SHOWN, projects_below
from migsync.words import text_list
from migsync.worker.runtime import INSTALLED_VARIABLE, LIBRARY_SETTINGS, SETTINGS_VARIABLE, Runtime


@dataclass(frozen=True)
class Root:
    """A project's place: its root, its manage.py (None without one), and what ``[tool.migsync]`` says."""

    directory: Path
    manage: Path | None = None
    options: Options = field(default_factory=Options)

    @property
    def search_path(self) -> tuple[str, ...]:
        """The directories that hold the project's modules: manage.py's own, the root, and ``python-path``."""
        places = [self.manage.parent] if self.manage else []
        own = [os.path.normpath(place) for place in (*places, self.directory)]
        return tuple(dict.fromkeys([*own, *self.python_path]))

    @property
    def python_path(self) -> tuple[str, ...]:
        """The directories of ``python-path``, and for a library those that its apps are imported from."""
        stated = (os.path.normpath(self.directory / place) for place in self.options.python_path)
        return (*stated, *(self.library.search_path if self.library else ()))

    @cached_property
    def library(self) -> Library | None:
        """The apps of a library: ``[tool.migsync.apps]`` names them, and nothing names settings or a database.

        Raises ProjectError for an app that is not there.
        """
        if self.manage or not self.options.names_library:
            return None
        named = find_named_apps(self.directory, self.options.apps, self.options.python_path)
        return Library(self.directory, named)

    def runtime(self, settings_module: str) -> Runtime:
        """What a process needs in order to run the project's code."""
        variables = environment(self, os.environ)
        if self.library and settings_module == LIBRARY_SETTINGS:
            variables[INSTALLED_VARIABLE] = " ".join(self.library.installed_apps())
        return Runtime(self.directory, settings_module, self.search_path, self.python_path, variables)


def usual_start() -> Path:
    """Where to look from: the place of the manage.py that this process runs, else the current directory."""
    script = Path(sys.argv[0])
    return script.resolve().parent if script.name == MANAGE else Path.cwd()


def find_root(start: Path, *, root: Path | None = None, required: bool = True) -> Root:
    """The project that `start` is in, or the one at `root`.

    Upwards from `start`, the nearest ``[tool.migsync]`` decides, else the nearest manage.py: who writes the table
    above a manage.py wants it to be used. When there is neither: ProjectError, or `start` itself as the root when
    none is `required`.

    What another user has put into a directory above, such as /tmp, is passed over: it would choose the settings, and so
    the code that runs. `root` can still name it.
    """
    if root is not None:
        if not root.is_dir():
            raise ProjectError(
                f"--root {root}: this is not a directory.", hint="Give the directory of the project: --root DIRECTORY"
            )
        directory = root.resolve()
        return _root(directory, None, read_options(directory) or Options())
    start = start.resolve()
    manage: Path | None = None
    foreign: list[Path] = []
    for directory in (start, *start.parents):
        strange = [file for file in (directory / MANAGE, directory / PYPROJECT) if _is_of_another_user(file, start)]
        foreign += strange
        if manage is None and (directory / MANAGE).is_file() and directory / MANAGE not in strange:
            manage = directory / MANAGE
        options = None if directory / PYPROJECT in strange else read_options(directory)
        # A table in a parent directory wins over a manage.py below it, so the search for a table goes on behind the
        # first manage.py.
        if options is not None:
            return _root(directory, manage, options)
    if manage is not None:
        return Root(manage.parent, manage)
    if not required:
        return Root(start)
    raise _no_project(start, foreign)


def _root(directory: Path, manage: Path | None, options: Options) -> Root:
    """The root with `manage`, or the manage.py that is in it or below it.

    The manage.py of a sample project below a library is not the library's.
    """
    manage = manage or _manage_in(directory)
    if options.names_library and manage and manage.parent != directory:
        manage = None
    return Root(directory, manage, options)


def _no_project(start: Path, foreign: Sequence[Path]) -> ProjectError:
    found = f"No project was found in {start} or above it."
    if not foreign:
        meaning = f"There is neither a {MANAGE} nor a {PYPROJECT} with [tool.migsync]."
        below = projects_below(start)
        if not below:
            return ProjectError(found, meaning)
        places = text_list([f"{place}/" for place in below], SHOWN)
        return ProjectError(
            found,
            f"{meaning} Below it, there is a {MANAGE} in {places}.",
            "\n".join(
                f"For the project in {place}/: run the command again with --root {shlex.quote(str(place))}"
                for place in below[:SHOWN]
            ),
        )
    return ProjectError(
        found,
        f"migsync does not use {foreign[0]}, because it belongs to another user.",
        f"If you trust that user, run the command again with --root {shlex.quote(str(foreign[0].parent))}",
    )


def _is_of_another_user(file: Path, start: Path) -> bool:
    """Whether a file belongs neither to this user, nor to root, nor to whoever has the directory `start`."""
    if not hasattr(os, "geteuid"):
        return False
    try:
        owner = file.stat().st_uid
    except OSError:
        return False
    # Whoever has `start` could put these files into it as well.
    return owner not in (os.geteuid(), 0, start.stat().st_uid)


def _manage_in(directory: Path) -> Path | None:
    """The manage.py of a root: there, or the only one directly below it (``src/manage.py``)."""
    if (directory / MANAGE).is_file():
        return directory / MANAGE
    below = [found for found in directory.glob(f"*/{MANAGE}") if found.is_file()]
    return below[0] if len(below) == 1 else None


def settings_module(root: Root, asked: str | None, environ: Mapping[str, str]) -> str:
    """The settings module's dotted name: as asked for, else the environment's, else pyproject's, else manage.py's.

    The environment's does not count where manage.py assigns one, as it does not for Django. Empty when nothing names
    one.
    """
    overridden = SETTINGS_VARIABLE in environ and SETTINGS_VARIABLE in environment(root, environ)
    named = asked or ("" if overridden else environ.get(SETTINGS_VARIABLE, "")) or root.options.settings
    if named or root.manage is None:
        return named
    tree = _parse(root.manage)
    # A statement in a branch counts only where no other names a module. With `if "test" in sys.argv:` before the usual
    # line, the settings are those of the usual line, and not those of the tests.
    always = _set_by(_assignments(_certain(tree)), {})
    if SETTINGS_VARIABLE in always:
        return always[SETTINGS_VARIABLE]
    perhaps = dict.fromkeys(one.value for one in _assignments(tree) if one.variable == SETTINGS_VARIABLE)
    if len(perhaps) > 1:
        raise ProjectError(
            f"{root.manage} can set {SETTINGS_VARIABLE} to {text_list(perhaps, last='or')}.",
            "migsync does not run manage.py, so it cannot know which one applies.",
            "Choose one: run the command again with --settings MODULE.",
        )
    return next(iter(perhaps), "")


def environment(root: Root, environ: Mapping[str, str]) -> dict[str, str]:
    """The literals that manage.py sets in `environ`, the environment, before it starts Django; settings may need them.

    What `environ` has already stays under a ``setdefault``, and not under an assignment. What cannot be read is left
    out: the settings then say what they miss.
    """
    # In a process that manage.py started, it has done so already, and knew which branches to take.
    if root.manage is None or Path(sys.argv[0]).resolve() == root.manage:
        return {}
    try:
        tree = _parse(root.manage)
    except ProjectError:
        return {}
    found = _set_by(_assignments(_certain(tree)), environ)
    # One in a branch replaces nothing that is certain.
    perhaps = {one.variable: one.value for one in reversed([*_assignments(tree)]) if one.variable not in environ}
    return perhaps | found


def _set_by(assignments: Iterable[_Assignment], environ: Mapping[str, str]) -> dict[str, str]:
    """What these statements set in `environ`."""
    found: dict[str, str] = {}
    for one in assignments:
        if one.replaces or (one.variable not in environ and one.variable not in found):
            found[one.variable] = one.value
    return found


def _parse(manage: Path) -> ast.Module:
    try:
        return ast.parse(manage.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        raise ProjectError(
            f"{manage} cannot be read: {error}.",
            "migsync takes the name of the settings module from it.",
            "Fix it, or run the command again with --settings MODULE.",
        ) from error


def _certain(tree: ast.Module) -> ast.Module:
    """The statements of manage.py that run whichever way it goes."""
    return ast.Module(list(_unconditional(tree.body)), [])


def _unconditional(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The simple statements that run whenever manage.py does: of the module, its functions and its main guard."""
    for statement in body:
        match statement:
            case ast.FunctionDef(body=inner) | ast.Try(body=inner) | ast.With(body=inner):
                yield from _unconditional(inner)
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__")), body=inner):
                yield from _unconditional(inner)
            case ast.Expr() | ast.Assign() | ast.AugAssign():
                yield statement


class _Assignment(NamedTuple):
    """A statement that sets a variable of the environment; without `replaces` only one that is not set yet."""

    variable: str
    value: str
    replaces: bool


def _assignments(tree: ast.AST) -> Iterator[_Assignment]:
    """What ``os.environ.setdefault("X", "value")`` and ``os.environ["X"] = "value"`` in the tree set.

    And, several at a time, ``os.environ.update({"X": "value"}, Y="value")`` and ``os.environ |= {"X": "value"}``. Those
    whose name or value is no literal are left out.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=environ, attr="setdefault"),
                args=[ast.Constant(value=str() as variable), ast.Constant(value=str() as value)],
            ) if _is_environ(environ):
                yield _Assignment(variable, value, replaces=False)
            case ast.Assign(
                targets=[ast.Subscript(value=environ, slice=ast.Constant(value=str() as variable))],
                value=ast.Constant(value=str() as value),
            ) if _is_environ(environ):
                yield _Assignment(variable, value, replaces=True)
            case ast.Call(
                func=ast.Attribute(value=environ, attr="update"), args=args, keywords=keywords
            ) if _is_environ(environ):  # fmt: skip
                stated = [(ast.Constant(each.arg), each.value) for each in keywords]
                yield from _stated([*(pair for arg in args for pair in _pairs(arg)), *stated])
            case ast.AugAssign(target=environ, op=ast.BitOr(), value=value) if _is_environ(environ):
                yield from _stated(_pairs(value))


def _pairs(node: ast.expr) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    if isinstance(node, ast.Dict):
        yield from zip(node.keys, node.values, strict=True)


def _stated(pairs: Iterable[tuple[ast.expr | None, ast.expr]]) -> Iterator[_Assignment]:
    for pair in pairs:
        match pair:
            case (ast.Constant(value=str() as variable), ast.Constant(value=str() as value)):
                yield _Assignment(variable, value, replaces=True)


def _is_environ(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr="environ") | ast.Name(id="environ"):
            return True
    return False
