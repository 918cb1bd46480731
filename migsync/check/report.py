"""What a comparison found, in words for the author of the change: of files and commits, and not of rows."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from migsync.check.sides import Sides
from migsync.filesystem.git import run_git
from migsync.findings import Finding, Severity
from migsync.findings import check as entries
from migsync.findings.backwards import lost_rewrite
from migsync.findings.contents import NOT_RUN, ran_elsewhere, removed_operation, replaced_file, runs_twice
from migsync.findings.history import retired_name, unknown_setting
from migsync.findings.pairs import (
    another_migration,
    name_reused,
    open_pair,
    open_removal,
)
from migsync.findings.records import perhaps_ran, unknown_record, unknown_records
from migsync.history import History
from migsync.history.migration import Key
from migsync.rewrites.evidence.pairs import Pair, Verdict
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import AHEAD
from migsync.sync.survey import Survey
from migsync.sync.unknown_records import UNEXPLAINED
from migsync.words import text_list

OF_CONTENTS = NOT_RUN | {ran_elsewhere.code, runs_twice.code}
"""Findings about what ran: see :mod:`migsync.sync.drift`."""
LEFT_OUT = frozenset(
    {
        *UNEXPLAINED,
        *(open_pair.code, open_removal.code),
        *(another_migration.code, unknown_setting.code, *AHEAD, lost_rewrite.code),
    }
)
"""Findings of a plan that are reported in another way: each name that nothing explains, and each lost rewrite, once."""


@dataclass(frozen=True)
class ComparisonReport:
    """What is said about the two `sides`: `before` and `after` are their files, `survey` has the plan.

    `old_rewrites` and `rewrites` are those of the base and those of today, `proposed` is the one that is missing.
    `behind` is what databases show that are not at the base yet. `against` is the base as it was asked for.
    """

    sides: Sides
    before: History
    after: History
    old_rewrites: Rewrites
    rewrites: Rewrites
    survey: Survey
    proposed: Rewrite | None
    behind: Sequence[Finding]
    against: str

    def findings(self) -> Iterator[Finding]:
        """All of it, each with the path of a file in the working tree."""
        found = [
            *self._missing_rewrites(),
            *self._unexplained(),
            *self._deleted_rewrites(),
            *(told for finding in self._of_plan() for told in self._told(finding)),
            *self._of_files(),
            *self._untracked(),
        ]
        # A database that is behind may show the same as the others, and more of it.
        once = {(finding.code, finding.app, finding.name, finding.other): finding for finding in reversed(found)}
        yield from (self._placed(finding) for finding in reversed(once.values()))

    @property
    def _base(self) -> str:
        return self.sides.base.label

    def _missing_rewrites(self) -> Iterator[Finding]:
        for app, change in sorted(self.proposed.apps.items()) if self.proposed else ():
            yield entries.missing_rewrite(
                app=app,
                changes=list(_changes(change)),
                base=self._base,
                file=self._file_of(app, change),
                options=["--against", self.against] if self.against else [],
            )

    def _file_of(self, app: str, change: AppRewrite) -> str:
        """A file that has a new name; where there is none, one that is gone."""
        keys = [Key(app, name) for name in (*sorted(change.targets), *sorted(change.sources))]
        return next((path for key in keys if (path := self._path(key))), "")

    def _path(self, key: Key) -> str:
        """The file of a migration, today or in the base."""
        for side, history in ((self.sides.after, self.after), (self.sides.before, self.before)):
            if file := history.migrations.get(key):
                return side.file(self.sides.base, file.path)
        return ""

    def _of_plan(self) -> list[Finding]:
        return [*self.survey.findings, *(each for plan in self.survey.plans for each in plan.findings), *self.behind]

    def _unexplained(self) -> Iterator[Finding]:
        """Each name of the base that nothing explains, with what it may be now."""
        pairs = self.survey.open_pairs
        for pair in pairs:
            if len(pair.old) > 1 and pair.new:
                yield entries.unproven_collapse(
                    migration=pair.news[0],
                    olds=pair.olds,
                    base=self._base,
                    reasons=pair.reasons,
                    file=self._path(pair.news[0]),
                )
        asked = {key for pair in pairs if len(pair.old) > 1 for key in pair.olds}
        # An app with new files was perhaps changed by a command whose rewrite is not in the branch.
        renewed = {key.app for key in self.after.migrations.keys() - self.before.migrations.keys()}
        for key in dict.fromkeys(_names(self._of_plan(), pairs)):
            if key not in asked:
                mine = [pair for pair in pairs if pair.olds == (key,) and pair.verdict is Verdict.HINT]
                candidates = [new for pair in mine for new in pair.news]
                reasons = [reason for pair in mine for reason in pair.reasons]
                yield entries.unexplained_name(
                    migration=key,
                    base=self._base,
                    candidates=candidates,
                    reasons=reasons,
                    file=self._path(key),
                    new_files=key.app in renewed,
                )

    def _told(self, finding: Finding) -> Iterator[Finding]:
        """A finding of the plan, if it concerns this change; in other words where it would speak of rows."""
        facts, mild = finding.facts, not finding.blocks
        if finding.severity is Severity.INFO or finding.code in LEFT_OUT or not self._concerns(finding):
            return
        # What its contents say follows from the answer to the question.
        asked = {key for pair in self.survey.open_pairs for key in (*pair.olds, *pair.news)}
        if finding.code in OF_CONTENTS and Key(finding.app, finding.name) in asked:
            return
        match finding.code:
            case code if code in NOT_RUN:
                if facts.get("deleted"):
                    return  # its name is gone as well
                yield entries.edited_migration(
                    migration=Key(finding.app, finding.name),
                    base=self._base,
                    parts=_texts(facts.get("parts")),
                    changed=_texts(facts.get("changed")),
                    file=finding.file,
                    stops=Key.parse(str(facts["stops"])) if facts.get("stops") else None,
                    taken_out=finding.code == removed_operation.code,
                    another=finding.code == replaced_file.code,
                    mild=mild,
                )
            case ran_elsewhere.code:
                moved = {str(old): str(new) for old, new in dict(finding.facts["moved"]).items()}  # type: ignore[arg-type]
                yield entries.exchanged_names(
                    app=finding.app, base=self._base, moved=moved, file=self._path(Key(finding.app, min(moved)))
                )
            case name_reused.code:
                key = Key(finding.app, finding.name)
                yield entries.edited_migration(
                    migration=key, base=self._base, parts=(), changed=(), file=self._path(key), another=True
                )
            case runs_twice.code:
                yield entries.moved_operations(
                    migration=Key(finding.app, finding.name),
                    base=self._base,
                    operations=_texts(facts.get("operations")),
                    file=finding.file,
                    mild=mild,
                )
            case _:
                yield finding

    def _concerns(self, finding: Finding) -> bool:
        """Whether it is about an app that changed, or about something of such an app."""
        apps = {finding.app, finding.other.partition(".")[0]} - {""}  # `other` may be an app
        return not apps or bool(apps & self.sides.labels) or finding.code == retired_name.code

    def _of_files(self) -> Iterator[Finding]:
        """Warnings about files that were changed."""
        for finding in self.after.findings:
            changed = bool(finding.file) and self.sides.after.path(finding.file) in self.sides.changed
            if changed and finding.severity is Severity.WARNING and finding.code != unknown_setting.code:
                yield finding

    def _deleted_rewrites(self) -> Iterator[Finding]:
        for rewrite in self.old_rewrites.ordered:
            if rewrite.id not in self.rewrites.by_id:
                base, file = self.sides.base, self.sides.before.file(self.sides.base, rewrite.path)
                yield entries.deleted_rewrite(rewrite=rewrite.label, base=base.label, commit=base.commit, file=file)

    def _untracked(self) -> Iterator[Finding]:
        """Rewrites that are not in git's index, while the names that they give are."""
        sides = self.sides
        if sides.base.head or not sides.rewrites_changed:
            return
        listed = os.fsdecode(run_git(sides.base.top, "ls-files", "-z", "--", sides.inside))
        index = set(listed.split("\0"))
        for rewrite in self.rewrites.ordered:
            if sides.after.path(rewrite.path) not in index and all(
                self._in_index(app, change, index) for app, change in rewrite.apps.items()
            ):
                yield entries.untracked_rewrite(rewrite=rewrite.label, file=rewrite.path)

    def _in_index(self, app: str, change: AppRewrite, index: Collection[str]) -> bool:
        """Whether git's index has the files of an app under their new names."""
        directory = self.after.apps[app].directory if app in self.after.apps else None
        if directory is None:
            return False
        place = self.sides.after.path(directory)
        news = {f"{place}/{name}.py" for name in change.targets}
        olds = {f"{place}/{name}.py" for name in change.sources - change.targets}
        return news <= set(index) and olds.isdisjoint(index)

    def _placed(self, finding: Finding) -> Finding:
        """The finding with the path that its file has in the working tree."""
        file = finding.file or (self._path(Key(finding.app, finding.name)) if finding.name else "")
        file = self.sides.before.file(self.sides.base, self.sides.after.file(self.sides.base, file))
        return replace(finding, file=file, facts={**finding.facts, "file": file}) if file != finding.file else finding


def _names(findings: Iterable[Finding], pairs: Iterable[Pair]) -> Iterator[Key]:
    for finding in findings:
        if finding.code == unknown_record.code:
            yield Key(finding.app, finding.name)
        if finding.code in (perhaps_ran.code, unknown_records.code):
            for row in _texts(finding.facts.get("rows")):
                yield Key.parse(row[0])
    for pair in pairs:
        if len(pair.old) == 1:
            yield pair.olds[0]


def _changes(change: AppRewrite) -> Iterator[str]:
    yield from (f"{old} became {new}" for old, new in change.renamed)
    yield from (f"{text_list(olds)} became {text_list(news)}" for olds, news in change.collapsed)
    yield from (f"{name} was removed" for name in change.removed)


def _texts(fact: object) -> list[Any]:
    """A fact that is a list; nothing where it is not there."""
    return list(fact) if isinstance(fact, list) else []
