"""A plan file: the plans of one survey as one JSON document, to be reviewed and applied later."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from migsync import __version__
from migsync.decoder import (
    DecodeError,
    Fields,
    array,
    boolean,
    load_json,
    optional,
    read_file,
    same,
    shortened,
    table,
    text,
)
from migsync.errors import NOTHING_CHANGED, PlanFileError
from migsync.escapes import json_text
from migsync.filesystem.atomic import write_file
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_files import check_rewrite
from migsync.sync.plan import FORMAT_VERSION, Plan
from migsync.sync.plan_request import PlanRequest

SURVEY_FIELDS = ("root", "databases", "groups", "findings")
"""What ``migsync plan --format json`` says besides; a plan file needs none of it."""


@dataclass(frozen=True)
class SavedOptions:
    """The options that the plans were made with; see :class:`migsync.sync.plan_request.PlanRequest`.

    What ``--map``, ``--collapse``, ``--remove`` and ``--accept`` said is in the proposed rewrite. `databases` are the
    aliases that were asked for; an entry among them may have other members by now.
    """

    apps: tuple[str, ...] = ()
    prune: tuple[str, ...] = ()
    dedupe: bool = False
    positions: tuple[str, ...] = ()
    trust_names: bool = False
    against_evidence: bool = False
    record: tuple[str, ...] = ()
    unrecord: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    repairs: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, request: PlanRequest) -> SavedOptions:
        """Those of a request."""
        return cls(**{each.name: getattr(request, each.name) for each in fields(cls)})

    @classmethod
    def from_dict(cls, document: object) -> SavedOptions:
        """The inverse of `asdict`; raises DecodeError for another shape."""
        known = ("apps", "prune", "dedupe", "positions", "trust_names")
        found = Fields(document, known, ("against_evidence", "record", "unrecord", "databases", "repairs"))
        return cls(
            apps=found.get("apps", array(text)),
            prune=found.get("prune", array(text)),
            dedupe=found.get("dedupe", boolean),
            positions=found.get("positions", array(text)),
            trust_names=found.get("trust_names", boolean),
            against_evidence=found.get_or("against_evidence", boolean, False),
            record=found.get_or("record", array(text), ()),
            unrecord=found.get_or("unrecord", array(text), ()),
            databases=found.get_or("databases", array(text), ()),
            repairs=found.get_or("repairs", table(table(array(text))), {}),
        )


@dataclass(frozen=True)
class PlanFile:
    """`proposed` is the rewrite, not written yet, that the plans rest on; None when they rest on files alone.

    `asked` is None in a file of a migsync that did not save it yet.
    """

    plans: tuple[Plan, ...]
    proposed: Rewrite | None = None
    asked: SavedOptions | None = None

    def as_dict(self) -> dict[str, Any]:
        """The document of a plan file."""
        return {
            "format_version": FORMAT_VERSION,
            "kind": "plan",
            "migsync": __version__,
            "plans": [plan.as_dict() for plan in self.plans],
            "proposed": self.proposed.as_dict() if self.proposed else None,
            "asked": asdict(self.asked) if self.asked else None,
        }

    @classmethod
    def from_dict(cls, document: object) -> PlanFile:
        """The inverse of :meth:`as_dict`; raises DecodeError for another shape."""
        fields = Fields(document, ("format_version", "kind", "plans", "proposed"), ("migsync", "asked", *SURVEY_FIELDS))
        plans = fields.get("plans", array(Plan.from_dict))
        (alias, number), *_ = [*Counter(plan.target.alias for plan in plans).most_common(1), ("", 0)]
        if number > 1:
            raise DecodeError(f"holds {number} plans for {alias!a}", "plans")
        asked = fields.get_or("asked", optional(SavedOptions.from_dict), None)
        return cls(plans, fields.get("proposed", optional(_sound)), asked)


def save_plans(path: Path, plans: PlanFile) -> None:
    """Write `plans` to `path`, whole or not at all; raises PlanFileError when that is not possible."""
    try:
        document = json_text(json.dumps(plans.as_dict(), indent=2, ensure_ascii=False)) + "\n"
        write_file(path, document.encode())
    except OSError as error:
        raise PlanFileError(
            f"{path} cannot be written: {error.strerror}.",
            "Nothing was written. If the file existed, it is unchanged.",
            "Give another file (-o FILE), or fix the cause and run the command again.",
        ) from error


def load_plans(path: Path) -> PlanFile:
    """Read a plan file; raises PlanFileError for one that is not there, not whole, or of another format version.

    What it says is well formed then, and not yet true: see :mod:`migsync.sync.review`.
    """
    try:
        document = load_json(read_file(path))
    except OSError as error:
        raise PlanFileError(f"{path} cannot be read: {error.strerror}.") from error
    except DecodeError as error:
        raise PlanFileError(f"{path} is not a plan file, or is incomplete: {error}.", NOTHING_CHANGED) from error
    if not isinstance(document, dict) or document.get("kind") != "plan":
        raise PlanFileError(f"{path} is not a plan file.", NOTHING_CHANGED)
    version = document.get("format_version")
    # Before the fields: a file of another version would be called damaged otherwise.
    if not same(version, FORMAT_VERSION):
        raise PlanFileError(
            f"{path} has format version {shortened(version)}; this version of migsync reads {FORMAT_VERSION}.",
            f"It was written by another version of migsync. {NOTHING_CHANGED}",
        )
    try:
        return PlanFile.from_dict(document)
    except DecodeError as error:
        raise PlanFileError(
            f"{path} is damaged or was edited: {error}.",
            f"A plan is applied exactly as it was made, or not at all. {NOTHING_CHANGED}",
        ) from error


def _sound(document: object) -> Rewrite:
    """A rewrite that can be written as a file."""
    rewrite = Rewrite.from_dict(document)
    try:
        check_rewrite(rewrite)
    except ValueError as error:
        raise DecodeError(f"is no sound rewrite: {error}") from error
    return rewrite
