"""What several databases show about the names of one app, as one: a rewrite serves all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from migsync.rewrites.evidence.evidence import Evidence
from migsync.rewrites.evidence.pairs import Pair, Verdict


def agreed(evidences: Sequence[Evidence]) -> Evidence:
    """The first evidence, with what the others know besides, and without what they do not confirm.

    All must be of one app. A rewrite serves every database, so a pair is proven only if it is for each one that has
    recorded the old name. Old names that other databases add come along as far as their new ones are still free; what
    is left needs a rewrite of its own, after this one. Where names only changed places, they are right as they are:
    such a database neither proves nor doubts anything for the others.
    """
    found, *others = sorted(evidences, key=lambda each: each.is_permuted)
    for other in others:
        found = _with(found, other)
    return found


def _with(found: Evidence, other: Evidence) -> Evidence:
    silent = other.is_permuted and not found.is_permuted
    recorded = set() if silent else set(other.recorded)
    pairs = [_confirmed(pair, recorded, other) for pair in found.pairs]
    removed = tuple(entry for entry in found.removed if entry[0] not in recorded or entry in other.removed)
    # The other database has recorded the merge too, and does not prove that it is gone: this becomes a question.
    pairs += [
        Pair(found.app, (name,), (), Verdict.HINT, reasons)
        for name, reasons in found.removed
        if (name, reasons) not in removed
    ]
    olds = {name for pair in pairs for name in pair.old} | {name for name, _ in removed} | set(found.before)
    news = {name for pair in pairs for name in pair.new if pair.verdict is not Verdict.AGAINST}
    new = () if silent else other.pairs
    pairs += [
        _confirmed(pair, set(found.recorded), found)
        for pair in new
        if not olds & set(pair.old) and not news & set(pair.new)
    ]
    removed += tuple(entry for entry in other.removed if entry[0] not in olds)
    told = {name for pair in pairs for name in pair.old} | {name for name, _ in removed}
    return replace(
        found,
        recorded=tuple(dict.fromkeys((*found.recorded, *other.recorded))),
        pairs=tuple(pairs),
        removed=removed,
        gone=tuple(dict(entry for entry in (*found.gone, *other.gone) if entry[0] not in told).items()),
        seen={**other.seen, **found.seen},
        distinct=found.distinct | other.distinct,
        taken=tuple(dict.fromkeys(name for name in (*found.taken, *other.taken) if name not in told)),
    )


def _confirmed(pair: Pair, recorded: AbstractSet[str], other: Evidence) -> Pair:
    """`pair`, or a hint in its place when `other` has `recorded` an old name and does not prove the same."""
    same = any((pair.old, pair.new) == (known.old, known.new) for known in other.proven)
    # A name that stays is recorded also where the files were always those of today.
    if same or pair.verdict is not Verdict.PROOF or recorded.isdisjoint(set(pair.old) - set(pair.new)):
        return pair
    doubts = tuple(_doubts(pair, other)) or ("The records of another database do not fit the same state of the files.",)
    return replace(pair, verdict=Verdict.HINT, reasons=(*pair.reasons, *doubts))


def _doubts(pair: Pair, other: Evidence) -> Iterator[str]:
    for known in other.pairs:
        if set(known.old) & set(pair.old):
            yield from (f"For another database: {reason}" for reason in known.reasons)
