"""``rebase``: the migrations that a branch added go behind those of another branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from migsync.files.reshape import ContentChanges, DependencyChanges, Expectation, KeyChanges, Reshape
from migsync.findings import Finding, Severity
from migsync.findings.history import retired_name
from migsync.findings.order import not_merged
from migsync.findings.remake import several_ends
from migsync.findings.targets import applied_order
from migsync.history import FIRST, History, Key, Migration, build_history
from migsync.refactor.git_branch import GitBranch, GitSide
from migsync.refactor.merges import find_merges, merge_of
from migsync.refactor.numbers import last_number, name_findings, renames, replaced_and_gone, width_of
from migsync.refactor.order import out_of_order
from migsync.rewrites.git_successors import NOTHING_IN_GIT, Answers
from migsync.rewrites.labels import Labels
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.rows import forward_names
from migsync.rewrites.successors import retired


def rebase(
    history: History,
    rewrites: Rewrites,
    branch: GitBranch | None,
    *,
    applied: Mapping[str, AbstractSet[Key]] = {},
    behind: AbstractSet[str] = frozenset(),
    by_git: Answers = NOTHING_IN_GIT.renamed,
) -> Reshape:
    """Put what is not in `branch.onto` behind what is, app by app, in one line and numbered on.

    `applied` are the recorded keys of each reachable database, by alias, and `behind` the aliases whose records do
    not fit the files yet. `by_git` are names that git explains, in the form of
    :func:`~migsync.rewrites.successors.retired`. Names that the rewrites retired give way to those that bear them
    now, in every file: that comes first, and is done also where the order is open, and where nothing is known of
    another branch. Merges that the branch made of both sides go.
    """
    known = {**retired(history, rewrites), **by_git}
    command = f"rebase --onto {branch.onto}" if branch else "rebase"
    if errors := _broken(history, known):
        return Reshape(command, findings=errors)
    # A retired name goes like a merge does: whatever names it depends on what bears it now.
    pointed = {key: found[0] for key, found in known.items() if len(found) == 1}
    lines = _lines(history, rewrites, branch, applied, pointed) if branch else _Lines()
    renamed = {old: new for line in lines.kept for old, new in line.renamed.items()}
    removed = {merge: stands for line in lines.kept for merge, stands in line.removed.items()}
    # A branch that is not merged yet has no order to ask about.
    problems = [
        each.with_facts(behind=True) if each.code == applied_order.code and each.facts["alias"] in behind else each
        for each in lines.problems
        if not (pointed and each.code == not_merged.code)
    ]
    names_alone = Reshape(command, KeyChanges(removed=pointed), apps=history.first_party)
    return Reshape(
        command,
        KeyChanges(renamed, removed | pointed),
        DependencyChanges({key: parents for line in lines.kept for key, parents in line.parents.items()}),
        ContentChanges(lines.created),
        expected=Expectation(
            dict.fromkeys([line.app for line in lines.kept if line.changes] + [key.app for key in lines.created], 1),
            merges=frozenset(lines.created),
        ),
        findings=(
            *(replace(each, severity=Severity.WARNING) if pointed else each for each in problems),
            *name_findings(history, renamed, removed, applied),
        ),
        apps=history.first_party,
        # Names come first: whatever else stands in the way, the files can be loaded then.
        otherwise=lambda _: names_alone if pointed else None,
    )


@dataclass(frozen=True)
class _Lines:
    """The apps to which the branch adds something: those in line, the new merges of others, what stands in the way."""

    kept: Sequence[_Line] = ()
    created: Mapping[Key, bytes] = field(default_factory=dict)
    problems: Sequence[Finding] = ()


def _lines(
    history: History,
    rewrites: Rewrites,
    branch: GitBranch,
    applied: Mapping[str, AbstractSet[Key]],
    pointed: Mapping[Key, Sequence[Key]],
) -> _Lines:
    theirs = _on_disk(history, rewrites, branch.theirs)
    # What the merge base has and the other branch has not, it has taken away since (by a squash, say): that is not
    # this branch's own either.
    known = theirs | _on_disk(history, rewrites, branch.base)
    mine = frozenset(key for key in history.migrations if key.app in branch.theirs.names and key not in known)
    apps = sorted({key.app for key in mine})
    going = find_merges(history, set(apps), keep_cross_app=True).going & mine
    mended = [_pointed(migration, pointed) for migration in history.migrations.values()]
    whole = build_history(mended, history.apps.values(), complete=False)
    before = build_history([each for each in mended if each.key not in mine], history.apps.values(), complete=False)
    problems = list(_absent(history, theirs, branch.onto))
    kept: list[_Line] = []
    created: dict[Key, bytes] = {}
    for app in apps:
        line = _Line(whole, app, before.leaves(app), mine, going)
        found = [*line.ends_apart(branch), *line.out_of_order(branch, before, applied)]
        ends = whole.leaves(app)
        if found and len(line.ends) == 1 and len(ends) > 1:
            merge, content = merge_of(whole, app, ends)
            created[merge] = content
            found = [each.with_facts(merge=merge) for each in found]
        elif not found:
            kept.append(line)
        problems += found
    return _Lines(kept, created, problems)


def _pointed(migration: Migration, pointed: Mapping[Key, Sequence[Key]]) -> Migration:
    """The migration with the names of today among its dependencies."""
    if pointed.keys().isdisjoint(migration.dependencies):
        return migration
    keys = (key for named in migration.dependencies for key in pointed.get(named, (named,)))
    return migration.changed(dependencies=tuple(dict.fromkeys(keys)))


def _on_disk(history: History, rewrites: Rewrites, side: GitSide) -> frozenset[Key]:
    """The migrations of a commit by the names of today: as the rewrites call them that the commit does not have."""
    view = Labels(rewrites).view
    passed = view.counted(side.rewrites)
    found: set[Key] = set()
    for app, names in side.names.items():
        now = set(names)
        for rewrite in view.of_app(app):
            if rewrite.id not in passed:
                now = forward_names(now, rewrite.apps[app])
        found |= {Key(app, name) for name in now}
    return frozenset(found)


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

    def ends_apart(self, branch: GitBranch) -> Iterator[Finding]:
        """An error where the other branch has no one end."""
        if len(self.ends) > 1:
            yield several_ends(app=self.app, ends=[key.name for key in self.ends], onto=branch.onto)

    def out_of_order(
        self, branch: GitBranch, theirs: History, applied: Mapping[str, AbstractSet[Key]]
    ) -> Iterator[Finding]:
        """The databases in which the app's migrations would not be applied from the beginning on."""
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


def _broken(history: History, known: Mapping[Key, Sequence[Sequence[Key]]]) -> tuple[Finding, ...]:
    """The errors that a rebase cannot mend: all but names that are retired and, as `known`, have one successor."""
    mended = {str(key) for key, answers in known.items() if len(answers) == 1}
    return tuple(
        finding
        for finding in history.findings
        if finding.blocks and not (finding.code == retired_name.code and finding.other in mended)
    )


def _absent(history: History, theirs: AbstractSet[Key], onto: str) -> Iterator[Finding]:
    """What the other branch has and the files here have not."""
    missing = sorted(theirs - history.migrations.keys() - replaced_and_gone(history).keys())
    for app in dict.fromkeys(key.app for key in missing):
        names = [key.name for key in missing if key.app == app]
        yield not_merged(app=app, name=names[0], onto=onto, missing=names)
