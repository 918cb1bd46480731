"""One migration: what is known of it in each database, and the sources that are not on disk."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any

from migsync.alias import entry_of, schema_of
from migsync.cli.views.blocks import EMPTY, Block, Line, Span, Style, line, near
from migsync.cli.views.lists import same_in
from migsync.cli.views.surveys import idle_groups
from migsync.history.contents import Contents
from migsync.sync.inquiry import GIT, MigrationFacts, RowFacts
from migsync.sync.journal.contents import Event
from migsync.sync.provenance import ContentSource
from migsync.words import count, text_list

SHOWN = 30
"""On a terminal, so many lines of a source are shown."""
NOTHING_RAN = {
    Event.FAKED: "nothing ran: it was faked",
    Event.REPLACED: "nothing ran under this name: it is a part of a squash",
    Event.UNAPPLIED: "it was unapplied",
}
KNOWN = {
    ContentSource.STATED: "stated with --against-evidence",
    ContentSource.GUARDED: "known from the guard of migrate",
    ContentSource.SEEN: "presumed: the file was the same before and after the record appeared",
    ContentSource.NAME: "not known; migsync takes the file of today for it",
}


def migration_blocks(facts: MigrationFacts, *, shorten: bool = False) -> list[Block]:
    """All of it as text."""
    file = facts.file
    where = near(Path(file.path)) if file and file.path else "no file on disk"
    blocks: list[Block] = [line(Span(str(facts.key), Style.HEADING), f"  {where}")]
    for row, *others in _row_groups(facts):
        alike = same_in([each.alias for each in others], indent=2)
        blocks += [EMPTY, *_row_lines(facts, row), *alike]
    for name, state in idle_groups(dict.fromkeys(facts.not_recorded, "not recorded")):
        blocks += [EMPTY, line(Span(name, Style.HEADING), f"  {state}")]
    for digest, source in facts.sources.items():
        place = "git" if source.where == GIT else f"kept in {source.where}"
        blocks += [EMPTY, line(Span(f"source {digest[:12]} ({place})", Style.HEADING))]
        lines = source.content.decode("utf-8", "replace").splitlines()
        shown = lines[:SHOWN] if shorten else lines
        blocks += [Line((Span(text),), indent=2, verbatim=True) for text in shown]
        if len(shown) < len(lines):
            blocks.append(
                line(Span(f"{len(lines) - len(shown)} more lines; to see them: --verbose", Style.DIM), indent=2)
            )
    return blocks


def migration_document(facts: MigrationFacts) -> dict[str, Any]:
    """All of it as JSON values."""
    return {
        "migration": str(facts.key),
        "file": facts.file.path if facts.file else None,
        "databases": [
            *({"alias": row.alias, **_row_document(facts, row)} for row in facts.rows),
            *({"alias": alias, "row": None} for alias in facts.not_recorded),
        ],
        "sources": [
            {"digest": digest, "where": source.where, "text": source.content.decode("utf-8", "replace")}
            for digest, source in facts.sources.items()
        ],
    }


def _row_groups(facts: MigrationFacts) -> Iterable[list[RowFacts]]:
    """The rows in groups: those of members of one entry, where the same is known but for ids and times."""
    groups: dict[Hashable, list[RowFacts]] = {}
    for row in facts.rows:
        kind = (entry_of(row.alias), row.key, row.ran_as, row.source, row.event, tuple(row.versions), bool(row.runs))
        groups.setdefault(kind if schema_of(row.alias) else row.alias, []).append(row)
    return groups.values()


def _row_lines(facts: MigrationFacts, row: RowFacts) -> Iterator[Line]:
    name = "" if row.key == facts.key else f", as {row.key} today"
    yield line(Span(row.alias, Style.HEADING), f"  recorded in row {row.row} at {row.applied}{name}")
    yield line(f"what ran: {_known(row)}", indent=2, hang=10)
    today = facts.file.source if facts.file else ""
    for number, (digest, contents) in enumerate(row.versions.items()):
        title = "operations" if not number else "or"
        same = "the file of today" if today and digest == today else f"source {digest[:12]}" if digest else ""
        yield line(f"{title}: {_operations(contents)}", *([f"  ({same})"] if same else []), indent=2, hang=12)
    if row.runs:
        before = f", ran as {row.ran_as}" if row.ran_as not in (row.key, facts.key) else ""
        yield line(f"changed by run {text_list(row.runs)}{before}", indent=2)


def _known(row: RowFacts) -> str:
    noted = f", noted {row.noted[:19].replace('T', ' ')} UTC" if row.noted else ""
    if row.event in NOTHING_RAN:
        return f"{NOTHING_RAN[row.event]}{noted}"
    if row.source is ContentSource.GIT:
        return f"known from git, which held {count(len(row.versions) or 1, 'version')} that fit the time"
    return f"{KNOWN[row.source]}{noted}"


def _operations(contents: Contents) -> str:
    return text_list(f"{each.kind} {each.subject}".rstrip() for each in contents.operations) or "none"


def _row_document(facts: MigrationFacts, row: RowFacts) -> dict[str, Any]:
    today = facts.file.source if facts.file else ""
    return {
        "row": row.row,
        "name": str(row.key),
        "ran_as": str(row.ran_as),
        "applied": row.applied,
        "known": str(row.source),
        "event": str(row.event) if row.event else None,
        "noted": row.noted or None,
        "versions": [
            {
                "digest": digest,
                "is_today": bool(today) and digest == today,
                "operations": [{"kind": each.kind, "subject": each.subject} for each in contents.operations],
            }
            for digest, contents in row.versions.items()
        ],
        "runs": list(row.runs),
    }
