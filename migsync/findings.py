"""A finding: something that a person must be told, with what it means and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FIELDS = ("code", "severity", "found", "meaning", "hint", "app", "name", "file", "line", "other", "operation")
"""The fields of a finding as JSON, the required ones first."""


class Severity(StrEnum):
    """`ERROR` blocks the plan of the whole target, `WARNING` does not, `INFO` only tells."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is stable and made for machines; `found`, `meaning` and `hint` are sentences, in the order to be read.

    `app` and `name` point to a migration or to a whole app (`name` empty); `file` and `line` to a place on disk.
    `other` is a second migration (``app.name``): one that is missing, or that has to run first. `operation` is the
    number of an operation of the migration, from 1; 0 for the whole migration.

    Code takes what it needs to know from these fields, and never out of a sentence.
    """

    code: str
    severity: Severity
    found: str
    meaning: str = ""
    hint: str = ""
    app: str = ""
    name: str = ""
    file: str = ""
    line: int = 0
    other: str = ""
    operation: int = 0

    @property
    def blocks(self) -> bool:
        """True for an error: a plan with such a finding is not applied."""
        return self.severity is Severity.ERROR

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values, empty fields left out."""
        return {field: getattr(self, field) for field in FIELDS if getattr(self, field)}

    @classmethod
    def from_dict(cls, document: object) -> Finding:
        """The inverse of :meth:`as_dict`; raises DecodeError for anything else."""
        from migsync.decoder import (  # few processes read one, and a worker must start fast
            Fields,
            choice,
            integer,
            text,
        )

        fields = Fields(document, FIELDS[:3], FIELDS[3:])
        return cls(
            code=fields.get("code", text),
            severity=fields.get("severity", choice(Severity)),
            found=fields.get("found", text),
            meaning=fields.get_or("meaning", text, ""),
            hint=fields.get_or("hint", text, ""),
            app=fields.get_or("app", text, ""),
            name=fields.get_or("name", text, ""),
            file=fields.get_or("file", text, ""),
            other=fields.get_or("other", text, ""),
            line=fields.get_or("line", integer, 0),
            operation=fields.get_or("operation", integer, 0),
        )
