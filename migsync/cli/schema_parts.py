"""The pieces of the JSON Schema of documents: structures, lists and values, and what several documents hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from migsync.cli.views.documents import FORMAT_VERSION

Schema = dict[str, Any]
STATES: Final = ("in line", "unexplained", "changes", "blocked", "ahead")

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "integer"}
FLAG: Final[Schema] = {"type": "boolean"}
ANYTHING: Final[Schema] = {}


def structure(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, about: str = "") -> Schema:
    """An object with keys that it must have, and others that it may have."""
    return {
        **({"description": about} if about else {}),
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def array(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def mapping(values: Schema) -> Schema:
    """An object whose keys are data: aliases, apps, names."""
    return {"type": "object", "additionalProperties": values}


def one_of(*values: str) -> Schema:
    """One of these texts."""
    return {"enum": list(values)}


def constant(value: object) -> Schema:
    """One value."""
    return {"const": value}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    """What the definition of this name says."""
    return {"$ref": f"#/$defs/{name}"}


TEXTS: Final = array(TEXT)
PERHAPS: Final = nullable(TEXT)
FINDINGS: Final = array(ref("finding"))
PLANS: Final = array(ref("database_plan"))
VERSION: Final = {"format_version": constant(FORMAT_VERSION)}
REWRITE: Final = nullable(ref("rewrite_file"))
FRESH: Final = structure({"alias": TEXT, "state": constant("fresh")})
UNREAD: Final = structure({"alias": TEXT, "state": constant("error"), "error": ref("error")})
FAILED: Final = structure({"alias": TEXT, "error": ref("error")})


def document(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, about: str = "") -> Schema:
    """A whole document, with its format version."""
    return structure({**VERSION, **required}, optional, about)


def databases(*kinds: Schema) -> Schema:
    """A list with an element for each database, each of one of these kinds."""
    return array({"anyOf": list(kinds)})


def values() -> dict[str, Schema]:
    """What documents are made of."""
    record = nullable(ref("record"))
    return {
        "error": structure(
            dict.fromkeys(("code", "found", "meaning", "hint", "page"), TEXT),
            about="An error. The code is stable, the sentences are for people; page is the address of its page.",
        ),
        "failure": document({"error": ref("error")}, about="What any command writes that ends with an error."),
        "finding": structure(
            {"code": TEXT, "severity": one_of("error", "warning", "info"), "found": TEXT},
            {
                **dict.fromkeys(("meaning", "hint", "app", "name", "file", "other", "database", "page"), TEXT),
                "line": NUMBER,
                "operation": NUMBER,
                "others": TEXTS,
                "facts": {"type": "object"},
            },
            "What a person should know; an error blocks. Empty keys are left out.",
        ),
        "record": structure(
            {"id": nullable(NUMBER), "app": TEXT, "name": TEXT, "applied": PERHAPS}, about="A row of django_migrations."
        ),
        "change": structure(
            {"kind": one_of("rename", "remove", "insert"), "before": record, "after": record, "cause": TEXT},
            about="A row before and after.",
        ),
        "rewrite_file": structure(
            {
                "id": TEXT,
                "format": NUMBER,
                "parents": TEXTS,
                "command": TEXT,
                "created": TEXT,
                "apps": mapping(ref("rewritten_app")),
            },
            {"made_with_files": FLAG, "third_party": FLAG},
            "A rewrite: which name became which. The TOML files in migration_rewrites hold the same.",
        ),
        "rewritten_app": structure(
            {
                "before": TEXTS,
                "after": TEXTS,
                "removed": TEXTS,
                "renamed": array(TEXTS),
                "collapsed": array(array(TEXTS)),
            },
            {
                "from": TEXT,
                "depends": mapping(TEXTS),
                "squashes": mapping(TEXTS),
                "digests": structure({}, {"before": mapping(TEXT), "after": mapping(TEXT)}),
            },
        ),
        "database_plan": structure(
            {
                "id": TEXT,
                "target": structure(dict.fromkeys(("alias", "engine", "identity", "schema"), TEXT)),
                "changes": array(ref("change")),
                "fingerprints": mapping(TEXT),
                "fingerprints_after": mapping(TEXT),
                "passed": array(ref("rewrite_file")),
                "returned": array(ref("rewrite_file")),
                "findings": FINDINGS,
                "digests": mapping(TEXT),
                "undoes": PERHAPS,
            },
            about="What must change in one database.",
        ),
        "group": structure(
            {"name": TEXT, "state": one_of(*STATES), "changes": NUMBER, "targets": TEXTS},
            about="Databases whose plans do the same.",
        ),
        "run": structure(
            {
                **dict.fromkeys(("id", "plan", "at", "author", "version", "reason"), TEXT),
                "number": NUMBER,
                "kind": one_of("apply", "undo"),
                "undoes": PERHAPS,
                "in_force": FLAG,
                "passed": TEXTS,
                "returned": TEXTS,
                "changes": array(ref("change")),
            },
            about="A run of the journal, with every row that it touched.",
        ),
        "result": structure(
            {
                "alias": TEXT,
                "status": one_of("applied", "already applied", "nothing to do", "failed"),
                "plan": PERHAPS,
                "changes": NUMBER,
                "run": PERHAPS,
                "findings": FINDINGS,
                "error": nullable(ref("error")),
            },
            about="What became of one database.",
        ),
    }
