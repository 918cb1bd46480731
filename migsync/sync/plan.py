"""A plan: the ordered changes of one target, as a value that can be saved, shown, reviewed and applied later."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from migsync.decoder import DecodeError, Fields, array, exactly, optional, table, text
from migsync.findings import Finding
from migsync.findings.backwards import database_ahead, newer_records
from migsync.findings.contents import NOT_RUN
from migsync.findings.records import unknown_record, unknown_records
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.sync.shared_text import SharedText

FORMAT_VERSION = 1
PLAN_FIELDS = (
    "target",
    "changes",
    "fingerprints",
    "fingerprints_after",
    "passed",
    "returned",
    "findings",
    "digests",
    "undoes",
)

AHEAD = frozenset({database_ahead.code, newer_records.code})
"""The codes of findings about a database that has been through rewrites of which there is no file."""


class ChangeKind(StrEnum):
    """What happens to one row: its app or name changes (UPDATE), it goes (DELETE), or it comes (INSERT)."""

    RENAME = "rename"
    REMOVE = "remove"
    INSERT = "insert"


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after. A rename has both, a removal no `after`, an insert no `before`.

    An insert's `after.id` is None where the database gives the id (a remake), and a number where an old row comes
    back (an undo). `cause` says why, in words: the rewrite's file name, ``prune``, ``dedupe``, or the run undone.
    """

    before: Record | None
    after: Record | None
    cause: str = ""

    @property
    def kind(self) -> ChangeKind:
        """What happens to the row."""
        if self.before is None:
            return ChangeKind.INSERT
        return ChangeKind.REMOVE if self.after is None else ChangeKind.RENAME

    def reversed(self, cause: str) -> Change:
        """What takes this change back."""
        return Change(self.after, self.before, cause)

    def as_dict(self) -> dict[str, Any]:
        """The change as JSON values."""
        return {
            "kind": str(self.kind),
            "before": self.before._asdict() if self.before else None,
            "after": self.after._asdict() if self.after else None,
            "cause": self.cause,
        }

    @classmethod
    def from_dict(cls, document: object) -> Change:
        """The inverse of :meth:`as_dict`; raises DecodeError for another shape."""
        fields = Fields(document, ("kind", "before", "after", "cause"))
        before, after = (fields.get(when, optional(Record.from_dict)) for when in ("before", "after"))
        if before is None and after is None:
            raise DecodeError("has neither a row before nor a row after")
        change = cls(before, after, fields.get("cause", text))
        fields.get("kind", exactly(str(change.kind)))
        return change


@dataclass(frozen=True, slots=True)
class TargetRef:
    """Which ``django_migrations`` a plan is for.

    `engine` is ``postgresql``, ``mysql`` or ``sqlite``; `schema` is empty where the engine has none or the default is
    meant; `identity` is what the server says it is, equal for two aliases of one database.
    """

    alias: str
    engine: str
    identity: str
    schema: str = ""

    @property
    def plan_command(self) -> str:
        """The command that makes a new plan for it, for a message."""
        return f"migsync plan -d {shlex.quote(self.alias)}"

    def as_dict(self) -> dict[str, str]:
        """The target as JSON values."""
        return {"alias": self.alias, "engine": self.engine, "identity": self.identity, "schema": self.schema}

    @classmethod
    def from_dict(cls, document: object) -> TargetRef:
        """The inverse of :meth:`as_dict`; raises DecodeError for another shape."""
        fields = Fields(document, ("alias", "engine", "identity", "schema"))
        return cls(*(fields.get(name, text) for name in ("alias", "engine", "identity", "schema")))


