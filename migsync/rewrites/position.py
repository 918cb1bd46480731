"""The position of a target in one app: the set of rewrites that its records have already been through.

A record's name alone does not tell, since rewrites use names again. The evidence is taken in this order: the journal;
the recorded names, which must exist at that position and be closed under its dependencies; whether it matters at all;
what ran under the names, where that is certain; the order and the time in which the records were applied; of rewrites
that no file holds yet, what git tells. What stays open is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from migsync.errors import UsageError
from migsync.findings import Finding
from migsync.findings.positions import doubtful_name, no_position, open_position
from migsync.history.contents import Contents
from migsync.rewrites.clock import Clock
from migsync.rewrites.name_history import NameHistory
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import EVIDENCE
from migsync.rewrites.rows import TrackedRow
from migsync.rewrites.split import NO_REVERSALS, Reversals, Split, onward, splits
from migsync.words import did_you_mean, text_list

KnownContents: TypeAlias = Callable[[Record], "Contents | None"]
"""What ran under a record, as far as that is known."""


def nothing_known(_: Record) -> None:
    """Of no record it is known what ran."""


@dataclass(frozen=True)
class Position:
    """`passed` are ids of the app's rewrites; with an error among `findings` it is not decided.

    `later` maps ids of records to a position of their own: they were recorded after rewrites that the other rows have
    been taken back from.
    """

    passed: frozenset[str]
    findings: tuple[Finding, ...] = ()
    later: Mapping[int | None, frozenset[str]] = field(default_factory=dict)


def decide(
    name_history: NameHistory,
    records: Sequence[Record],
    journaled: frozenset[str],
    clock: Clock,
    trust_names: bool = False,
    unseen_journal: str = "",
    reversals: Reversals = NO_REVERSALS,
    ran: KnownContents = nothing_known,
    presumed: KnownContents = nothing_known,
) -> Position:
    """Decide where `records` (all of one app) stand.

    `journaled` are the ids of rewrites that the target's journal says it has been through, `reversals` what it says of
    those that it was taken back from. With `trust_names` the time of a record under a new name is no evidence: for
    databases that keep no journal. `unseen_journal` says how to let migsync see a journal that may be there. Until
    then, that `journaled` lacks a rewrite is no evidence either. `ran` is what ran under the records.
    `presumed` is what the files of their names were at the time of `applied`, as git tells.
    """
    app, changing = name_history.app, name_history.steps
    journaled &= {rewrite.id for rewrite in changing}
    # The other names are the same at every position, so they tell nothing.
    touched = {name for rewrite in changing for name in rewrite.apps[app].sources | rewrite.apps[app].targets}
    explained = splits(name_history, records, touched, name_history.positions(journaled), reversals)
    if not explained:
        names = {record.name for record in records} & touched
        return Position(journaled, (_nowhere(name_history, names, journaled, bool(reversals.rewrites)),))
    # A rewrite that is made of evidence just now may be for another database, and makes nothing of these records then.
    unwritten = {rewrite.id for rewrite in changing if not rewrite.path}
    evidence = {rewrite.id for rewrite in changing if not rewrite.path and rewrite.command == EVIDENCE}
    if evidence and len(explained) > 1:
        explained = [split for split in explained if _is_sound(name_history, records, split)] or explained
    evidence.intersection_update(*(split.base for split in explained))
    if not _same_rows(name_history, records, explained):
        explained = _as_ran(name_history, records, explained, ran, journaled)
    # Weaker evidence is asked only while the answer matters: where all positions lead to the same rows, none is needed,
    # and a wrong guess does no harm. It narrows the choice down but never rules out every position: records that were
    # changed by hand may be out of order under all of them.
    # A run keeps the old times. Where no journal says whether there was one, they say nothing.
    timeless = trust_names or unseen_journal
    by_time = () if timeless else (_not_before_made, _complete_since)
    for narrow in (_closed, _in_applied_order, *by_time):
        if _same_rows(name_history, records, explained):
            break
        fitting = [split for split in explained if narrow(name_history, split.own, split.base, journaled, clock)]
        explained = fitting or explained
    # Names are what rewrites change, so this tells nothing of one that a run may have applied without a journal.
    if all(first.base ^ second.base <= unwritten for first, second in pairwise(explained)):
        explained = _as_ran(name_history, records, explained, presumed)
    # Of several that lead to the same rows, the one that is furthest on: the fewest steps are left to take.
    furthest = sorted(explained, key=lambda split: len(split.base), reverse=True)
    if not _same_rows(name_history, records, explained):
        return Position(furthest[0].base, (_open(name_history, [split.base for split in explained]),))
    found = []
    for split in furthest:
        # The time of a rewrite that is made of evidence just now tells nothing.
        told = [] if trust_names else _doubts(name_history, split, journaled, clock, unseen_journal)
        doubts = [doubt for doubt in told if doubt.file or not evidence]
        if doubts:
            known, likely = (_known_names(name_history, split, each) for each in (ran, presumed))
            doubts = [doubt for doubt in doubts if doubt.name not in (known if doubt.file else likely)]
        found.append(Position(split.base, tuple(doubts), split.later))
        # A name is doubtful only where no other position explains it: after a rewrite back to older names, the rows
        # may have been through both rewrites, or through neither.
        if not doubts:
            break
    return min(found, key=lambda position: bool(position.findings))


def forced(name_history: NameHistory, text: str) -> Position:
    """The position that a person states: a rewrite's file name, the beginning of its id, ``none``, or ``new``."""
    if text == "none":
        return Position(frozenset())
    app, changing = name_history.app, name_history.steps
    found = [
        rewrite
        for rewrite in changing
        if rewrite.id not in name_history.rewrites.shared
        and (rewrite.id.startswith(text) or text in (rewrite.stated_as, rewrite.label.removesuffix(".toml")))
    ]
    if len(found) != 1:
        known = ["none", *(rewrite.stated_as for rewrite in changing)]
        listed = f"Possible values: {text_list(known, last='or')}."
        what = f"the ids of {len(found)} rewrites of {app} begin so" if found else f"{app} has no such rewrite"
        raise UsageError(f"--position {app}={text}: {what}.", listed if found else did_you_mean(text, known, listed))
    of_app = {rewrite.id for rewrite in changing}
    # A rewrite names what its ancestors gave, so whoever has been through it has been through them.
    return Position((name_history.rewrites.ancestors[found[0].id] & of_app) | {found[0].id})


