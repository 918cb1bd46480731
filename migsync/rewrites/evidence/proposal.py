"""From evidence to a rewrite that a plan can rest on, and to the sentences that a person reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from migsync.findings import Finding
from migsync.findings import pairs as entries
from migsync.key import Key
from migsync.rewrites.evidence.evidence import Evidence
from migsync.rewrites.evidence.pairs import Pair, Verdict
from migsync.rewrites.name_changes import NameChanges, assemble
from migsync.rewrites.rewrite import AppRewrite, Rewrite


def propose(
    evidences: Mapping[str, Evidence],
    parents: Iterable[str],
    created: str,
    command: str,
    accept_hints: bool = False,
) -> tuple[Rewrite | None, tuple[Finding, ...]]:
    """The rewrite of all that is proven (None when nothing is), and what must be said about the rest.

    With `accept_hints` the likely pairs are taken too, as far as each old and each new name is in one of them only.
    """
    apps: dict[str, AppRewrite] = {}
    findings: list[Finding] = []
    for app, evidence in sorted(evidences.items()):
        taken_in = accepted(evidence) if accept_hints else ()
        rewrite = app_rewrite(evidence, (*evidence.proven, *taken_in))
        if rewrite.sources:
            apps[app] = rewrite
        findings += _findings(evidence, taken_in)
    made = Rewrite(tuple(sorted(parents)), command, created, apps) if apps else None
    return made, tuple(findings)


def accepted(evidence: Evidence) -> tuple[Pair, ...]:
    """The likely pairs that do not contradict each other."""
    olds = Counter(name for pair in evidence.open for name in pair.old)
    news = Counter(name for pair in evidence.open for name in pair.new)
    return tuple(
        pair
        for pair in evidence.open
        if all(olds[name] == 1 for name in pair.old) and all(news[name] == 1 for name in pair.new)
    )


def app_rewrite(evidence: Evidence, pairs: Iterable[Pair]) -> AppRewrite:
    """What `pairs` and the proven removals make of the app's names."""
    changes = NameChanges(removed=[name for name, _ in evidence.removed])
    for pair in pairs:
        if not pair.new:
            changes.removed += pair.old
        elif len(pair.old) == len(pair.new) == 1:
            changes.renamed[pair.old[0]] = pair.new[0]
        else:
            changes.collapsed.append((pair.old, pair.new))
    then = AppRewrite(evidence.before, (), depends=evidence.depends)
    made = assemble(
        evidence.after,
        changes,
        then.parents_before if evidence.before else None,
        digests_before=evidence.digests_before,
        digests_after=evidence.digests_after,
    )
    return replace(made, squashes=evidence.squashes)


def _findings(evidence: Evidence, taken_in: Iterable[Pair]) -> Iterator[Finding]:
    accepted_pairs = set(taken_in)
    recorded = set(evidence.recorded)
    by_old: dict[tuple[str, ...], list[Pair]] = {}
    for pair in evidence.pairs:
        if pair.verdict is Verdict.HINT and pair not in accepted_pairs:
            by_old.setdefault(pair.old, []).append(pair)
        # The rename of a file that no database has applied changes no row, and is not worth a word.
        elif pair.verdict is not Verdict.PROOF or recorded & set(pair.old):
            yield _settled(pair)
    for pairs in by_old.values():
        yield _open(pairs)
    for name, reasons in evidence.removed:
        if name in recorded:
            yield entries.removed_merge(migration=Key(evidence.app, name), reasons=reasons)
    for name in evidence.taken:
        yield entries.name_reused(migration=Key(evidence.app, name))
    for name, reasons in evidence.gone:
        yield entries.gone(migration=Key(evidence.app, name), reasons=reasons)


def _settled(pair: Pair) -> Finding:
    """What is said about a pair that is no question."""
    migration, reasons = _last(pair), pair.reasons
    match pair.verdict:
        case Verdict.PROOF if pair.new:
            return entries.proven_pair(migration=migration, olds=pair.olds, reasons=reasons)
        case Verdict.PROOF:
            return entries.without_operations(migration=migration, reasons=reasons)
        case Verdict.AGAINST if pair.old == pair.new:
            return entries.changed_operations(migration=migration, reasons=reasons)
        case Verdict.AGAINST:
            return entries.another_migration(migration=migration, other=pair.olds[0], reasons=reasons)
    return entries.accepted_pair(migration=migration, olds=pair.olds, reasons=reasons)


def _last(pair: Pair) -> Key:
    """What the finding about a pair is about: the new name, or, of a merge that was removed, the old one."""
    return (*pair.olds, *pair.news)[-1]


def _open(pairs: list[Pair]) -> Finding:
    first = pairs[0]
    if not first.new:
        return entries.open_removal(migration=first.olds[0], reasons=first.reasons)
    return entries.open_pair(
        migration=first.olds[0],
        olds=first.olds,
        news=[pair.news[0] for pair in pairs],
        reasons=[pair.reasons for pair in pairs],
    )