@dataclass(frozen=True)
class Plan:
    """Everything that `apply`, `undo` and a script need; nothing else is read for them.

    `fingerprints` and `fingerprints_after` map each app in the plan's view to the fingerprint of its records before
    and after (:func:`migsync.rewrites.record.fingerprints`). `passed` are the rewrites that the target goes through,
    in order; `returned` those that it is taken back from (an undo, or an older history on disk). `digests` maps
    ``app.name`` of the migrations on disk in the touched apps to their operations digests, for the journal.
    `undoes` is the run that an undo takes back.
    """

    target: TargetRef
    changes: tuple[Change, ...] = ()
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    fingerprints_after: Mapping[str, str] = field(default_factory=dict)
    passed: tuple[Rewrite, ...] = ()
    returned: tuple[Rewrite, ...] = ()
    findings: tuple[Finding, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    undoes: str = ""

    @property
    def blocked(self) -> bool:
        """True when a finding forbids to apply it."""
        return any(finding.blocks for finding in self.findings)

    @property
    def ahead(self) -> bool:
        """True when it is blocked because the database is ahead of the files."""
        return any(finding.blocks and finding.code in AHEAD for finding in self.findings)

    @property
    def waits_for_word(self) -> bool:
        """True when the plan is blocked and ``--backwards`` alone would let it through."""
        return {finding.code for finding in self.findings if finding.blocks} == {database_ahead.code}

    @property
    def goes_back(self) -> bool:
        """True when records get the names of older files. An undo is not meant: it is asked for by its name."""
        return bool(self.returned and self.changes and not self.undoes)

    @property
    def empty(self) -> bool:
        """True when applying it would write nothing, not even the journal."""
        return not (self.changes or self.passed or self.returned)

    @property
    def unexplained(self) -> int:
        """How many records no file and no rewrite explains, of a plan that is not blocked for one."""
        codes = [finding.code for finding in self.findings]
        together = [finding.facts["rows"] for finding in self.findings if finding.code == unknown_records.code]
        return codes.count(unknown_record.code) + sum(len(rows) for rows in together if isinstance(rows, list))

    @property
    def incomplete(self) -> int:
        """How many recorded migrations have operations that did not run."""
        return sum(finding.code in NOT_RUN for finding in self.findings)

    def naming(self, alias: str) -> Plan:
        """The plan with findings whose commands name the database by this alias; without one, they name none."""
        return replace(self, findings=tuple(finding.with_facts(alias=alias) for finding in self.findings))

    @cached_property
    def id(self) -> str:
        """A digest (32 hexadecimal digits) of what the plan does and where; equal plans have equal ids."""
        # Texts change from one migsync to the next, and a database may have several aliases; what is done stays the
        # same.
        target = self.target.as_dict()
        del target["alias"]
        parts = {
            "changes": _canonical([change.as_dict() for change in self.changes]),
            "digests": _DIGESTS(self.digests),
            "fingerprints": _canonical(dict(self.fingerprints)),
            "fingerprints_after": _canonical(dict(self.fingerprints_after)),
            "passed": _PASSED(self.passed),
            "returned": _RETURNED(self.returned),
            "target": _canonical(target),
            "undoes": _canonical(self.undoes),
        }
        canonical = "{" + ",".join(f'"{name}":{part}' for name, part in parts.items()) + "}"
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]

    def as_dict(self, with_id: bool = True) -> dict[str, Any]:
        """The plan as JSON values (docs/reference/json.md has the schema)."""
        document = {
            "target": self.target.as_dict(),
            "changes": [change.as_dict() for change in self.changes],
            "fingerprints": dict(self.fingerprints),
            "fingerprints_after": dict(self.fingerprints_after),
            "passed": [rewrite.as_dict() for rewrite in self.passed],
            "returned": [rewrite.as_dict() for rewrite in self.returned],
            "findings": [finding.as_dict() for finding in self.findings],
            "digests": dict(self.digests),
            "undoes": self.undoes,
        }
        return {"id": self.id, **document} if with_id else document

    @classmethod
    def from_dict(cls, document: object) -> Plan:
        """The inverse of :meth:`as_dict`; raises DecodeError for another shape or a wrong id."""
        fields = Fields(document, ("id", *PLAN_FIELDS))
        plan = cls(
            target=fields.get("target", TargetRef.from_dict),
            changes=fields.get("changes", array(Change.from_dict)),
            fingerprints=fields.get("fingerprints", table(text)),
            fingerprints_after=fields.get("fingerprints_after", table(text)),
            passed=fields.get("passed", array(Rewrite.from_dict)),
            returned=fields.get("returned", array(Rewrite.from_dict)),
            findings=fields.get("findings", array(Finding.from_dict)),
            digests=fields.get("digests", table(text)),
            undoes=fields.get("undoes", text),
        )
        if fields.get("id", text) != plan.id:
            raise DecodeError("does not match the content: the plan was edited", "id")
        return plan


def _canonical(value: object) -> str:
    """JSON that is the same text for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _canonical_rewrites(rewrites: tuple[Rewrite, ...]) -> str:
    return _canonical([rewrite.as_dict() for rewrite in rewrites])


_PASSED, _RETURNED = SharedText(_canonical_rewrites), SharedText(_canonical_rewrites)
_DIGESTS: SharedText[Mapping[str, str]] = SharedText(lambda digests: _canonical(dict(digests)))
