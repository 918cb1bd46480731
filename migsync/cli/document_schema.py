"""The JSON Schema of every document that a command writes, of plan files and of rewrites.

``python -m migsync.cli.document_schema`` writes it to migsync/schemas/documents.schema.json, which the package and the
documentation publish. The tests hold every document that they make against it.

Documents may gain keys. What has gone, or has another type, needs another format version; see
tests/formats/documents-1.txt.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from migsync.cli.schema_parts import (
    ANYTHING,
    FAILED,
    FINDINGS,
    FLAG,
    FRESH,
    NUMBER,
    PERHAPS,
    PLANS,
    REWRITE,
    STATES,
    TEXT,
    TEXTS,
    UNREAD,
    Schema,
    array,
    constant,
    databases,
    document,
    mapping,
    nullable,
    one_of,
    ref,
    structure,
    values,
)
from migsync.cli.views.documents import FORMAT_VERSION

PATH: Final = Path(__file__).parents[1] / "schemas" / "documents.schema.json"

PLAN_FILE: Final = {
    "kind": constant("plan"),
    "migsync": TEXT,
    "plans": PLANS,
    "proposed": REWRITE,
    "asked": nullable({"type": "object"}),
}
RECORDS: Final = array(
    structure({"id": nullable(NUMBER), "app": TEXT, "name": TEXT, "known": TEXT}, {"sources": TEXTS})
)
SURVEY: Final = {
    "root": TEXT,
    "databases": databases(
        structure({"alias": TEXT, "state": one_of(*STATES), "plan": TEXT, "records": RECORDS}), FRESH, UNREAD
    ),
    "groups": array(ref("group")),
    "findings": FINDINGS,
}
RESULTS: Final = {"databases": array(ref("result")), "exit_status": NUMBER}


def _of_records() -> dict[str, list[Schema]]:
    """What commands about records write: by command, the kinds of its document."""
    surveyed, changed = ref("survey"), ref("results")
    run = structure({"id": TEXT, "kind": one_of("apply", "undo"), "at": TEXT, "author": TEXT})
    state = {"alias": TEXT, "state": one_of(*STATES), "findings": FINDINGS}
    files_back = document(
        {"commit": TEXT, "files": TEXTS, "status": one_of("refused", "dry run", "done")},
        {"findings": FINDINGS, "plans": PLANS, "done": array(ref("result")), "exit_status": NUMBER},
        "With --files.",
    )
    status = {**state, "engine": TEXT, "changes": NUMBER, "behind": TEXTS, "last_run": nullable(run)}
    same = array(structure({"targets": TEXTS}))
    runs = structure({"alias": TEXT, "runs": array(ref("run"))})
    made = structure({"alias": TEXT, "before": TEXT, "version": TEXT}, {"noted": FLAG})
    file = structure({"path": TEXT, "state": one_of("new", "longer", "complete", "by hand")})
    part = structure({"kind": TEXT, "table": TEXT, "name": TEXT, "expected": ANYTHING, "found": ANYTHING})
    compared = structure(
        {"migration": TEXT, "recorded": FLAG, "state": TEXT, "differences": array(part)}, {"reason": TEXT}
    )
    verified = {"alias": TEXT, "state": constant("verified"), "agrees": FLAG, "migrations": array(compared)}
    ended = structure({"alias": TEXT, "run": TEXT, "state": TEXT}, {"error": TEXT})
    settled = nullable(structure({"commit": TEXT, "command": TEXT, "forward": FLAG}))
    rewritten = {"rewrite": REWRITE, "path": PERHAPS}
    return {
        "plan": [surveyed],
        "apply": [changed, surveyed, document({**PLAN_FILE, "findings": FINDINGS})],
        "repair": [changed, surveyed],
        "undo": [changed, document({"plans": PLANS}, about="A dry run."), files_back],
        "status": [document({"databases": databases(structure(status), FRESH, UNREAD), "findings": FINDINGS})],
        "log": [document({"databases": databases(runs, FAILED), "groups": same})],
        "show": [
            document({"databases": array(structure({"alias": TEXT, "run": ref("run")}))}, about="A run."),
            _migration(),
            ref("plan_file"),
        ],
        "script": [document({"files": TEXTS}, {"rewrite": PERHAPS, **PLAN_FILE, **SURVEY})],
        "rewrite": [document({**rewritten, "rewrites": array(structure(rewritten))})],
        "init": [
            document(
                {
                    "databases": databases(made, structure({"alias": TEXT, "fresh": constant(True)}), FAILED),
                    "files": array(file),
                }
            )
        ],
        "doctor": [
            document(
                {"databases": databases(structure(state), structure({**state, "state": constant("fresh")}), UNREAD)}
                | {"findings": FINDINGS},
                {"message": TEXT},
            )
        ],
        "verify": [
            document(
                {"databases": databases(structure({**verified, "findings": FINDINGS}), FRESH, UNREAD), "groups": same}
            )
        ],
        "recover": [document({"runs": array(ended), "files": settled})],
    }


def _migration() -> Schema:
    operation = structure({"kind": TEXT, "subject": TEXT})
    ran = structure({"digest": TEXT, "is_today": FLAG, "operations": array(operation)})
    row = structure(
        {
            "alias": TEXT,
            "row": NUMBER,
            "name": TEXT,
            "ran_as": TEXT,
            "applied": TEXT,
            "known": TEXT,
            "event": PERHAPS,
            "noted": PERHAPS,
            "versions": array(ran),
            "runs": array(NUMBER),
        }
    )
    return document(
        {
            "migration": TEXT,
            "file": PERHAPS,
            "databases": databases(row, structure({"alias": TEXT, "row": {"type": "null"}})),
            "sources": array(structure({"digest": TEXT, "where": TEXT, "text": TEXT})),
        },
        about="A migration.",
    )


def _of_files() -> dict[str, list[Schema]]:
    """What commands about files write."""
    both = [ref("change_of_files"), ref("idle")]
    commit = nullable(structure({"commit": TEXT, "name": TEXT}))
    compared = {"base": commit, "head": PERHAPS, "apps": TEXTS, "findings": FINDINGS, "rewrite": REWRITE}
    page = {"code": TEXT, "kind": TEXT, "title": TEXT, "text": TEXTS, "exit_status": nullable(NUMBER), "page": TEXT}
    return {
        "check": [document({**compared, "path": PERHAPS})],
        **dict.fromkeys(("linearize", "renumber", "fix-conflicts", "rebase", "remake", "rename-app"), both),
        "squash": [*both, _suggestions()],
        "tidy": [*both, _transitions()],
        "graph": _graphs(),
        "explain": [document({"pages": array(structure(page))})],
    }


def _shared() -> dict[str, Schema]:
    """What more than one command writes."""
    changed = document(
        {
            "command": TEXT,
            "rewrite": REWRITE,
            "groups": array(ref("group")),
            "status": TEXT,
            "files": array(structure({"old": PERHAPS, "new": PERHAPS, "diff": TEXT})),
            "databases": array(
                structure({"alias": TEXT, "state": one_of(*STATES), "updated": FLAG, "plan": ref("database_plan")})
            ),
            "later": TEXTS,
            "notes": TEXTS,
            "proven": TEXTS,
            "findings": FINDINGS,
        },
        {"commit": TEXT, "done": array(ref("result")), "exit_status": NUMBER},
        "A change of files.",
    )
    idle = document({"status": TEXT}, {"command": TEXT, "findings": FINDINGS, "exit_status": NUMBER}, "Nothing to do.")
    saved = document(PLAN_FILE, about="What migsync plan -o FILE saves.")
    results = document(RESULTS, {"rewrite": PERHAPS, "error": ref("error")}, "What became of each database.")
    survey = document({**PLAN_FILE, **SURVEY}, about="The plans of a survey.")
    return {
        "change_of_files": changed,
        "idle": idle,
        "plan_file": saved,
        "results": results,
        "survey": survey,
        **_of_workers(),
    }


def _of_workers() -> dict[str, Schema]:
    """What a command and a Celery worker send each other."""
    plan = {"plan": ref("database_plan"), "asked": {"type": "object"}, "backwards": FLAG}
    run = {"lock_timeout": {"type": "number"}, "reason": TEXT, "author": TEXT}
    error = structure(dict.fromkeys(("code", "found", "meaning", "hint"), TEXT))
    said = {"state": one_of("begun", "ended", "failed"), "worker": TEXT, "journaled": TEXT, "findings": FINDINGS}
    return {
        "task_message": document({"kind": constant("task"), "run": TEXT, **plan, **run}, about="A task for a worker."),
        "task_answer": document(
            {"kind": constant("answer"), "run": TEXT, **said, "error": nullable(error)}, about="What a worker answers."
        ),
    }


def _suggestions() -> Schema:
    stop = structure({"key": PERHAPS, "why": TEXT})
    risk = structure({"name": TEXT, "line": NUMBER, "hazard": TEXT, "what": TEXT})
    safe = structure(
        {
            "app": TEXT,
            "first": TEXT,
            "last": TEXT,
            "names": TEXTS,
            "command": TEXT,
            "saves": NUMBER,
            "stops": mapping(stop),
            "risks": array(risk),
        },
    )
    # The commands for an engine on which each part of the range has to be one transaction.
    safe["patternProperties"] = {"^on_[a-z]+$": TEXTS}
    sums = {"saves": NUMBER, "all_safe_saves": NUMBER, "files": NUMBER}
    return document({"runs": array(safe), **sums, "findings": FINDINGS}, about="With --suggest.")


def _transitions() -> Schema:
    step = structure({"step": TEXT, "status": TEXT, "left": TEXTS, "blockers": TEXTS})
    place = structure({"alias": TEXT, "standing": TEXT, "past": FLAG, "rows": TEXTS, "missing": TEXTS}, {"error": TEXT})
    found = structure(
        {
            "squash": TEXT,
            "app": TEXT,
            "replaces": TEXTS,
            "settled": FLAG,
            "dependants": mapping(TEXTS),
            "steps": array(step),
            "databases": array(place),
        }
    )
    return document({"status": TEXT, "transitions": array(found), "findings": FINDINGS}, about="Without an option.")


def _graphs() -> list[Schema]:
    node = structure(
        {
            "app": TEXT,
            "name": TEXT,
            "file": TEXT,
            "dependencies": TEXTS,
            "dependents": TEXTS,
            "replaces": TEXTS,
            "replaced_by": TEXTS,
            "merge": FLAG,
        },
        {"ancestors": TEXTS, "descendants": TEXTS, "state": mapping(TEXT), "candidate": nullable(NUMBER)},
    )
    candidate = structure({"migrations": TEXTS, "saves": NUMBER, "stops": TEXTS, "risks": TEXTS})
    part = array(structure({"app": TEXT, "name": TEXT, "dependencies": TEXTS, "fate": TEXT}))
    rewrite = structure({"id": TEXT, "file": TEXT, "command": TEXT})
    return [
        document(
            {"apps": array(structure({"label": TEXT, "first_party": FLAG})), "migrations": array(node)},
            {"candidates": array(candidate), "findings": FINDINGS},
        ),
        document(
            {"rewrite": rewrite, "before": part, "after": part, "became": array(TEXTS), "after_is_on_disk": FLAG},
            {"findings": FINDINGS},
            "With --rewrite.",
        ),
        document({"file": TEXT}, about="With -o."),
    ]


def document_schema() -> Schema:
    """The whole schema; the definition of a command's document has the name of the command."""
    documents = {
        name: {"description": f"migsync {name} --format json", "anyOf": [*kinds, ref("failure")]}
        for name, kinds in {**_of_records(), **_of_files()}.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Documents of migsync, format version {FORMAT_VERSION}",
        "description": "A definition for each document: that of a command has its name, plan_file is a saved plan, "
        "rewrite_file a rewrite. Documents may gain keys.",
        "$defs": dict(sorted({**values(), **_shared(), **documents}.items())),
    }


def schema_text() -> str:
    """The schema as the file has it."""
    return json.dumps(document_schema(), indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema_text(), encoding="utf-8")
