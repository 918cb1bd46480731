"""Where code outside of migrations names the old label: reported, never changed."""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from migsync.findings import Finding
from migsync.findings.references import reference_by_name
from migsync.history import History
from migsync.project.firstparty import is_environment
from migsync.project.search import PASSED_OVER
from migsync.refactor.rename_app.calls import called, calls, text

APP_ARGUMENTS = frozenset({"app_label", "app"})
TAKING_LABELS = frozenset({"get_model", "get_models", "get_app_config", "is_installed", "call_command"})


def find_references(root: Path, history: History, old: str) -> Iterator[Finding]:
    """A warning for each line of the project's Python files that names it: ``"shop.Item"``, ``app_label="shop"``.

    Migration files are looked at elsewhere. A plain ``"shop"`` counts only where a label is expected.
    """
    directories = {os.path.realpath(app.directory) for app in history.apps.values() if app.directory}
    for place, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if _is_own(place, name))
        if os.path.realpath(place) in directories:
            continue
        for name in sorted(files):
            if name.endswith(".py"):
                path = Path(place, name)
                for line, said in dict.fromkeys(_places(path, old)):
                    yield reference_by_name(file=str(path), line=line, text=said, app=old)


def _is_own(place: str, name: str) -> bool:
    return name not in PASSED_OVER and not name.startswith(".") and not is_environment(f"{place}{os.sep}{name}")


def _places(path: Path, old: str) -> Iterator[tuple[int, str]]:
    try:
        content = path.read_bytes()
        if old.encode() not in content:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string is the file's own affair
            tree = ast.parse(content)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    # ``"shop.models"`` is a path to a module: the package keeps its name.
    modules = re.compile(rf"{re.escape(old)}\.(apps|models|migrations|tests|views|urls|admin|signals|tasks)")
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    expected = {id(node) for call in calls(tree) for node in _labels(call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or node in docstrings:
            continue
        value = text(node)
        if value is None or modules.match(value):
            continue
        if re.fullmatch(rf"{re.escape(old)}\.\w+", value) or (value == old and id(node) in expected):
            yield node.lineno, value


def _labels(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments of a call that are labels."""
    yield from (keyword.value for keyword in call.keywords if (keyword.arg or "").endswith(tuple(APP_ARGUMENTS)))
    if called(call) in TAKING_LABELS:
        yield from call.args[:2]
