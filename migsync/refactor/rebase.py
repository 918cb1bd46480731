"""``rebase``: the migrations that a branch added go behind those of another branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from migsync.files.reshape import DependencyChanges, Expectation, KeyChanges, Reshape
from migsync.findings import Finding
from migsync.findings.history import retired_name
from migsync.findings.order import not_merged
from migsync.findings.remake import several_ends
from migsync.findings.targets import applied_order
from migsync.history import FIRST, History, Key, build_history
from migsync.refactor.git_branch import GitBranch
from migsync.refactor.merges import find_merges
from migsync.refactor.numbers import last_number, name_findings, renames, width_of
from migsync.refactor.order import out_of_order
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.successors import retired


def rebase(
    history: History, rewrites: Rewrites, branch: GitBranch, *, applied: Mapping[str, AbstractSet[Key]] = {}
) -> Reshape:
    """Put what is not in `branch.onto` behind what is, app by app, in one line and numbered on.

    `applied` are the recorded keys of each reachable database, by alias. Names that the rewrites retired give way to
    those that bear them now, in every file. Merges that the branch made of both sides go.
    """
    command = f"rebase --onto {branch.onto}"
    known = retired(history, rewrites)
    if errors := (*_broken(history, known), *_absent(history, branch)):
        return Reshape(command, findings=errors)
    mine = frozenset(_added(history, branch))
    theirs = build_history(
        [migration for key, migration in history.migrations.items() if key not in mine],
        history.apps.values(),
        complete=False,
    )
    going = find_merges(history, {key.app for key in mine}, keep_cross_app=True).going & mine
    lines = [_Line(history, app, theirs.leaves(app), mine, going) for app in sorted({key.app for key in mine})]
    renamed = {old: new for line in lines for old, new in line.renamed.items()}
    removed = {merge: stands for line in lines for merge, stands in line.removed.items()}
    return Reshape(
        command,
        # A retired name goes like a merge does: whatever names it depends on what bears it now.
        KeyChanges(renamed, {**removed, **{key: found[0] for key, found in known.items() if len(found) == 1}}),
        DependencyChanges({key: parents for line in lines for key, parents in line.parents.items()}),
        expected=Expectation({line.app: 1 for line in lines if line.changes}),
        findings=(
            *(finding for line in lines for finding in line.problems(branch, theirs, applied)),
            *name_findings(history, renamed, removed, applied),
        ),
        apps=history.first_party,
    )


@dataclass
class _Line:
    """One app: the ends of what the other branch has, and what this branch added, put in line behind them."""

    history: History
    app: str
    ends: Sequence[Key]
    mine: AbstractSet[Key]
    going: AbstractSet[Key]
    links: list[Key] = field(default_factory=list)
    renamed: dict[Key, Key] = field(default_factory=dict)
    removed: dict[Key, tuple[Key, ...]] = field(default_factory=dict)
    parents: dict[Key, tuple[Key, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.ends) != 1:
            return
        names = self.history.names(self.app)
        above = self.ends[0]
        # Counted on from all that the other branch has, not from its end: a higher number may stand elsewhere in the
        # app.
        number = _last([name for name in names if Key(self.app, name) not in self.mine])
        for key in (Key(self.app, name) for name in names):
            if key in self.going:
                self.removed[key] = (above,)
            elif key in self.mine:
                self._put(key, above)
                above = key
        numbers = {key: number + place for place, key in enumerate(self.links, 1)}
        self.renamed = renames(self.links, numbers, width_of(names))

    @property
    def changes(self) -> bool:
        """Whether anything of the app changes."""
        return bool(self.renamed or self.removed or self.parents)

    def problems(
        self, branch: GitBranch, theirs: History, applied: Mapping[str, AbstractSet[Key]]
    ) -> Iterator[Finding]:
        """Why this app's migrations cannot be moved."""
        if len(self.ends) > 1:
            yield several_ends(app=self.app, ends=[key.name for key in self.ends], onto=branch.onto)
        line = [key for name in theirs.names(self.app) if self.ends for key in [Key(self.app, name)]] + self.links
        for alias, rows in applied.items():
            # A disorder among the other branch's own migrations is there without the rebase as well.
            if self.changes and (found := out_of_order(line, rows)) and found[1] in self.mine:
                missing, later = found
                yield applied_order(migration=later, missing=missing, alias=alias, onto=branch.onto)

    def _put(self, key: Key, above: Key) -> None:
        self.links.append(key)
        named = {parent for parent in self.history.migrations[key].in_app_parents if parent.name != FIRST}
        if named != {above}:
            self.parents[key] = (above,)


def _last(names: Sequence[str]) -> int:
    """The number that is counted on from."""
    found = [number for number in map(last_number, names) if number is not None]
    return max(found, default=len(names))


def _added(history: History, branch: GitBranch) -> Iterator[Key]:
    for key in history.migrations:
        if key.app in branch.theirs:
            # What the merge base has and the other branch has not, it has taken away since (by a squash, say): that is
            # not this branch's own either.
            known = branch.theirs[key.app] | branch.base.get(key.app, frozenset())
            if key.name not in known:
                yield key


def _broken(history: History, known: Mapping[Key, Sequence[Sequence[Key]]]) -> tuple[Finding, ...]:
    """The errors that a rebase cannot mend: all but names that are retired and, as `known`, have one successor."""
    mended = {str(key) for key, answers in known.items() if len(answers) == 1}
    return tuple(
        finding
        for finding in history.findings
        if finding.blocks and not (finding.code == retired_name.code and finding.other in mended)
    )


def _absent(history: History, branch: GitBranch) -> Iterator[Finding]:
    """What the other branch has and the files here have not."""
    for app, names in sorted(branch.theirs.items()):
        missing = sorted(names - set(history.names(app)))
        if missing:
            yield not_merged(app=app, name=missing[0], onto=branch.onto, missing=missing)
