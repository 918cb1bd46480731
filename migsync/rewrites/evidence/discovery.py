"""Names that were changed by hand: one proposed rewrite from what all targets, the files and git show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from migsync.errors import NOTHING_CHANGED, RewriteError
from migsync.findings import Finding
from migsync.findings.pairs import git_is_silent, gone, open_pair
from migsync.history import History, Key
from migsync.progress import counted
from migsync.rewrites.evidence.database import DatabaseEvidence
from migsync.rewrites.evidence.evidence import Evidence
from migsync.rewrites.evidence.origins import NO_ORIGINS, Origins, find_origins
from migsync.rewrites.evidence.pairs import Pair
from migsync.rewrites.evidence.proposal import accepted, propose
from migsync.rewrites.evidence.rendered import Renderings
from migsync.rewrites.evidence.sources import Sources
from migsync.rewrites.evidence.statements import (
    NO_STATEMENTS,
    KnownNames,
    Statements,
    check_statements,
    old_files,
    unknown_names,
)
from migsync.rewrites.git import GitHistory
from migsync.rewrites.name_changes import NameChanges, check_on_disk, make_rewrite
from migsync.rewrites.rewrite import EVIDENCE, Rewrite
from migsync.rewrites.rewrite_files import check_rewrite
from migsync.rewrites.rewrite_graph import Rewrites


@dataclass(frozen=True)
class Discovery:
    """`proposed` is what is proven, stated or accepted; `findings` what must be said, open questions and facts.

    `open_pairs` are those that only a person can settle. `origins` is what was found out about records without a file.
    """

    proposed: Rewrite | None
    findings: tuple[Finding, ...]
    open_pairs: tuple[Pair, ...] = ()
    origins: Origins = NO_ORIGINS

    @property
    def facts(self) -> list[Finding]:
        """What was found out, to be said once for all targets. A file that another branch has is not gone."""
        return [finding for finding in self.findings if not finding.blocks and not self._on_branch(finding)]

    def _on_branch(self, finding: Finding) -> bool:
        return finding.code == gone.code and Key(finding.app, finding.name) in self.origins.branches

    def at(self, recorded: AbstractSet[Key]) -> Discovery:
        """What of it is for a database with these records: what ran as one of them has become no other that ran too."""
        left = tuple(pair for pair in self.open_pairs if not pair.new or not recorded - {*pair.olds} >= {*pair.news})
        settled = {pair.olds for pair in self.open_pairs} - {pair.olds for pair in left}
        if not settled:
            return self
        names = {olds[0] for olds in settled} - {pair.olds[0] for pair in left}
        findings = (
            each for each in self.findings if each.code != open_pair.code or Key(each.app, each.name) not in names
        )
        asked = self.origins.asked.difference(*settled)
        return Discovery(self.proposed, tuple(findings), left, replace(self.origins, asked=asked))

    def questions(self, apps: Collection[str]) -> tuple[Finding, ...]:
        """The open questions about `apps`, each a finding that blocks."""
        return tuple(finding for finding in self.findings if finding.app in apps and finding.blocks)


def discover(
    history: History,
    rewrites: Rewrites,
    apps: Collection[str],
    databases: Sequence[DatabaseEvidence],
    statements: Statements = NO_STATEMENTS,
    *,
    created: str,
    renderings: Renderings | None = None,
    git: GitHistory | None = None,
) -> Discovery:
    """Work out what became of the names of `apps`.

    `renderings` asks Django for the tables that files make. `git` has the older files, where it is not that of the
    apps' own repositories. Raises UsageError where the files contradict the `statements`, and AgainstEvidence where
    evidence does.
    """
    with git or GitHistory(history.apps[app] for app in apps if app in history.apps) as git:
        sources = Sources(history, rewrites, databases, git, renderings)
        evidences = {app: sources.evidence(app) for app in counted("Searching for evidence, by app", sorted(apps))}
        known = {app: sources.known_names(app, statements.unread) for app in statements.changes}
        elsewhere = {key: found for each in evidences.values() for key, found in sources.elsewhere(each).items()}
        silent = {app: reason for app in evidences if (reason := git.reason(app))}
    evidences |= {app: _beside(changes, evidences[app]) for app, changes in statements.changes.items()}
    accept = statements.accept
    proposed, findings = propose(evidences, rewrites.heads(evidences), created, EVIDENCE, accept_hints=accept)
    # Only where a question is left: otherwise git was not needed.
    findings += tuple(
        git_is_silent(app=app, reason=reason) for app, reason in silent.items() if evidences[app].is_in_question
    )
    if statements.changes:
        made, unchecked = _from_statements(history, rewrites, statements, evidences, known, created)
        proposed = replace(made, apps={**(proposed.apps if proposed else {}), **made.apps})
        findings += unchecked
    _check_writable(proposed)
    left = () if accept else tuple(pair for evidence in evidences.values() for pair in evidence.open)
    origins = find_origins(history, evidences, elsewhere, frozenset(_asked(evidences, accept=accept)))
    return Discovery(proposed, findings, left, origins)


def _check_writable(proposed: Rewrite | None) -> None:
    """Raise RewriteError for a rewrite that could not be written: nothing is planned that cannot be applied."""
    try:
        if proposed:
            check_rewrite(proposed)
    except ValueError as error:
        raise RewriteError(
            f"What became of the names cannot be written as one rewrite: {error}.",
            NOTHING_CHANGED,
            "State the changes of this app yourself, for example in two steps: migsync rewrite --map APP.OLD=NEW",
        ) from error


def _from_statements(
    history: History,
    rewrites: Rewrites,
    statements: Statements,
    evidences: Mapping[str, Evidence],
    known: Mapping[str, KnownNames],
    created: str,
) -> tuple[Rewrite, tuple[Finding, ...]]:
    """The rewrite of what is stated, with what is proven beside it; and what of the statements could not be checked."""
    check = unknown_names if statements.against_evidence else check_statements
    unchecked: list[Finding] = []
    changes, found = {}, {}
    for app, asked in statements.changes.items():
        before = old_files(asked, known[app]) or {}
        check_on_disk(history, app, asked, {name: file.digest for name, file in before.items() if file.digest})
        unchecked += check(asked, known[app])
        changes[app] = _with_proven(asked, evidences[app], accept=statements.accept)
        if files := old_files(changes[app], known[app]):
            found[app] = files
    parents = rewrites.heads(evidences)
    made = make_rewrite(history, changes, parents=parents, command=EVIDENCE, created=created, old_files=found)
    return made, tuple(unchecked)


def _asked(evidences: Mapping[str, Evidence], *, accept: bool) -> Iterator[Key]:
    """The records that a blocking finding of :func:`propose` asks about."""
    for app, evidence in evidences.items():
        settled = accepted(evidence) if accept else ()
        open_names = (name for pair in evidence.open if pair.new and pair not in settled for name in pair.old)
        yield from (Key(app, name) for name in (*open_names, *evidence.taken))


def _beside(stated: NameChanges, evidence: Evidence) -> Evidence:
    """The evidence about names that nothing was stated about: the person's word comes first, but only there."""
    olds, news = set(stated.olds()), set(stated.news())
    return replace(
        evidence,
        pairs=tuple(pair for pair in evidence.pairs if olds.isdisjoint(pair.old) and news.isdisjoint(pair.new)),
        removed=tuple((name, reasons) for name, reasons in evidence.removed if name not in olds),
        taken=tuple(name for name in evidence.taken if name not in olds),
    )


def _with_proven(stated: NameChanges, evidence: Evidence, *, accept: bool) -> NameChanges:
    """`stated`, and what `evidence` proves of the other names; with `accept`, what is likely as well."""
    found = NameChanges(dict(stated.renamed), list(stated.collapsed), list(stated.removed), list(stated.new))
    for pair in (*evidence.proven, *(accepted(evidence) if accept else ())):
        if len(pair.old) == len(pair.new) == 1:
            found.renamed[pair.old[0]] = pair.new[0]
        elif pair.new:
            found.collapsed.append((pair.old, pair.new))
    found.removed += [name for name, _ in evidence.removed]
    return found
