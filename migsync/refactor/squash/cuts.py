"""Where a range must be cut though no circle closes: as one migration it would do something else to rows, or fail.

No proof shows it, since a proof runs on empty tables. In a run that is suggested nothing comes in between.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from migsync.findings import Finding, Severity
from migsync.history import History, Key
from migsync.refactor.squash.cycles import reached
from migsync.refactor.squash.ranges import outcome
from migsync.refactor.squash.risks import changing, risks_of


class Cut(NamedTuple):
    """A reason to cut: after how many keys of the range, and what there is to say."""

    places: frozenset[int]
    finding: Finding


@dataclass(frozen=True)
class Cuts:
    """What it depends on: the graph, the migrations that databases with rows have still to run, and PostgreSQL's part.

    It refuses a change of a table's schema after one of its rows in the same transaction.
    """

    history: History
    lacking: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    on_postgresql: bool = False

    def findings(self, keys: Sequence[Key]) -> Iterator[Finding]:
        """Each reason to cut the range, with the parts to type."""
        for cut in self._cuts(keys):
            parts = self.parts(keys, cut.places)
            hint = "\n".join([cut.finding.hint, *(outcome(self.history, part) for part in parts)])
            left = "Leave these as they are: each of its parts is one migration."
            yield replace(cut.finding, hint=left if len(parts) == len(keys) else hint)

    def parts(self, keys: Sequence[Key], also: Collection[int] = ()) -> list[tuple[Key, ...]]:
        """The range cut wherever an error says so, and at the places `also`."""
        places = {place for cut in self._cuts(keys) if cut.finding.blocks for place in cut.places} | {*also}
        if not places:
            return [tuple(keys)]
        ends = sorted({*places, len(keys)})
        return [found for begin, end in zip([0, *ends], ends, strict=False) for found in self.parts(keys[begin:end])]

    def _cuts(self, keys: Sequence[Key]) -> Iterator[Cut]:
        yield from filter(None, (self._between(keys), self._after_data(keys)))

    def _between(self, keys: Sequence[Key]) -> Cut | None:
        """What runs after one key of the range, and did not have to wait for the last."""
        outside = {key: it.place for key, it in reached(self.history, keys).items() if it.place < len(keys) - 1}
        if not outside:
            return None
        migrations = self.history.migrations
        data = changing(risks_of((migrations[key] for key in outside), outside))
        behind = self.lacking.get(keys[0], ())
        chosen = [key for key in outside if behind or not data or key in data]
        first = chosen[0]
        more = f" (and {len(chosen) - 1} more)" if len(chosen) > 1 else ""
        last = keys[-1].name
        why = [f"It would find tables and rows as {last} leaves them"]
        why += ["it may change data"] if first in data else []
        why += [f"{' and '.join(behind)} {'has' if len(behind) == 1 else 'have'} still to run it"] if behind else []
        must = len(why) > 1
        finding = Finding(
            "runs-in-between",
            Severity.ERROR if must else Severity.WARNING,
            f"{first}{more} comes after {keys[outside[first]]}, and not after {last}: with the squash it would.",
            f"{'; '.join(why)}.",
            "Squash in parts; --split makes the same:" if must else "Where that matters, squash in parts:",
            app=first.app,
            name=first.name,
            file=migrations[first].path,
        )
        return Cut(frozenset(outside[key] + 1 for key in chosen), finding)

    def _after_data(self, keys: Sequence[Key]) -> Cut | None:
        """What follows a change of data in the one transaction that there would be."""
        migrations = [self.history.migrations[key] for key in keys]
        if not all(migration.atomic for migration in migrations):
            return None
        data = changing(risks_of(migrations, self.lacking))
        places = [place for place, key in enumerate(keys[:-1], 1) if key in data]
        if not places:
            return None
        first, following = keys[places[0] - 1], keys[places[0]]
        must = self.on_postgresql
        finding = Finding(
            "data-before-schema",
            Severity.ERROR if must else Severity.WARNING,
            f"{first} changes data, or may, and {following.name} would come after it in the same transaction.",
            "PostgreSQL alters no table in the transaction that has changed its rows (pending trigger events).",
            "Squash in parts; --split makes the same:" if must else "Where it is to run there, squash in parts:",
            app=first.app,
            name=first.name,
            file=self.history.migrations[first].path,
        )
        return Cut(frozenset(places), finding)
