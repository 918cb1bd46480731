"""A proposal as text, in short and in full, and as JSON: files, names, each target's changes, what was proven."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migsync.cli.next_command import for_this_project, next_command
from migsync.cli.views.blocks import EMPTY, Block, Line, Span, Style, line, near, table
from migsync.cli.views.diffs import counted, diff, diff_blocks, place
from migsync.cli.views.findings import findings_blocks
from migsync.cli.views.groups import LINES, group, with_gaps
from migsync.cli.views.lists import MORE, cut, more, same_in
from migsync.cli.views.plans import heading, needs, plan_blocks, standing, summary
from migsync.sync.consistency import stops
from migsync.sync.plan_groups import PlanGroup, plan_groups, sentence_name, sentence_names
from migsync.words import count, text_list, truncated

if TYPE_CHECKING:
    from migsync.files.commit import CommitResult
    from migsync.files.proposal import FileChange
    from migsync.project import Project
    from migsync.refactor.pipeline import Draft
    from migsync.rewrites.rewrite import AppRewrite
    from migsync.sync.plan import Plan

BY_HAND = 5
"""On a terminal, so many places are named that have to be changed by hand."""

NOTES = 10
"""On a terminal, so many notes are shown."""


def draft_blocks(draft: Draft, *, shorten: bool, verbose: bool = False) -> list[Block]:
    """In at most ten lines what the command would do and what was proven; then notes and findings."""
    notes, hidden = cut(draft.proposal.notes, NOTES, shorten=shorten)
    return with_gaps(
        [
            _summary(draft, shorten=shorten, verbose=verbose),
            [*map(line, notes), *more(hidden)],
            findings_blocks(draft.findings, shorten=shorten),
        ]
    )


def detail_blocks(draft: Draft, root: Path, *, verbose: bool) -> list[Block]:
    """What the summary counts, in full: the diff of each file, each name, each record, and the proof."""
    return with_gaps(
        [
            diff_blocks(draft.proposal.files, root, verbose=verbose),
            *(_names(app, change) for app, change in _apps(draft)),
            *(_plan_blocks(draft, group) for group in _groups(draft)),
            [line(Span("Proven: ", Style.GOOD), fact.words, hang=8) for fact in draft.facts],
        ]
    )


def _summary(draft: Draft, *, shorten: bool, verbose: bool) -> Iterator[Line]:
    yield from group("Files", *_files_in_short(draft), shorten=shorten)
    yield from group("Names", *_names_in_short(draft, verbose=verbose), shorten=shorten)
    yield from group("Databases", *_databases_in_short(draft), shorten=shorten)
    if draft.facts:
        yield from group("Proven", [", ".join(fact.name for fact in draft.facts)])


def _files_in_short(draft: Draft) -> tuple[list[str], str]:
    changes = draft.proposal.files
    directories = {app.directory: label for label, app in draft.history.apps.items() if app.directory}
    by_app: dict[str, list[FileChange]] = defaultdict(list)
    for change in changes:
        path = change.new_path or change.old_path
        by_app[directories.get(str(path.parent), "other") if path else "other"].append(change)
    rows = [f"{app}: {counted(found)}" for app, found in sorted(by_app.items())]
    return rows, f"{count(len(changes), 'file')} in {count(len(by_app), 'app')}: {counted(changes)}"


def _names_in_short(draft: Draft, *, verbose: bool) -> tuple[list[str], str]:
    """Each name, where there are not too many; else how many of each app."""
    apps = _apps(draft)
    names = [f"{app}: {name}" for app, change in apps for name in _changed_names(change)]
    if len(names) > LINES and not verbose:
        names = [f"{app}: {_kinds([change])}" for app, change in apps]
    return names, f"{count(len(apps), 'app')}: {_kinds(change for _, change in apps)}"


def _changed_names(change: AppRewrite) -> Iterator[str]:
    if change.origin:
        yield f"renamed from {change.origin}, {count(len(change.after), 'migration')}"
    yield from (f"{old} -> {new}" for old, new in change.renamed)
    yield from (f"{_from_to(olds)} -> {_from_to(news)}" for olds, news in change.collapsed)
    yield from (f"{name} is removed" for name in change.removed)


def _kinds(changes: Iterable[AppRewrite]) -> str:
    """``3 renamed, 2 collapsed, 1 removed``."""
    changes = list(changes)
    said = (
        (sum(len(change.renamed) for change in changes), "renamed"),
        (sum(len(olds) for change in changes for olds, _ in change.collapsed), "collapsed"),
        (sum(len(change.removed) for change in changes), "removed"),
        (sum(len(change.after) for change in changes if change.origin), "under another label"),
    )
    return ", ".join(f"{number} {word}" for number, word in said if number)


def _databases_in_short(draft: Draft) -> tuple[list[str], str]:
    rows = [f"{sentence_name(group.aliases)}: {_state(draft, group.first).text}" for group in _groups(draft)]
    known = {plan.target.alias for plan in draft.plans}
    unread = sentence_names(alias for alias in draft.later if alias not in known)
    rows += [f"{name}: cannot be read; later: migsync apply" for name in unread]
    return rows, summary(draft.plans)


def _groups(draft: Draft) -> tuple[PlanGroup, ...]:
    """The plans in groups; one that is applied in the same step and one that is not share none."""
    chosen = [plan for plan in draft.plans if plan.target.alias in draft.chosen]
    return (*plan_groups(chosen), *plan_groups(plan for plan in draft.plans if plan not in chosen))


def _state(draft: Draft, plan: Plan) -> Span:
    if not plan.changes or plan.blocked:
        return standing(plan)
    # Of a refused draft nobody has decided yet when the databases change. `apply` waits for files that do not stop
    # `migrate`.
    decided = not draft.blocked and plan.target.alias not in draft.chosen and not any(stops(draft.history))
    # One command for all, since one that has its word applies the other plans too.
    back = any(each.goes_back for each in draft.plans)
    command = for_this_project("migsync apply --backwards" if back else "migsync apply")
    return Span(f"{needs(plan)}{f'; later: {command}' if decided else ''}", Style.WARNING)


def _plan_blocks(draft: Draft, group: PlanGroup) -> Iterator[Block]:
    plan, rewrite = group.first, draft.proposal.rewrite
    labels = {rewrite.id: "this rewrite"} if rewrite else {}
    _, *rest = plan_blocks(replace(plan, findings=()), labels=labels)
    yield heading(plan.target.alias, plan.target.engine, _state(draft, plan))
    yield from same_in(group.aliases[1:], indent=2)
    yield from rest if plan.changes else ()


def draft_document(draft: Draft, root: Path) -> dict[str, Any]:
    """What :func:`draft_blocks` and :func:`detail_blocks` show, as JSON values; every plan in full."""
    from migsync.cli.views.documents import plan_state
    from migsync.cli.views.surveys import group_documents

    proposal = draft.proposal
    return {
        "command": proposal.command,
        "files": [
            {
                "old": place(change.old_path, root),
                "new": place(change.new_path, root),
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
        "groups": group_documents(draft.plans),
        "later": list(draft.later),
        "notes": list(proposal.notes),
        "proven": [fact.words for fact in draft.facts],
        "findings": [finding.as_dict() for finding in draft.findings],
    }


def _apps(draft: Draft) -> list[tuple[str, AppRewrite]]:
    """The apps in which names change."""
    found = sorted(draft.proposal.rewrite.apps.items()) if draft.proposal.rewrite else []
    return [(app, change) for app, change in found if any(_changed_names(change))]


def _names(app: str, change: AppRewrite) -> Iterator[Block]:
    rows = [(Span("rename", Style.WARNING), old, Span(new, Style.GOOD)) for old, new in change.renamed]
    rows += [
        (Span("collapse", Style.WARNING), _from_to(olds), Span(_from_to(news), Style.GOOD))
        for olds, news in change.collapsed
    ]
    rows += [(Span("remove", Style.BAD), name, Span("(a merge migration)", Style.DIM)) for name in change.removed]
    origin = f"renamed from {change.origin}, {count(len(change.after), 'migration')}" if change.origin else ""
    kinds = _kinds([replace(change, origin="")])
    yield line(Span(app, Style.HEADING), f"  {text_list(filter(None, (origin, kinds)), last='and')}")
    if rows:
        yield table(("", "old name", "new name"), rows)


def _from_to(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{min(names)} to {max(names)} ({len(names)})"


def done_blocks(draft: Draft, made: CommitResult, project: Project, *, shorten: bool) -> list[Block]:
    """What is left to be done once the files are changed."""
    proposal, rewrites = draft.proposal, project.rewrites
    paths = [path for change in proposal.files for path in (change.old_path, change.new_path) if path]
    places = [*_directories(paths), *([near(rewrites)] if proposal.rewrite else [])]
    blocks: list[Block] = [line(Span(f"{count(len(proposal.files), 'file')} changed.", Style.GOOD))]
    if made.untracked:
        copies = count(len(made.untracked), "file")
        blocks.append(line(f"Git had no copy of {copies}; the old content is kept in {near(made.backup)}"))
    blocks += [EMPTY, line("Add it to git: ", Span(f"git add -A {shlex.join(places)}", Style.COMMAND))]
    by_hand = [finding for finding in draft.findings if finding.code == "reference-by-name"]
    if by_hand:
        found = dict.fromkeys(f"{near(Path(finding.file))}:{finding.line}" for finding in by_hand)
        blocks.append(line("Check by hand: ", ", ".join(truncated([*found], BY_HAND if shorten else None, MORE))))
    if draft.later:
        blocks.append(line(f"Not up to date yet: {', '.join(sentence_names(draft.later))}"))
    if proposal.rewrite:
        where = "In projects that install the library" if project.is_library else "For every other database"
        blocks.append(
            line(
                f"{where}, with the new files: ",
                Span(next_command("apply", without={"databases", "url"}), Style.COMMAND),
            )
        )
    blocks.append(line("To undo this: ", Span(for_this_project("migsync undo --files"), Style.COMMAND)))
    if made.interrupted:
        blocks.append(line("Ctrl-C came too late: everything above was done."))
    return blocks


def _directories(paths: Iterable[Path]) -> list[str]:
    """The directories that hold what changed, as a person would type them after ``git add``."""
    return sorted({near(path.parent) for path in paths})


def draft_sql(draft: Draft) -> str:
    """The script of each database that would change."""
    from migsync.sync.scripts import apply_script

    ready = (plan for plan in draft.plans if not plan.empty and not plan.blocked)
    return "\n".join(apply_script(plan, draft.records[plan.target.alias]) for plan in ready)
