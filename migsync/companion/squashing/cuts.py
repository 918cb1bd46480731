"""Where a range must be cut though no circle closes: as one migration it would do something else to rows, or fail.

No proof shows it, since a proof runs on empty tables. In a run that is suggested nothing comes in between.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from migsync.companion.squashing.cycles import reached
from migsync.companion.squashing.ranges import outcome
from migsync.companion.squashing.risks import changing, risks_of
from migsync.findings import Finding, Severity
from migsync.history import History, Key


class Cut(NamedTuple):
    """A reason to cut: after how many keys of the range, and what there is to say."""

    places: frozenset[int]
    finding: Finding


@dataclass(frozen=True)
class Cuts:
    """What it depends on: the graph, and which migrations databases with rows have still to run."""

    history: History
    lacking: Mapping[Key, tuple[str, ...]]

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
        between = self._between(keys)
        if between:
            yield between

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
