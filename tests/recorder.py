"""Writes down the findings and errors that a test makes, in its own process and in those that the fork server starts.

The variable MIGSYNC_TEST_FINDINGS names the file: one JSON document a line, with the test (as pytest calls it) and
the finding. Like tests/forkserver.py this imports nothing from the tests.
"""

from __future__ import annotations

import json
import os
from functools import wraps
from typing import Any

VARIABLE = "MIGSYNC_TEST_FINDINGS"
_written: set[tuple[str, str]] = set()


def install() -> None:
    """From now on write them down, whenever the variable is set."""
    from migsync.errors import MigsyncError
    from migsync.findings.entry import CatalogueEntry

    make, begin = CatalogueEntry.__call__, MigsyncError.__init__

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

    CatalogueEntry.__call__ = make_and_write
    MigsyncError.__init__ = begin_and_write


def _write(document: dict[str, Any]) -> None:
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    if (test, document["code"]) in _written:
        return
    _written.add((test, document["code"]))
    line = json.dumps({"test": test} | document)
    descriptor = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)
