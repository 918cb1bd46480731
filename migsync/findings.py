"""A finding: something that a person must be told, with what it means and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from migsync.decoder import Fields, choice, integer, text


class Severity(StrEnum):
    """`ERROR` blocks the plan of the whole target, `WARNING` does not, `INFO` only tells."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is stable and made for machines; `found`, `meaning` and `hint` are sentences, in the order to be read.

    `app` and `name` point to a migration or to a whole app (`name` empty); `file` and `line` to a place on disk.
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

    @property
    def blocks(self) -> bool:
        """True for an error: a plan with such a finding is not applied."""
        return self.severity is Severity.ERROR

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values, empty fields left out."""
        return {field: getattr(self, field) for field in self.__slots__ if getattr(self, field)}

    @classmethod
    def from_dict(cls, document: object) -> Finding:
        """The inverse of :meth:`as_dict`; raises DecodeError for anything else."""
        fields = Fields(document, ("code", "severity", "found"), ("meaning", "hint", "app", "name", "file", "line"))
        texts = {field: fields.get_or(field, text, "") for field in ("meaning", "hint", "app", "name", "file")}
        return cls(
            fields.get("code", text),
            fields.get("severity", choice(Severity)),
            fields.get("found", text),
            **texts,
            line=fields.get_or("line", integer, 0),
        )
