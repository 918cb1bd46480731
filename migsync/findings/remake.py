"""About apps whose migrations are made from scratch."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity


@entry("several-ends", Severity.ERROR)
def several_ends(*, app: str, ends: Sequence[str], onto: str = "") -> Texts:
    """The migrations of an app have several ends.

    An end is a migration on which no other migration of its app depends. With several, the app has no single state from
    which migrations could be made anew, or behind which those of a branch could be put. Usually two branches were
    merged, and each had added a migration.

    Bring the ends into one line with `migsync fix-conflicts`, then run the command again. When the ends are on the
    branch that you rebase onto, do that on that branch.
    """
    if onto:
        return Texts(
            f"{app} has {len(ends)} ends in {onto} already: {', '.join(ends)}.",
            "Behind which of them this branch's migrations belong cannot be told.",
            f"Put them in line on {onto} first: migsync fix-conflicts --app {app}",
        )
    return Texts(
        f"{app} ends in {len(ends)} migrations: {', '.join(ends)}.",
        "Its state is not one yet.",
        f"Bring them together first: migsync fix-conflicts --app {app}",
    )
