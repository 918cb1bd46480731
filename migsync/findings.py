"""A finding: something that a person must be told, with what it means and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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
    def from_dict(cls, document: dict[str, Any]) -> Finding:
        """The inverse of :meth:`as_dict`; raises KeyError, TypeError or ValueError for anything else."""
        return cls(**{**document, "severity": Severity(document["severity"])})
