"""A plan as SQL text, for people who run their SQL by hand or hand it to somebody who does.

A script does what `migsync apply` does, in the engine's own command-line client: it locks, compares every row that it
will touch with the plan, writes, reads back, and notes the run in the journal; all of it or nothing, also under a
client that runs on after an error. The text is ASCII and depends on nothing but the plan and migsync's version.
"""

from __future__ import annotations

from migsync.errors import UnknownEngine
from migsync.sync.journal_schema import journal_ddl
from migsync.sync.plan import Plan
from migsync.sync.scripts import mysql, postgresql, sqlite
from migsync.sync.scripts.draft import Draft, draft_of, reverse
from migsync.sync.scripts.header import header, journal_header

__all__ = ["apply_script", "journal_script", "undo_script"]

ENGINES = {"postgresql": postgresql.script, "mysql": mysql.script, "sqlite": sqlite.script}


def apply_script(plan: Plan, *, journal: bool = True) -> str:
    """SQL that applies the plan to its target; without `journal` it leaves no trace but the rows.

    Raises Blocked for a plan that must not be applied, and MigsyncError for one with nothing to do or with a name
    that cannot stand in a script.
    """
    return _render(draft_of(plan, journal=journal))


def undo_script(plan: Plan, *, journal: bool = True) -> str:
    """SQL that takes back what :func:`apply_script` or ``migsync apply`` did for this plan; raises the same."""
    return _render(draft_of(reverse(plan), journal=journal, undone_plan=plan.id))


def journal_script(engine: str, schema: str = "", grants: str = "", *, file: str = "journal.sql") -> str:
    """SQL that creates the journal's tables where they are absent, for people who may not let migsync do it.

    `grants` are the statements that let migsync's user read and write them. `file` is the name that the script gets.
    """
    rights = f"\n-- The rights that migsync needs on them:\n{grants}\n" if grants else ""
    return journal_header(engine, file) + _clean(journal_ddl(engine, schema)) + rights


def _render(draft: Draft) -> str:
    engine = draft.plan.target.engine
    if engine not in ENGINES:
        raise UnknownEngine(f"There is no script for the engine {engine!r}.")
    ddl = _clean(journal_ddl(engine, draft.plan.target.schema)) if draft.journal else ""
    return header(draft) + ENGINES[engine](draft, ddl)


def _clean(ddl: str) -> str:
    """SQLAlchemy ends the lines of a CREATE TABLE with a space."""
    return "\n".join(line.rstrip() for line in ddl.splitlines()) + "\n"
