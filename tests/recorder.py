"""Writes down the findings and errors that a test makes, in its own process and in those that the fork server starts.

The variable MIGSYNC_TEST_FINDINGS names the file: one JSON document a line, with the test (as pytest calls it) and
the finding. Every document is held against its schema. Like tests/forkserver.py this imports nothing from the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache, wraps
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

VARIABLE = "MIGSYNC_TEST_FINDINGS"
STATES = "MIGSYNC_TEST_STATES"
"""Names a directory. Where it is set, what a command of migsync leaves behind is copied there; see tests/hints.py."""
ROOT = "MIGSYNC_TEST_ROOT"
"""Names the directory to copy."""
READ_ONLY = [["plan"], ["status"], ["graph"], ["log"], ["show"]]
_written: set[tuple[str, str]] = set()
_hints: list[dict[str, Any]] = []
"""The findings and errors of this process that say what to do next."""
_shown: set[str] = set()
"""What they say to a person."""


def install() -> None:
    """From now on write them down, whenever the variable is set."""
    from migsync.cli.views import documents
    from migsync.cli.views import findings as view
    from migsync.errors import MigsyncError
    from migsync.findings.entry import CatalogueEntry

    make, begin, voice = CatalogueEntry.__call__, MigsyncError.__init__, view._voice

    @wraps(make)
    def make_and_write(self: Any, *args: Any, **facts: Any) -> Any:
        finding = make(self, *args, **facts)
        if VARIABLE in os.environ:
            _write(finding.as_dict())
        return finding

    @wraps(begin)
    def begin_and_write(self: Any, *args: Any, **named: Any) -> None:
        begin(self, *args, **named)
        if VARIABLE in os.environ:
            _write({"code": self.code, "found": self.found, "meaning": self.meaning, "hint": self.hint})

    @wraps(voice)
    def show_and_remember(*args: Any) -> Any:
        _shown.add(signature(voice).bind(*args).arguments["hint"])
        return voice(*args)

    render = documents.render

    @wraps(render)
    def hold_and_render(document: Any) -> str:
        written = render(document)
        hold(json.loads(written))
        return written

    documents.render = hold_and_render
    view._voice = show_and_remember
    CatalogueEntry.__call__ = make_and_write
    MigsyncError.__init__ = begin_and_write


def hold(document: Any) -> None:
    """Hold a document against the definition of the command that runs, which may have no key that is not there."""
    context = click.get_current_context(silent=True)
    # An error is written when the command has ended.
    name = (context.command.name if context else "") or "failure"
    from jsonschema.exceptions import best_match  # few tests make a document

    if problem := best_match(validator(name).iter_errors(document)):
        place = "/".join(map(str, problem.absolute_path))
        raise AssertionError(f"migsync {name} --format json: {place or 'the document'}: {problem.message[:2000]}")


@cache
def validator(name: str) -> Draft202012Validator:
    """What holds a document against one definition of the schema, and allows no key besides."""
    from jsonschema import Draft202012Validator

    from migsync.cli.document_schema import document_schema

    schema = _closed(document_schema())
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})


def _closed(schema: Any) -> Any:
    """The schema without the liberty of more keys, which is there for later versions."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(each) for name, each in schema.items()}
    is_open = schema.get("type") == "object" and "properties" in schema
    return {**closed, "additionalProperties": False} if is_open else closed


def command_ended(command: list[str], status: int) -> None:
    """Keep the project as the command leaves it, if that said what to do next, and changed nothing since."""
    if not status and "--dry-run" not in command and command[2:3] not in READ_ONLY:
        return
    states, root = os.environ.get(STATES), os.environ.get(ROOT)
    hints = [hint for hint in _hints if hint["hint"] in _shown]
    if not (states and root and hints and command[:2] == ["-m", "migsync"]):
        return
    place = tempfile.mkdtemp(dir=states)
    shutil.copytree(root, Path(place, "files"), symlinks=True)
    state = {"cwd": os.path.relpath(Path.cwd(), root), "environment": dict(os.environ), "hints": hints}
    Path(place, "state.json").write_text(json.dumps(state))


def _write(document: dict[str, Any]) -> None:
    if document.get("hint"):
        _hints.append(document)
    test, _, phase = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")
    # What a fixture makes may serve many tests, and belongs to none.
    if phase != "(call)" or (test, document["code"]) in _written:
        return
    _written.add((test, document["code"]))
    line = json.dumps({"test": test} | document)
    # A test may have filled the disk, or taken away the right to write.
    with suppress(OSError):
        descriptor = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)
