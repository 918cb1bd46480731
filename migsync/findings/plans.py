"""About saved plans, and what has changed since they were saved."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.words import count, text_list

NAMED = 5
"""So many schemas are named."""


@entry("entry-changed", Severity.WARNING)
def entry_changed(*, alias: str, came: Sequence[str], went: Sequence[str]) -> Texts:
    """A saved plan is for other schemas than the entry has now.

    The database is asked anew which schemas an entry stands for. Since the plan was saved, tenants were added or
    removed.

    A schema that is gone needs nothing. A new schema has no plan in the file, and `migsync apply PLAN` leaves it as it
    is. If a new release created it, it is up to date. To find out, run `migsync plan`.
    """
    has, them, it_is = ("has", "it", "it is") if len(came) == 1 else ("have", "them", "they are")
    found, meaning, hint = [], "Nothing is left to do there.", ""
    if came:
        found.append(f"{count(len(came), 'target')} of {alias} {has} no plan in the file: {text_list(came, NAMED)}.")
        meaning = f"The plan is from before, and leaves {them} as {it_is}."
        hint = f"To see what to do there: {migsync('plan', alias=alias)}"
    if went:
        is_gone = "is gone" if len(went) == 1 else "are gone"
        found.append(f"{count(len(went), 'target')} of {alias} {is_gone}: {text_list(went, NAMED)}.")
    return Texts("\n".join(found), meaning, hint)
