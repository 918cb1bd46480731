"""From evidence to a rewrite that a plan can rest on, and to the sentences that a person reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from migsync.findings import Finding, Severity
from migsync.findings.leftovers import keep_hint
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
    return assemble(
        evidence.after,
        changes,
        then.parents_before if evidence.before else None,
        digests_before=evidence.digests_before,
        digests_after=evidence.digests_after,
    )


def _findings(evidence: Evidence, taken_in: Iterable[Pair]) -> Iterator[Finding]:
    accepted_pairs = set(taken_in)
    recorded = set(evidence.recorded)
    by_old: dict[tuple[str, ...], list[Pair]] = {}
    for pair in evidence.pairs:
        # The rename of a file that no database has applied changes no row, and is not worth a word.
        if pair.verdict is Verdict.PROOF and recorded & set(pair.old):
            yield _found("proven-pair", Severity.INFO, pair, _became(pair))
        elif pair.verdict is Verdict.AGAINST:
            yield _changed(pair) if pair.old == pair.new else _another(pair)
        elif pair in accepted_pairs:
            yield _found("accepted-pair", Severity.INFO, pair, f"Taken as {_likely(pair)}")
        elif pair.verdict is Verdict.HINT:
            by_old.setdefault(pair.old, []).append(pair)
    for pairs in by_old.values():
        yield _open(pairs)
    for name, reasons in evidence.removed:
        if name in recorded:
            found = f"{evidence.app}.{name} was a merge, and is gone."
            yield Finding("removed-merge", Severity.INFO, found, " ".join(reasons), app=evidence.app, name=name)
    for name in evidence.taken:
        yield _taken(evidence.app, name)
    for name, reasons in evidence.gone:
        found = f"{evidence.app}.{name} is recorded, and its file is gone."
        hint = f"To remove its row: --prune {evidence.app}.{name}"
        yield Finding("gone", Severity.INFO, found, " ".join(reasons), hint, app=evidence.app, name=name)


def _found(code: str, severity: Severity, pair: Pair, found: str, hint: str = "") -> Finding:
    name = pair.new[-1] if pair.new else pair.old[0]
    return Finding(code, severity, found, " ".join(pair.reasons), hint, app=pair.app, name=name)


def _became(pair: Pair) -> str:
    olds = ", ".join(f"{pair.app}.{name}" for name in pair.old)
    return f"{olds} became {pair.app}.{pair.new[0]}."


def _likely(pair: Pair) -> str:
    if not pair.new:
        return f"a merge that was removed: {pair.app}.{pair.old[0]}."
    olds = ", ".join(f"{pair.app}.{name}" for name in pair.old)
    return f"the same: {olds} and {pair.app}.{pair.new[0]}."


def _open(pairs: list[Pair]) -> Finding:
    first = pairs[0]
    if not first.new:
        found = f"{first.app}.{first.old[0]} may be a merge that was removed."
        return _found("open-removal", Severity.INFO, first, found, f"If it is, say so: {first.asked}")
    olds = ", ".join(f"{first.app}.{name}" for name in first.old)
    news = " or ".join(f"{pair.app}.{pair.new[0]}" for pair in pairs)
    found = f"{olds} may have become {news}."
    said = (f"{pair.new[0]}: {' '.join(pair.reasons)}" if len(pairs) > 1 else " ".join(pair.reasons) for pair in pairs)
    hint = f"If it did, say so: {' or '.join(pair.asked for pair in pairs)}"
    if len(pairs) == 1:
        hint += " (or --accept, which takes every likely pair)"
    keys = [Key(first.app, name) for name in first.old]
    rows = "the row" if len(keys) == 1 else "the rows"
    hint += f"\nIf not, remove {rows}: {' '.join(f'--prune {key}' for key in keys)}\n{keep_hint(keys)}"
    return Finding("open-pair", Severity.ERROR, found, " ".join(said), hint, app=first.app, name=first.old[0])


def _changed(pair: Pair) -> Finding:
    found = f"{pair.app}.{pair.old[0]} is recorded, but the operations in its file have changed since."
    hint = "Its record stays, and migrate will not run it again: make sure that the database has what the file says."
    return _found("changed-operations", Severity.WARNING, pair, found, hint)


def _another(pair: Pair) -> Finding:
    old, new = f"{pair.app}.{pair.old[0]}", f"{pair.app}.{pair.new[0]}"
    found = f"{new} looks like {old}, which is recorded, but it is another migration now: its operations differ."
    hint = f"If it is the same in spite of that, say so: {pair.asked}"
    return _found("another-migration", Severity.WARNING, pair, found, hint)


def _taken(app: str, name: str) -> Finding:
    return Finding(
        "name-taken",
        Severity.ERROR,
        f"{app}.{name} is recorded for a migration that is gone, and another one has that name now.",
        "Two rows would end with one name.",
        f"Say what became of it (--map {app}.{name}=NEW), or that it is gone for good: --prune {app}.{name}",
        app=app,
        name=name,
    )