def _same_rows(name_history: NameHistory, records: Sequence[Record], explained: Iterable[Split]) -> bool:
    """True when it does not matter which of these it is: all lead to the same rows."""
    rows, outcomes = [TrackedRow.of(record) for record in records], set()
    for split in explained:
        after, findings = onward(rows, name_history, split)
        outcomes.add((frozenset((row.origin, row.now) for row in after), bool(findings)))
    return len(outcomes) == 1


def _is_sound(name_history: NameHistory, records: Sequence[Record], split: Split) -> bool:
    """False where two rows would end with one name."""
    after, _ = onward([TrackedRow.of(record) for record in records], name_history, split)
    names = [row.now.name for row in after if row.now]
    return len(set(names)) == len(names)


def _as_ran(
    name_history: NameHistory,
    records: Sequence[Record],
    explained: Sequence[Split],
    ran: KnownContents,
    journaled: frozenset[str] = frozenset(),
) -> list[Split]:
    """Those where no name stands for something else than what ran, while it stands for just that in another one.

    A file that was edited since stands for something else everywhere, and tells nothing. Of a record whose name a
    rewrite gave that is `journaled`, the rewrite says what ran.
    """
    given: dict[str, str] = {}
    for rewrite in (each for each in name_history.steps if each.id in journaled):
        change = rewrite.apps[name_history.app]
        given |= {name: change.digests_after.get(name, "") for name in change.targets}
    digests = {split.base: name_history.digests(split.base) for split in explained}
    for split in explained:
        digests |= {later: name_history.digests(later) for later in split.later.values()}
    targets = {name for rewrite in name_history.steps for name in rewrite.apps[name_history.app].targets}
    against: list[set[int]] = [set(), set()]
    for record in records:
        at = [digests[split.position(record)].get(record.name, "") for split in explained]
        contents, known = ran(record), given.get(record.name, "")
        fits = [name_history.stands_for(digest, contents) if contents else digest == known != "" for digest in at]
        if any(fits):
            wrong = {number for number, digest in enumerate(at) if digest and not fits[number]}
            against[record.name not in targets] |= wrong
    # What a rewrite unites with others runs only after it. What ran before it may be under its name still, where the
    # file of that name was edited since: it counts among what the former leaves.
    places = list(range(len(explained)))
    for wrong in against:
        places = [number for number in places if number not in wrong] or places
    left = [explained[number] for number in places]
    # Where the files of today are all that ran, nothing is to be done.
    by_name = {record.name: ran(record) for record in records}
    return [each for each in left if not each.later and name_history.are_today(each.base, by_name)] or left


def _known_names(name_history: NameHistory, split: Split, ran: KnownContents) -> set[str]:
    """The names of which it is known what ran: what they stand for, or what the plan compares with the files of today.

    A name that is still to be changed is compared with no file.
    """
    digests = name_history.digests(split.base)
    seen = {record.name: contents for record in split.own if (contents := ran(record))}
    moving = {name for each in name_history.remaining(split.base) for name in each.apps[name_history.app].sources}
    return {
        name
        for name, contents in seen.items()
        if name not in moving or name_history.stands_for(digests.get(name, ""), contents)
    }


