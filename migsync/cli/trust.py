"""``migsync recover --trust``: a person looks at records that do not have their seal, and takes them as their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migsync.cli.asking import require_consent_possible, require_yes
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, count, line
from migsync.cli.views.runs import short

if TYPE_CHECKING:
    from migsync.files.commit.store import Found
    from migsync.project import Project


def trust_found(output: Output, project: Project, *, noinput: bool) -> None:
    """Show the records, ask, and give them the seal. Raises NeedsConsent, Interrupted, FilesRefused and Unsettled."""
    from migsync.files.commit import foreign_records, trust_records

    found = foreign_records(project.root)
    if not found:
        output.show([line("Every change of files in .migsync has your seal already.")])
        return
    for each in found:
        output.show(_shown(each))
    require_consent_possible(output, noinput=noinput)
    require_yes(f"Treat {count(len(found), 'change')} of files as your own?", noinput=noinput)
    trust_records(project.root, timeout=project.lock_timeout)


def _shown(found: Found) -> Iterator[Block]:
    record = found.record
    state = f"cut off, {found.opened.state}" if found.opened else "made"
    yield line(Span(record.command, Style.HEADING), f"  {short(record.id)}, {record.created}, {state}")
    for slot in record.slots:
        word = "removed" if slot.after is None else "created" if slot.before is None else "changed"
        yield line(f"{slot.path}  {word}", indent=2)
    for alias, run in record.runs:
        yield line(f"{alias}  run {short(run)}", indent=2)
    yield EMPTY
