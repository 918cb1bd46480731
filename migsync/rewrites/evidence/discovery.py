"""Names that were changed by hand: one proposed rewrite from what all targets, the files and git show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from migsync.errors import NOTHING_CHANGED, RewriteError
from migsync.findings import Finding
from migsync.findings.pairs import git_is_silent, gone
from migsync.history import History, Key
from migsync.history.contents import Contents
from migsync.rewrites.evidence.agreement import agreed
from migsync.rewrites.evidence.evidence import Evidence, find_evidence, is_explained, is_moved
from migsync.rewrites.evidence.origins import NO_ORIGINS, Origins, find_origins
from migsync.rewrites.evidence.pairs import Pair
from migsync.rewrites.evidence.proposal import accepted, propose
from migsync.rewrites.evidence.rendered import Renderings
from migsync.rewrites.evidence.resets import not_rendered
from migsync.rewrites.evidence.statements import (
    NO_DATABASES,
    DatabaseEvidence,
    KnownNames,
    check_statements,
    old_files,
    unknown_names,
)
from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory
from migsync.rewrites.name_changes import NameChanges, check_on_disk, make_rewrite
from migsync.rewrites.position import KnownContents, nothing_known
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import EVIDENCE, AppRewrite, Rewrite
from migsync.rewrites.rewrite_files import check_rewrite
from migsync.rewrites.rewrite_graph import Rewrites

WhatRan: TypeAlias = Mapping[int | None, Callable[[], Contents]]
"""What ran under a record, by the id of its row."""
RanByName: TypeAlias = Mapping[str, Contents]
"""What ran under the recorded names of one app."""


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

    def questions(self, apps: Collection[str]) -> tuple[Finding, ...]:
        """The open questions about `apps`, each a finding that blocks."""
        return tuple(finding for finding in self.findings if finding.app in apps and finding.blocks)


def discover(
    history: History,
    rewrites: Rewrites,
    apps: Collection[str],
    recorded: Sequence[Sequence[Record]],
    digests: Sequence[Mapping[str, str]],
    stated: Mapping[str, NameChanges],
    *,
    accept: bool,
    created: str,
    ran: Sequence[WhatRan] = (),
    databases: DatabaseEvidence | None = None,
    against_evidence: bool = False,
    presumed: Sequence[KnownContents] = (),
    renderings: Renderings | None = None,
    git: GitHistory | None = None,
) -> Discovery:
    """Work out what became of the names of `apps`.

    `recorded` are each target's records after the known rewrites. `digests` are what runs in the journals noted: the
    operations digests of files, by ``app.name``. `stated` is what a person says with ``--map``; with `accept` likely
    pairs are taken as well. `ran` gives what ran under each target's records, by the ids of the rows, where that is
    certain, and `presumed` also where it only follows from the time; `databases` is what they show of names;
    `renderings` asks Django for the tables that files make. `git` has the older files, where it is not that of the
    apps' own repositories. Raises UsageError where the files contradict `stated`, and
    AgainstEvidence where evidence does, unless `against_evidence` is given.
    """
    with git or GitHistory(history.apps[app] for app in apps if app in history.apps) as git:
        stated_by = _stated(rewrites, digests)

        def found_in(app: str, names: Sequence[str], certain: RanByName, likely: RanByName) -> Evidence:
            stated_of = stated_by.get(app, ())
            return find_evidence(
                history,
                app,
                names,
                lambda: git.of(app),
                stated_of,
                lambda: git.abandoned(app),
                lambda: git.line(app),
                certain,
                likely,
                renderings.of(history.apps[app], git) if renderings and app in history.apps else not_rendered,
            )

        evidences = {
            app: agreed([found_in(app, *each) for each in _unexplained(history, app, recorded, ran, presumed)])
            for app in sorted(apps)
        }
        known = {app: _known(history, app, git, rewrites, digests, databases or NO_DATABASES) for app in stated}
        elsewhere = {
            Key(app, name): found
            for app, evidence in evidences.items()
            for name, found in git.elsewhere(app, _nowhere(history, evidence)).items()
        }
        silent = tuple(git_is_silent(app=app, reason=git.reason(app)) for app in evidences if git.reason(app))
    evidences |= {app: _beside(stated[app], evidences[app]) for app in stated}
    proposed, findings = propose(evidences, rewrites.heads(evidences), created, EVIDENCE, accept_hints=accept)
    # Only where a question is left: otherwise git was not needed.
    findings += tuple(finding for finding in silent if evidences[finding.app].is_in_question)
    if stated:
        made, unchecked = _from_statements(
            history,
            {app: _with_proven(stated[app], evidences[app], accept=accept) for app in stated},
            stated,
            known,
            parents=rewrites.heads({*evidences, *stated}),
            created=created,
            against_evidence=against_evidence,
        )
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


def _known(
    history: History,
    app: str,
    git: GitHistory,
    rewrites: Rewrites,
    digests: Iterable[Mapping[str, str]],
    databases: DatabaseEvidence,
) -> KnownNames:
    changes = [rewrite.apps[app] for rewrite in rewrites.of_app(app)]
    noted = list(_noted(app, changes, digests))
    found = KnownNames.compared(FileState.on_disk(history, app), (*git.of(app), *git.abandoned(app)), noted)
    return replace(
        found,
        app=app,
        names=frozenset(name for change in changes for name in (*change.before, *change.after)),
        databases=databases,
        git=git.reason(app),
        shallow=git.is_shallow(app),
    )


def _noted(
    app: str, changes: Iterable[AppRewrite], digests: Iterable[Mapping[str, str]]
) -> Iterator[Mapping[str, str]]:
    """The digests that journals and rewrites have for the names as they are after all rewrites, oldest first."""
    current: dict[str, str] = {}
    left: set[str] = set()
    for change in changes:
        # Once a rewrite has given a migration another name, its old name means nothing, or something else.
        known = {**current, **change.digests_before}
        current = {name: digest for name, digest in known.items() if name not in change.sources}
        current |= change.digests_after
        left |= change.sources
    for noted in digests:
        names = {key.name: digest for text, digest in noted.items() if (key := Key(*text.split(".", 1))).app == app}
        yield {name: digest for name, digest in names.items() if name not in left}
    yield current


def _from_statements(
    history: History,
    changes: Mapping[str, NameChanges],
    stated: Mapping[str, NameChanges],
    known: Mapping[str, KnownNames],
    *,
    parents: Sequence[str],
    created: str,
    against_evidence: bool,
) -> tuple[Rewrite, tuple[Finding, ...]]:
    """The rewrite of `changes`, of which a person `stated` some, and what of these could not be checked."""
    check = unknown_names if against_evidence else check_statements
    unchecked: list[Finding] = []
    for app, asked in stated.items():
        before = old_files(asked, known[app]) or {}
        check_on_disk(history, app, asked, {name: file.digest for name, file in before.items() if file.digest})
        unchecked += check(asked, known[app])
    found = {app: files for app in stated if (files := old_files(changes[app], known[app]))}
    made = make_rewrite(history, changes, parents=parents, command=EVIDENCE, created=created, old_files=found)
    return made, tuple(unchecked)


def _asked(evidences: Mapping[str, Evidence], *, accept: bool) -> Iterator[Key]:
    """The records that a blocking finding of :func:`propose` asks about."""
    for app, evidence in evidences.items():
        settled = accepted(evidence) if accept else ()
        open_names = (name for pair in evidence.open if pair.new and pair not in settled for name in pair.old)
        yield from (Key(app, name) for name in (*open_names, *evidence.taken))


def _unexplained(
    history: History,
    app: str,
    recorded: Sequence[Sequence[Record]],
    ran: Sequence[WhatRan],
    presumed: Sequence[KnownContents],
) -> list[tuple[tuple[str, ...], RanByName, RanByName]]:
    """The names that each target has recorded and the files do not explain, with what ran under them.

    Each once; those with the most names come first.
    """
    found: dict[tuple[tuple[str, ...], ...], tuple[RanByName, RanByName]] = {}
    for number, records in enumerate(recorded):
        mine = sorted(_of(app, records), key=lambda record: record.age)
        names = tuple(record.name for record in mine)
        seen, known = ran[number] if ran else {}, presumed[number] if presumed else nothing_known
        certain = {record.name: seen[record.id]() for record in mine if record.id in seen}
        likely = {record.name: contents for record in mine if (contents := known(record))}
        if not is_explained(history, app, set(names)) or is_moved(history, app, names, likely):
            # By their names and what ran: databases with the same records (tenants) are worked out only once.
            digests = (f"{name} {each.digest}" for known in (certain, likely) for name, each in known.items())
            found[names, tuple(digests)] = certain, likely
    # `agreed` starts from the first. It needs one at least, also for an app that is here only because of --map.
    left = sorted(found, key=lambda each: (-len(each[0]), each))
    return [(each[0], *found[each]) for each in left] or [((), {}, {})]


def _of(app: str, records: Sequence[Record]) -> list[Record]:
    return [record for record in records if record.app == app]


def _stated(rewrites: Rewrites, digests: Iterable[Mapping[str, str]]) -> dict[str, list[Mapping[str, str]]]:
    """Digests by name that rewrites and journals wrote down: for each app its states, one by one."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for rewrite in rewrites.ordered:
        for app, change in rewrite.apps.items():
            found.setdefault(app, []).extend((change.digests_before, change.digests_after))
    for noted in digests:
        states: dict[str, dict[str, str]] = {}
        for key, digest in noted.items():
            app, _, name = key.partition(".")
            states.setdefault(app, {})[name] = digest
        for app, state in states.items():
            found.setdefault(app, []).append(state)
    return found


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


def _nowhere(history: History, evidence: Evidence) -> list[str]:
    """Recorded names without a file."""
    return [name for name in evidence.recorded if Key(evidence.app, name) not in history.migrations]
