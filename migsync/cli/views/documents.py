"""Errors, plans and runs as JSON values, and the text of the one document that a command writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from migsync.cli.views.findings import next_step
from migsync.errors import MigsyncError, page_address
from migsync.escapes import json_text
from migsync.sync.plan import Plan
from migsync.sync.run import Run

FORMAT_VERSION = 1


def render(document: Mapping[str, Any]) -> str:
    """The document's text. Every document says its format version first."""
    return json_text(json.dumps({"format_version": FORMAT_VERSION, **document}, indent=2, ensure_ascii=False)) + "\n"


def error_document(error: MigsyncError) -> dict[str, str]:
    """What a program needs of an error: a stable code, the sentences, and the address of its page."""
    return {
        "code": error.code,
        "found": error.found,
        "meaning": error.meaning,
        "hint": next_step(error),
        "page": page_address(error.code),
    }


def plan_state(plan: Plan) -> str:
    """``ahead`` (of the files), ``blocked``, ``changes``, ``in line``; ``unexplained``: only the names match."""
    if plan.blocked:
        return "ahead" if plan.ahead else "blocked"
    if not plan.empty:
        return "changes"
    return "unexplained" if plan.unexplained or plan.incomplete else "in line"


def run_document(run: Run, *, in_force: bool) -> dict[str, Any]:
    """A run with every row that it touched; rewrites by id."""
    return {
        "id": run.id,
        "number": run.number,
        "kind": run.kind.value,
        "plan": run.plan_id,
        "at": run.at,
        "author": run.author,
        "version": run.version,
        "reason": run.reason,
        "undoes": run.undoes,
        "in_force": in_force,
        "passed": [rewrite.id for rewrite in run.passed],
        "returned": [rewrite.id for rewrite in run.returned],
        "changes": [change.as_dict() for change in run.changes],
    }
