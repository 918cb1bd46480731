"""A plan as SQL text, for people who run their SQL by hand or hand it to somebody who does.

A script does what `migsync apply` does, in the engine's own command-line client: it locks, compares every row that it
will touch with the plan, writes, reads back, and notes the run in the journal; all of it or nothing, also under a
client that runs on after an error. The text is ASCII and depends on nothing but the plan and migsync's version.
"""

from __future__ import annotations

from collections.abc import Iterable

from migsync.engines import engine_named
from migsync.errors import UnknownEngine
from migsync.rewrites.record import Record
from migsync.sync.journal.schema import journal_ddl
from migsync.sync.plan import Plan
from migsync.sync.scripts.header import header, journal_header
from migsync.sync.scripts.script_plan import reverse, script_plan

__all__ = ["apply_script", "journal_script", "undo_script"]


def apply_script(plan: Plan, records: Iterable[Record] | None = None, *, journal: bool = True, reason: str = "") -> str:
    """SQL that applies the plan to its target; without `journal` it leaves no trace but the rows.

    `reason` is the note in the journal. `records` are all rows of the target. With them, the script is stale where an
    app that it changes has other rows by then, as `migsync apply` is.

    Raises Blocked for a plan that must not be applied, and MigsyncError for one with nothing to do or with a name
    that cannot stand in a script.
    """
    return _script(plan, records, journal=journal, reason=reason)


def undo_script(plan: Plan, *, journal: bool = True) -> str:
    """SQL that takes back what :func:`apply_script` or ``migsync apply`` did for this plan; raises the same."""
    return _script(reverse(plan), None, journal=journal, undone_plan=plan.id)


def journal_script(engine: str, schema: str = "", grants: str = "", *, file: str = "journal.sql") -> str:
    """SQL that creates or upgrades the journal's tables, for people who may not let migsync do it.

    `grants` are the statements that let migsync's user read and write them. `file` is the name that the script gets.
    """
    rights = f"\n-- The privileges that migsync needs on them:\n{grants}\n" if grants else ""
    return journal_header(engine, file) + _clean(journal_ddl(engine, schema, upgrade=True)) + rights


def _script(
    plan: Plan, records: Iterable[Record] | None, *, journal: bool, undone_plan: str = "", reason: str = ""
) -> str:
    made, target = script_plan(plan, records, journal=journal, undone_plan=undone_plan, reason=reason), plan.target
    try:
        engine = engine_named(target.engine)
    except UnknownEngine as error:
        raise UnknownEngine(f"migsync cannot write a script for the engine {target.engine!r}.") from error
    ddl = _clean(journal_ddl(target.engine, target.schema)) if journal else ""
    return header(plan, made, engine) + engine.script(made, ddl)


def _clean(ddl: str) -> str:
    """`ddl` without the spaces with which SQLAlchemy ends the lines of a CREATE TABLE."""
    return "\n".join(line.rstrip() for line in ddl.splitlines()) + "\n"
