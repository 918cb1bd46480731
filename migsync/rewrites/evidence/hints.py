"""What became what when it cannot be proven: likely pairs, and those that git speaks against. Never enough alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from migsync.rewrites.evidence.case import Case
from migsync.rewrites.evidence.pairs import Pair, Verdict
from migsync.rewrites.record import is_squash_label
from migsync.words import text_list

_NUMBER = re.compile(r"^\d+_?")
_MERGE = re.compile(r"(^|_)merge(_|$)")
_SQUASHED = re.compile(r"^(?P<first>.+)_squashed_(?P<last>.+)$")

SAME_OPERATIONS, ONCE_THE_SAME, SHARED_OPERATIONS, SAME_SUFFIX = 64, 32, 16, 8
"""What real histories bear out: one of these is needed. A pair with a greater sum is likelier."""
SAME_PLACE, SAME_TURN = 2, 1
"""What only decides between files that are alike otherwise: of 100 pairs with the same place alone, 82 were wrong."""


SUFFIX = "Both have the same name after the number."
HOW_SURE = "In public projects, 92 of 100 pairs with the same name after the number were the same migration."


def suffix(name: str) -> str:
    """The name after its number: ``0003_add_email`` is ``add_email``."""
    return _NUMBER.sub("", name)


@dataclass(frozen=True)
class Likeness:
    """How like an old and a new migration are: a weight to compare with, and the reasons as sentences."""

    old: str
    new: str
    weight: int
    reasons: tuple[str, ...]
    against: bool


@dataclass(frozen=True)
class Hints:
    """The records of a case that no proof settles, against the files that no record settles."""

    case: Case
    settled: Mapping[str, str]
    gone: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()

    @cached_property
    def old(self) -> tuple[str, ...]:
        """The open records, in the order in which they were applied."""
        leaving = self.settled.keys() | self.gone
        return tuple(
            name
            for name in self.case.recorded
            if name not in leaving
            and (name not in self.case.disk.names or name in self._given)
            and not is_squash_label(name, self.case.recorded)
        )

    @cached_property
    def new(self) -> tuple[str, ...]:
        """The files that could be one of them, in an order in which they can be applied."""
        before = self.case.before.migrations if self.case.before else {}
        leaving = self.settled.keys() | self.gone
        return tuple(
            name
            for name in self.case.disk.migrations
            if name not in self._given
            and (name not in self.case.records or name in leaving)
            # A file that kept its name and its operations is still itself, recorded or not.
            and not (name in before and self.case.kept(name))
        )

    @cached_property
    def _given(self) -> frozenset[str]:
        return frozenset(self.settled.values()) | self.taken

    def pairs(self) -> Iterator[Pair]:
        """One pair for each open record that resembles a file: the likeliest, or several that are equally so."""
        collapses = list(self._collapses())
        yield from collapses
        explained = {name for pair in collapses for name in pair.old}
        used = {name for pair in collapses for name in pair.new}
        for name in self.old:
            if name not in explained:
                yield from self._likeliest(name, used)

    def _likeliest(self, name: str, used: set[str]) -> Iterator[Pair]:
        found = [like for new in self.new if new not in used and (like := self._likeness(name, new))]
        # What the contents speak against is shown only where nothing is likely.
        for against in (False, True):
            of_kind = [like for like in found if like.against is against]
            best = max((like.weight for like in of_kind), default=0)
            verdict = Verdict.AGAINST if against else Verdict.HINT
            for like in of_kind:
                if like.weight == best:
                    yield Pair(self.case.app, (name,), (like.new,), verdict, like.reasons)
            if of_kind:
                return
        if _MERGE.search(name) and not self.case.meanings(name):
            reason = "Its name says that it was a merge; git does not hold the file, so that cannot be proven."
            yield Pair(self.case.app, (name,), (), Verdict.HINT, (reason,))

    def _likeness(self, old: str, new: str) -> Likeness | None:
        app, digest, meanings = self.case.app, self.case.disk.digests[new], self.case.meanings(old)
        same = bool(digest) and digest in meanings
        once = next((state for state in self.case.past if state.digests.get(new, "-") in meanings), None)
        found: list[tuple[int, str]] = []
        if same:
            found.append((SAME_OPERATIONS, f"The operations are the same, but {self._doubt(old, new)}"))
        elif not meanings and digest in (ever := self.case.ever(old)) and self.case.disk.migrations[new].operations:
            # The records fit no state of the files (those of a branch and of main, say), but the file is known.
            same = True
            found.append((SAME_OPERATIONS, f"{app}.{old} had the same operations in {ever[digest]}."))
        elif once:
            found.append((ONCE_THE_SAME, f"In {once.source} {app}.{new} had its operations; they were changed since."))
        shared = self.case.shared(old, new) if not same and not once else ()
        if shared:
            found.append((SHARED_OPERATIONS, f"Operations of {app}.{old} are in {app}.{new}: {text_list(shared, 3)}."))
        if suffix(old) and suffix(old) == suffix(new):
            found.append((SAME_SUFFIX, SUFFIX))
        if not found:
            return None
        if neighbours := self._same_place(old, new):
            found.append((SAME_PLACE, neighbours))
        if len(self.old) == len(self.new) > 1 and self.old.index(old) == self.new.index(new):
            found.append((SAME_TURN, "Both have the same turn in the order of what is not explained."))
        against = bool(meanings) and bool(digest) and not same and not once and not shared
        if not against and max(found)[0] == SAME_SUFFIX:
            found.append((0, HOW_SURE))
        return Likeness(old, new, sum(weight for weight, _ in found), tuple(text for _, text in found), against)

    def _doubt(self, old: str, new: str) -> str:
        """Why equal operations are no proof here."""
        case, digest = self.case, self.case.disk.digests[new]
        if case.ran_otherwise(old, case.disk.migrations[new].contents):
            return f"{old} had other operations when it ran, by its time."
        if not case.disk.bearers[digest] or all(
            not case.disk.migrations[name].operations for name in case.disk.bearers[digest]
        ):
            return "neither has any."
        if not case.borne_once(digest):
            twins = [state for state in case.states if len(state.bearers.get(digest, ())) > 1]
            if twins:
                state = next((state for state in twins if old in state.bearers[digest]), twins[0])
                names = " and ".join(sorted(state.bearers[digest]))
                return f"{names} both had them ({state.source}), so they do not tell which is which."
        others = [state.source for state in case.positions.values() if state.digests.get(old, digest) != digest]
        if others:
            return f"{old} had other operations in {others[0]}, and the records fit that state too."
        return "more than one name has had them."

    def _same_place(self, old: str, new: str) -> str:
        """A sentence when `old` and `new` come after the same migration, or before it."""
        app, after = self.case.app, self.case.disk.parents[new]
        if self.case.before and old in self.case.before.migrations:
            up = {self.settled.get(name, name) for name in self.case.before.parents[old]}
            if up and up == after:
                return f"Both come right after {app}.{min(up)}."
            return "Both are the first of their app." if not up and not after else ""
        position = self.case.recorded.index(old)
        kept = self.case.disk.migrations.keys() | self.settled.keys()
        above = next((name for name in reversed(self.case.recorded[:position]) if name in kept), None)
        below = next((name for name in self.case.recorded[position + 1 :] if name in kept), None)
        if above and after == {self.settled.get(above, above)} and self.case.recorded[position - 1] == above:
            return f"Both come right after {app}.{self.settled.get(above, above)}."
        if below and self.case.recorded[position + 1] == below:
            now = self.settled.get(below, below)
            if self.case.disk.parents.get(now, frozenset()) == frozenset({new}):
                return f"Both come right before {app}.{now}."
        return ""

    def _collapses(self) -> Iterator[Pair]:
        """Files that look like what several open records were made into."""
        for new in self.new:
            match = _SQUASHED.match(new)
            run = self._run(match["first"], match["last"]) if match else ()
            if len(run) > 1:
                reason = f"Its name says that it stands for {run[0]} to {run[-1]}, and these are gone."
                yield Pair(self.case.app, run, (new,), Verdict.HINT, (reason,))

    def _run(self, first: str, last: str) -> tuple[str, ...]:
        """The open records from `first` to `last`; nothing when a file stands between them."""
        ends = [
            index
            for index, name in enumerate(self.case.recorded)
            if name in (first, last) or name.startswith(f"{last}_") or last == suffix(name)
        ]
        if len(ends) < 2:
            return ()
        run = tuple(self.case.recorded[ends[0] : ends[-1] + 1])
        return run if run[0] == first and set(run) <= set(self.old) else ()
