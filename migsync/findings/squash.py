"""About squashes: ranges of migrations that are to become one, and squashes that stand on disk."""

from __future__ import annotations

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key


@entry("squash-overlap", Severity.ERROR)
def squash_overlap(*, migration: Key, other: Key, replaced: Key | None = None, file: str) -> Texts:
    """Two squashes replace the same migration.

    Both files list it in `replaces`. Django puts each of the two in its place and would run both, so that neither has a
    place of its own in the order, and no record says which of them stands for the old migration.

    Delete one of the squashes if nothing has been deployed with it, or remove what they share from the `replaces` of
    one of them, and run the command again.
    """
    hint = "Take one of the squashes away, or take what they share out of its `replaces`."
    if replaced:
        return Texts(
            f"{other} and {migration} both replace {replaced}.",
            "Django would run both, and neither has a place of its own in the order.",
            hint,
        )
    return Texts(
        f"{migration} and {other} replace the same migrations.", "Which of the two stands for them is not known.", hint
    )