def _closed(name_history: NameHistory, records: Sequence[Record], position: frozenset[str], *_: object) -> bool:
    """No record without what it depends on. A squash and what it replaces stand for each other."""
    recorded = {record.name for record in records}
    names = name_history.names(position)
    stands = set(recorded)
    for squash, replaced in name_history.squashes(position):
        if squash in recorded:
            stands |= replaced
        elif replaced and replaced <= recorded:
            stands.add(squash)
    parents = name_history.parents(position)
    # A dependency that cannot be recorded at this position at all is not missing.
    return all(up in stands for name in recorded for up in parents.get(name, ()) if up in names or up in parents)


def _in_applied_order(
    name_history: NameHistory, records: Sequence[Record], position: frozenset[str], *_: object
) -> bool:
    """No record that was applied, by its time and by its id, before what it depends on."""
    # Both have to speak against it: clocks of servers differ, and ids are given anew where a table was copied.
    by_name = {record.name: record for record in records}
    for name, ups in name_history.parents(position).items():
        for up in ups:
            child, parent = by_name.get(name), by_name.get(up)
            if (
                child
                and parent
                and (child.applied or "") < (parent.applied or "")
                and (child.id or 0) < (parent.id or 0)
            ):
                return False
    return True


def _not_before_made(
    name_history: NameHistory,
    records: Sequence[Record],
    position: frozenset[str],
    journaled: frozenset[str],
    clock: Clock,
) -> bool:
    """The newest record of the app is not older than a rewrite that this position says it has been through.

    Only for rewrites made together with the files: one that was written down later says nothing about when the new
    names came up, and a database may have been migrated with them before.
    """
    made = [
        rewrite.created
        for rewrite in name_history.steps
        if rewrite.id in position - journaled and rewrite.made_with_files
    ]
    return not any(all(clock.older(record.applied, moment) for record in records) for moment in made)


def _complete_since(
    name_history: NameHistory,
    records: Sequence[Record],
    position: frozenset[str],
    journaled: frozenset[str],
    clock: Clock,
) -> bool:
    """A database that has all of today's files, recorded after they were made anew, was made with them.

    Only for a reset by hand under a name that was there before, as it is nearly always: else each new database would
    ask whether its ``0001_initial`` is the old one.
    """
    steps = [rewrite.apps[name_history.app] for rewrite in name_history.steps]
    resets = all(any(set(olds) & set(news) for olds, news in step.collapsed) for step in steps)
    complete = {record.name for record in records} >= set(name_history.history.names(name_history.app))
    if not resets or not complete or any(rewrite.made_with_files for rewrite in name_history.steps):
        return True
    since = all(clock.newer(record.applied, each.created) for record in records for each in name_history.steps)
    return not since or len(position) == len(steps)


def _doubts(
    name_history: NameHistory, split: Split, journaled: frozenset[str], clock: Clock, unseen_journal: str
) -> Iterable[Finding]:
    """A record under a name that a rewrite gave, applied before that rewrite was made, and no journal to explain it."""
    app, records, position = name_history.app, split.own, split.base
    by_journal = {name for one in name_history.steps if one.id in journaled for name in one.apps[app].targets}
    for rewrite in name_history.steps:
        if rewrite.id not in position - journaled:
            continue
        # A squash that takes up what it replaced bore its name before the rewrite, so its row may well be older. So may
        # that of a name which another rewrite gave as well, if the journal has that one.
        given = rewrite.apps[app].targets - rewrite.apps[app].absorbing.keys() - by_journal
        for record in records:
            if record.name in given and clock.older(record.applied, rewrite.created):
                yield doubtful_name(
                    migration=record.key,
                    applied=record.applied or "",
                    rewrite=rewrite.label,
                    position=rewrite.stated_as,
                    created=rewrite.created,
                    unseen_journal=unseen_journal,
                    file=rewrite.path,
                )


def _nowhere(name_history: NameHistory, names: Collection[str], journaled: frozenset[str], taken_back: bool) -> Finding:
    app, changing = name_history.app, name_history.steps
    old = sorted(name for rewrite in changing for name in names if name in rewrite.apps[app].sources)
    new = sorted(name for rewrite in changing for name in names if name in rewrite.apps[app].targets)
    return no_position(
        app=app,
        old=list(dict.fromkeys(old)),
        new=list(dict.fromkeys(new)),
        journaled=bool(journaled),
        taken_back=taken_back,
    )


def _open(name_history: NameHistory, positions: Sequence[frozenset[str]]) -> Finding:
    app = name_history.app
    last = [
        [rewrite.stated_as for rewrite in name_history.rewrites.of_app(app) if rewrite.id in position]
        for position in positions
    ]
    choices = [labels[-1] if labels else "none" for labels in last]
    return open_position(app=app, positions=len(positions), choices=list(dict.fromkeys(choices)))
