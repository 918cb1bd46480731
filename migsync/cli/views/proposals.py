"""A proposal as text, as JSON and as a diff: every file before and after, the renames, each target's changes."""

from __future__ import annotations

import difflib
import io
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migsync.cli.views.blocks import EMPTY, Block, Line, Span, Style, line, near, table
from migsync.cli.views.findings import findings_blocks
from migsync.cli.views.lists import cut, more
from migsync.cli.views.plans import heading, plan_blocks, standing
from migsync.words import count

if TYPE_CHECKING:
    from pathlib import Path

    from migsync.files.proposal import FileChange, Proposal
    from migsync.refactor.pipeline import Draft

SHOWN = 20
"""On a terminal, so many files are shown with their differences; --verbose shows all."""


def draft_blocks(draft: Draft, root: Path, *, shorten: bool, verbose: bool = False) -> list[Block]:
    """Everything that the command would do: files, names, databases, what was proven and what was found."""
    blocks: list[Block] = [*_diffs(draft.proposal, root, shorten, verbose), *_renames(draft.proposal)]
    if draft.proposal.notes:
        blocks += [EMPTY, *(line(note) for note in draft.proposal.notes)]
    labels = {draft.proposal.rewrite.id: "this rewrite"} if draft.proposal.rewrite else {}
    for plan in draft.plans:
        state = standing(plan) if plan.target.alias in draft.chosen or not plan.changes else _later(plan.blocked)
        _, *rest = plan_blocks(replace(plan, findings=()), shorten=shorten, labels=labels)
        blocks += [EMPTY, heading(plan.target.alias, plan.target.engine, state), *(rest if plan.changes else ())]
    if draft.facts:
        blocks += [EMPTY, *(line(Span("Proven: ", Style.GOOD), fact) for fact in draft.facts)]
    if draft.findings:
        blocks += [EMPTY, *findings_blocks(draft.findings)]
    return blocks


def _later(blocked: bool) -> Span:
    return Span("blocked", Style.BAD) if blocked else Span("to be updated later: migsync apply", Style.WARNING)


def draft_document(draft: Draft, root: Path) -> dict[str, Any]:
    """What :func:`draft_blocks` shows, as JSON values; every plan in full."""
    from migsync.cli.views.documents import plan_state

    proposal = draft.proposal
    return {
        "command": proposal.command,
        "files": [
            {
                "old": _place(change.old_path, root),
                "new": _place(change.new_path, root),
                "diff": "".join(f"{text}\n" for text in diff(change, root)),
            }
            for change in proposal.files
        ],
        "rewrite": proposal.rewrite.as_dict() if proposal.rewrite else None,
        "databases": [
            {
                "alias": plan.target.alias,
                "state": plan_state(plan),
                "updated": plan.target.alias in draft.chosen,
                "plan": plan.as_dict(),
            }
            for plan in draft.plans
        ],
        "later": list(draft.later),
        "notes": list(proposal.notes),
        "proven": list(draft.facts),
        "findings": [finding.as_dict() for finding in draft.findings],
    }


def diff(change: FileChange, root: Path) -> list[str]:
    """A unified diff with git's line about a move before it; without lines for a file that only moves."""
    old, new = _place(change.old_path, root), _place(change.new_path, root)
    moved = [f"rename from {old}", f"rename to {new}"] if old and new and old != new else []
    return moved + list(
        difflib.unified_diff(
            _lines(change.old),
            _lines(change.new),
            f"a/{old}" if old else "/dev/null",
            f"b/{new}" if new else "/dev/null",
            lineterm="",
            n=2,
        )
    )


def _diffs(proposal: Proposal, root: Path, shorten: bool, verbose: bool) -> Iterator[Block]:
    files, hidden = cut(proposal.files, SHOWN, shorten=shorten)
    for change in files:
        # The whole text of each file with a minus before it would hide the changes that have to be read.
        if change.new is None and not verbose:
            yield line(Span(f"--- a/{_place(change.old_path, root)} is removed", Style.HEADING))
        else:
            yield from (_coloured(text) for text in diff(change, root))
    yield from more(hidden)


def _coloured(text: str) -> Line:
    styles = {"+": Style.GOOD, "-": Style.BAD, "@": Style.DIM, "r": Style.HEADING}
    if text.startswith(("+++", "---")):
        return line(Span(text, Style.HEADING))
    return line(Span(text, styles.get(text[:1], Style.PLAIN)))


def _renames(proposal: Proposal) -> Iterator[Block]:
    for app, change in sorted(proposal.rewrite.apps.items()) if proposal.rewrite else ():
        rows = [(Span("rename", Style.WARNING), old, Span(new, Style.GOOD)) for old, new in change.renamed]
        rows += [
            (Span("collapse", Style.WARNING), _from_to(olds), Span(_from_to(news), Style.GOOD))
            for olds, news in change.collapsed
        ]
        rows += [(Span("remove", Style.BAD), name, Span("(a merge migration)", Style.DIM)) for name in change.removed]
        if change.origin:
            yield EMPTY
            renamed = f"  renamed from {change.origin}, {count(len(change.after), 'migration')}"
            yield line(Span(app, Style.HEADING), renamed)
        if rows:
            collapsed = sum(len(olds) for olds, _ in change.collapsed)
            yield EMPTY
            yield line(Span(app, Style.HEADING), f"  {_counted(len(change.renamed), collapsed, len(change.removed))}")
            yield table(("", "old name", "new name"), rows)


def _from_to(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{min(names)} to {max(names)} ({len(names)})"


def _counted(renamed: int, collapsed: int, removed: int) -> str:
    said = ((renamed, "renamed"), (collapsed, "collapsed"), (removed, "removed"))
    return ", ".join(f"{number} {word}" for number, word in said if number)


def _place(path: Path | None, root: Path) -> str | None:
    if path is None:
        return None
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _lines(content: bytes | None) -> Sequence[str]:
    if content is None:
        return ()
    try:
        # By the file's own coding line, as Python reads it. An unknown encoding there is a SyntaxError; a diff is
        # shown all the same.
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:
        encoding = "utf-8"
    return content.decode(encoding, errors="replace").splitlines()


def paths_to_commit(paths: Iterable[Path]) -> list[str]:
    """The directories that hold what changed, as a person would type them after ``git add``."""
    return sorted({near(path.parent) for path in paths})
