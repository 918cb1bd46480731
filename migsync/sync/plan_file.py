"""A plan file: the plans of one survey as one JSON document, to be reviewed and applied later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migsync import __version__
from migsync.errors import PlanFileError
from migsync.rewrites.rewrite import Rewrite
from migsync.sync.plan import FORMAT_VERSION, Plan


@dataclass(frozen=True)
class PlanFile:
    """`proposed` is the rewrite, not written yet, that the plans rest on; None when they rest on files alone."""

    plans: tuple[Plan, ...]
    proposed: Rewrite | None = None

    def as_dict(self) -> dict[str, Any]:
        """The document of a plan file."""
        return {
            "format_version": FORMAT_VERSION,
            "kind": "plan",
            "migsync": __version__,
            "plans": [plan.as_dict() for plan in self.plans],
            "proposed": self.proposed.as_dict() if self.proposed else None,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> PlanFile:
        """The inverse of :meth:`as_dict`; raises KeyError, TypeError or ValueError for another shape."""
        proposed = document["proposed"]
        return cls(
            tuple(Plan.from_dict(plan) for plan in document["plans"]),
            Rewrite.from_dict(proposed) if proposed else None,
        )


def save_plans(path: Path, plans: PlanFile) -> None:
    """Write `plans` to `path`; raises PlanFileError when that is not possible."""
    try:
        path.write_text(json.dumps(plans.as_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise PlanFileError(
            f"{path} cannot be written: {error.strerror}.", hint="Name another file: -o FILE"
        ) from error


def load_plans(path: Path) -> PlanFile:
    """Read a plan file; raises PlanFileError for one that is not there, not whole, or of another format version."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanFileError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise PlanFileError(f"{path} is not a plan file, or not whole: {error}.") from error
    if not isinstance(document, dict) or document.get("kind") != "plan":
        raise PlanFileError(f"{path} is not a plan file.")
    if document.get("format_version") != FORMAT_VERSION:
        raise PlanFileError(
            f"{path} has format version {document.get('format_version')!r}; this migsync knows {FORMAT_VERSION}.",
            "It was made by another version of migsync.",
        )
    try:
        return PlanFile.from_dict(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlanFileError(
            f"{path} is damaged or was edited: {error}.", "A plan is applied exactly as it was made, or not at all."
        ) from error
