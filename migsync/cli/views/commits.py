"""A change of files that is to be taken back, as text: in short, and in full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from migsync.cli.views.blocks import Block, Line, Span, Style, line
from migsync.cli.views.diffs import counted, diff_blocks, place
from migsync.cli.views.findings import findings_blocks
from migsync.cli.views.groups import group, with_gaps
from migsync.cli.views.plans import plan_blocks, standing, summary
from migsync.cli.views.runs import short
from migsync.sync.plan_groups import finding_groups, plan_groups, sentence_name
from migsync.words import count

if TYPE_CHECKING:
    from pathlib import Path

    from migsync.files.commit.record import CommitRecord
    from migsync.files.proposal import FileChange
    from migsync.findings import Finding
    from migsync.sync.plan import Plan


def undo_blocks(
    record: CommitRecord,
    changes: Sequence[FileChange],
    plans: Sequence[Plan],
    root: Path,
    against: Iterable[Finding] = (),
    *,
    shorten: bool,
) -> list[Block]:
    """What is taken back, in short, and what was found: in the databases, and `against` it."""
    return with_gaps(
        [
            _summary(record, changes, plans, root, shorten=shorten),
            findings_blocks(
                finding_groups([*against, *(finding for plan in plans for finding in plan.findings)]), shorten=shorten
            ),
        ]
    )


def undo_detail_blocks(
    changes: Iterable[FileChange], plans: Iterable[Plan], root: Path, labels: Mapping[str, str], *, verbose: bool
) -> list[Block]:
    """What the summary counts, in full: the diff of each file, and each record."""
    return with_gaps(
        [
            diff_blocks(changes, root, verbose=verbose),
            *(
                plan_blocks(group.first, labels=labels, after_summary=True, others=group.aliases[1:])
                for group in plan_groups(plans)
            ),
        ]
    )


def _summary(
    record: CommitRecord, changes: Sequence[FileChange], plans: Sequence[Plan], root: Path, *, shorten: bool
) -> Iterator[Line]:
    yield line(Span(f"undo of {record.command}", Style.HEADING), f"  {short(record.id)}, {record.created}")
    places: dict[str, list[FileChange]] = defaultdict(list)
    for change in changes:
        path = place(change.new_path or change.old_path, root) or ""
        places[path.rpartition("/")[0] or "."].append(change)
    rows = [f"{directory}: {counted(found)}" for directory, found in sorted(places.items())]
    total = f"{count(len(changes), 'file')} in {count(len(places), 'directory', 'directories')}: {counted(changes)}"
    yield from group("Files", rows, total, shorten=shorten)
    states = [f"{sentence_name(group.aliases)}: {standing(group.first).text}" for group in plan_groups(plans)]
    yield from group("Databases", states, summary(plans), shorten=shorten)
