"""A squash that is refused is tried again: without the optimizer, and then without the ranges that are refused.

The proof looks at all ranges together. So a refusal is held against the range whose file or migration it names, or
whose app or table; where there is none, against all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from migsync.files.reshape import Reshape
from migsync.findings import Finding
from migsync.findings.rows import data_differs
from migsync.findings.schema import schema_not_built
from migsync.findings.squash import not_optimized, range_left
from migsync.history import History, Key
from migsync.project import Project
from migsync.refactor.squash.ranges import Range, ends
from migsync.refactor.squash.squash import Choice, compose_all, squash


def reshape(project: Project, history: History, choice: Choice, *, optimize: bool) -> Reshape:
    """The squash of the chosen ranges, and what to try where it is refused.

    Raises what :func:`migsync.refactor.squash.squash.ask_squash` raises.
    """
    made, answers = compose_all(project, choice, optimize=optimize)
    elided = tuple(dict.fromkeys(key for answer in answers for key, _ in answer.elided))

    def otherwise(refusals: Sequence[Finding]) -> Reshape | None:
        following = after_refusal(history, made, refusals, optimize=optimize)
        return reshape(project, history, following, optimize=optimize) if following else None

    def explain(finding: Finding) -> Finding:
        # Whoever marks an operation as elidable says that new databases need not have what it does.
        if finding.code == data_differs.code and elided:
            return finding.with_facts(left_out=elided, elidable=True)
        return finding

    return replace(squash(history, made, answers), otherwise=otherwise, explain=explain)


def after_refusal(history: History, choice: Choice, refusals: Sequence[Finding], *, optimize: bool) -> Choice | None:
    """What to try next: the refused ranges keep all operations as they are, or are left out; None for nothing.

    A range that a person has named is never left out. Where the current files cannot be built, no range is at fault.
    """
    if any(each.code == schema_not_built.code and not each.facts["new"] for each in refusals):
        return None
    refused = _refused(choice.ranges, refusals)
    if optimize and not choice.plain.issuperset(each.squash for each in refused):
        new = {each: why for each, why in refused.items() if each.squash not in choice.plain}
        told = [not_optimized(migration=each.squash, reason=why.found) for each, why in new.items()]
        return replace(
            choice,
            plain=choice.plain.union(each.squash for each in new),
            findings=(*choice.findings, *told),
        )
    if not choice.optional or not choice.ranges:
        return None
    gone = {each.squash for each in refused}
    # What was said of a file that is not made is not said.
    findings = [finding for finding in choice.findings if Key(finding.app, finding.name) not in gone]
    return replace(
        choice,
        ranges=tuple(each for each in choice.ranges if each not in refused),
        findings=(*findings, *(_left(history, each, why) for each, why in refused.items())),
    )


def _refused(ranges: Sequence[Range], refusals: Sequence[Finding]) -> Mapping[Range, Finding]:
    """The ranges that refusals are held against, each with the first of them."""
    found: dict[Range, Finding] = {}
    for finding in refusals:
        named = {Key(finding.app, finding.name), Key(*finding.other.split(".", 1)) if finding.other else None}
        about = [each for each in ranges if named & {each.squash, *each.keys}]
        about = about or [each for each in ranges if each.squash.app in (finding.app, _app(finding, ranges))]
        for each in about or ranges:
            found.setdefault(each, finding)
    return found


def _app(finding: Finding, ranges: Sequence[Range]) -> str:
    """The app whose table a finding names, as Django names tables."""
    table = str(finding.facts.get("table", ""))
    apps = (each.squash.app for each in ranges)
    return max((app for app in apps if table.startswith(f"{app}_")), key=len, default="")


def _left(history: History, left: Range, why: Finding) -> Finding:
    app, name = left.squash
    command = f"migsync squash {app} {ends(history, left.keys)} --dry-run"
    finding = range_left(
        app=app,
        name=name,
        first=left.keys[0],
        last=left.keys[-1],
        reason=why.found,
        advice=f"To see all that stands against it: {command}",
    )
    return replace(finding, database=why.database)
