"""Histories for the planner's tests, written as text: one app a line, ``name<parent,parent``."""

from __future__ import annotations

from collections.abc import Mapping

from migsync.history import App, History, Migration, build_history
from migsync.history.migration import Key
from migsync.rewrites.name_changes import make_rewrite, parse_changes
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Plan, TargetRef

REF = TargetRef("default", "sqlite", "a database")
MADE = "2026-11-20T10:45:00Z"


def migrations(app: str, text: str) -> dict[str, Migration]:
    """``"1 2 3<1 4<2,3"``: each name after the one before it, unless ``<`` says after which."""
    found: dict[str, Migration] = {}
    above = ""
    for word in text.split():
        name, points, parents = word.partition("<")
        names = [parent for parent in parents.split(",") if parent] if points else [above] if above else []
        merge = len(names) > 1
        dependencies = tuple(Key(*parent.split(":")) if ":" in parent else Key(app, parent) for parent in names)
        found[name] = Migration(
            Key(app, name), dependencies=dependencies, operations=not merge, digest=f"digest of {name}"
        )
        above = name
    return found


def history(**apps: str) -> History:
    """A history of first-party apps from :func:`migrations` texts."""
    every = [migration for app, text in apps.items() for migration in migrations(app, text).values()]
    return build_history(every, apps=[App(app, f"/project/{app}") for app in apps])


def rewrites(new: History, *words: str, old: Mapping[str, str] | None = None, created: str = MADE) -> Rewrites:
    """The one rewrite that ``--map``, ``+``-collapses (with ``:``) and ``-``-removals describe."""
    return Rewrites((rewrite(new, *words, old=old, created=created),))


def rewrite(
    new: History, *words: str, old: Mapping[str, str] | None = None, created: str = MADE, parents: tuple[str, ...] = ()
) -> Rewrite:
    """``shop.a=b`` maps, ``:shop.new=a+b`` collapses, ``-shop.a`` removes."""
    asked = parse_changes(
        [word for word in words if word[0] not in ":-"],
        [word[1:] for word in words if word[0] == ":"],
        [word[1:] for word in words if word[0] == "-"],
    )
    files = {app: migrations(app, text) for app, text in (old or {}).items()} or None
    return make_rewrite(new, asked, parents=parents, command="rewrite", created=created, old_files=files)


def records(*names: str, year: int = 2024) -> list[Record]:
    """``shop.0001`` names as rows with ids from 1, a day apart."""
    return [
        Record(number, *name.split(".", 1), f"{year}-01-{number:02} 10:00:00")
        for number, name in enumerate(names, start=1)
    ]


def after(before: list[Record], plan: Plan) -> list[Record]:
    """The rows once `plan` is applied; inserted ones get the next ids."""
    rows = {record.id: record for record in before}
    for change in plan.changes:
        if change.before is not None:
            assert rows.pop(change.before.id) == change.before
        if change.after is not None:
            number = change.after.id or max([0, *(number or 0 for number in rows)]) + 1
            rows[number] = change.after._replace(id=number)
    return sorted(rows.values(), key=lambda record: record.id or 0)


def codes(plan: Plan) -> list[str]:
    return [finding.code for finding in plan.findings]
