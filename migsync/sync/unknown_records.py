"""Records of the project's own apps that no file and no ``replaces`` on disk explains."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from migsync.findings import Finding
from migsync.findings.finding import Fact
from migsync.findings.packages import package_name_changed
from migsync.findings.records import (
    leftover_on_disk,
    lost_app,
    on_another_branch,
    perhaps_ran,
    squashed_record,
    unknown_record,
    unknown_records,
)
from migsync.history.graph import History
from migsync.history.loader import LoaderState
from migsync.history.migration import Key
from migsync.rewrites.evidence.origins import Origins
from migsync.rewrites.record import Record, is_squash_label
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.words import text_list

UNEXPLAINED = frozenset({unknown_record.code, unknown_records.code, perhaps_ran.code})
"""The codes of findings about records that nothing explains."""

MANY = 3
"""More unexplained records of one app than this are reported together."""
LONG_AGO, MANY_NEWCOMERS = 180, 10
"""Days, and migrations of the app, after which a file on disk is no longer taken for an older record."""

_SQUASH = re.compile(r"^(?P<first>\d+).*_squashed_(?P<last>\d+)")
_NUMBER = re.compile(r"^\d+")


def leftovers(
    history: History, state: LoaderState, records: Sequence[Record], scope: Collection[str], origins: Origins
) -> Iterator[Finding]:
    """What to say about each record without a file, app by app.

    Names alone cannot tell whether a file that is not recorded is what such a record once ran, under another name:
    as long as an app has both, its plan is blocked, unless git or the records show that it is another migration.
    """
    yield from _stated_on_disk(history, records, scope, origins.stated)
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    known = history.migrations.keys() | replaced | origins.stated | origins.explained
    unknown = [record for record in records if record.app in scope and record.key not in known]
    names = {app: [record.name for record in records if record.app == app] for app in {each.app for each in unknown}}
    labels = [record for record in unknown if is_squash_label(record.name, names[record.app])]
    yield from (squashed_record(app=each.app, name=each.name, squash="", replaced=()) for each in labels)
    unknown = [record for record in unknown if record not in labels]
    for app, found in groupby(sorted(unknown, key=lambda record: (record.app, record.age)), key=lambda it: it.app):
        yield from _of_app(app, list(found), records, history, state, origins)


def strangers(
    history: History, records: Sequence[Record], scope: Collection[str], rewrites: Rewrites, origins: Origins
) -> Iterator[Finding]:
    """Each record that neither a file nor a rewrite knows by its name: for a plan that leaves open what names mean."""
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    known = history.migrations.keys() | replaced | origins.stated | origins.explained | origins.asked
    for app, found in groupby(sorted(records, key=lambda record: (record.app, record.age)), key=lambda it: it.app):
        if app in scope:
            changes = [rewrite.apps[app] for rewrite in rewrites.of_app(app)]
            names = {name for change in changes for name in (*change.before, *change.after)}
            for record in found:
                if record.key not in known and record.name not in names:
                    yield unknown_record(migration=record.key, row=record.id, seen=_seen([record], origins))


def _of_app(
    app: str,
    unknown: list[Record],
    records: Sequence[Record],
    history: History,
    state: LoaderState,
    origins: Origins,
) -> Iterator[Finding]:
    elsewhere = [record for record in unknown if record.key in origins.branches]
    for record in elsewhere:
        yield on_another_branch(migration=record.key, row=record.id, branch=origins.branches[record.key])
    squashed = dict(_squashed(app, unknown, records, state)) if len(unknown) > len(elsewhere) else {}
    if squashed:
        squashes = sorted({squash.name for squash in squashed.values()})
        yield squashed_record(
            app=app, name=squashes[0], squash=text_list(squashes, MANY), replaced=[key.name for key in squashed]
        )
    left = [record for record in unknown if record.key not in origins.branches and record.key not in squashed]
    # Only a migration that `migrate` has still to run could run twice.
    pending = sorted(key for key in state.nodes - state.applied if key.app == app) if left else []
    likely = [
        (record, key)
        for key, standing in _passed(pending, records, history)
        for record in left
        if (record.key, key) not in origins.distinct and not _outlived(record, standing)
    ]
    candidates = list(dict.fromkeys(key for _, key in likely))
    doubted = [record for record in left if any(record == one for one, _ in likely)]
    # Where open pairs ask about each of them already, this would be the same question once more.
    if any(record.key not in origins.asked for record in doubted):
        name = candidates[0].name if len(candidates) == 1 else doubted[0].name
        rows = [(record.key, record.id) for record in doubted]
        yield perhaps_ran(app=app, name=name, rows=rows, files=candidates, seen=_seen(doubted, origins))
    unexplained = [record for record in left if record not in doubted and record.key not in origins.asked]
    if len(unexplained) > MANY:
        yield unknown_records(app=app, rows=[(record.key, record.id) for record in unexplained])
    else:
        for record in unexplained:
            yield unknown_record(migration=record.key, row=record.id, seen=_seen([record], origins))


def leftover_records(findings: Iterable[Finding]) -> list[Key]:
    """The records that findings of a plan call leftovers: without a file, and nothing makes them doubtful."""
    return [key for finding in findings for key in _leftovers(finding)]


def _leftovers(finding: Finding) -> Iterator[Key]:
    facts, app = finding.facts, finding.app
    if finding.code == unknown_record.code:
        yield Key(app, finding.name)
    elif finding.code == unknown_records.code:
        # As facts are kept: each row is [key, id].
        yield from (
            Key(app, str(row[0]).removeprefix(f"{app}.")) for row in _list(facts["rows"]) if isinstance(row, list)
        )
    elif finding.code == squashed_record.code:
        yield from (Key(app, str(name)) for name in _list(facts.get("replaced")) or [finding.name])


def _list(value: Fact | None) -> list[Fact]:
    return value if isinstance(value, list) else []


def _seen(records: Iterable[Record], origins: Origins) -> dict[str, str]:
    """Where git last saw the files of these records, by key; what git does not know is left out."""
    return {str(each.key): origins.seen[each.key] for each in records if each.key in origins.seen}


def _passed(files: Sequence[Key], records: Sequence[Record], history: History) -> Iterator[tuple[Key, list[Record]]]:
    """Each of `files` with the records of its app for migrations that it depends on, also indirectly."""
    for file in files:
        above = history.ancestors([file])
        yield file, [record for record in records if record.app == file.app and record.key in above]


def _outlived(record: Record, standing: Sequence[Record]) -> bool:
    """True for a record that is much older than what a file comes after: then it is not what the record ran.

    The file would have been moved behind all of these long after it was applied. Of 429 files that were moved behind
    newcomers in 13 public projects, 99 % were at most 180 days old, and 98 % had been passed by at most 10 others.
    Without this rule, leftovers of years ago block a database whenever their app gets a migration.
    """
    later = [other for other in standing if other.age > record.age]
    return len(later) > MANY_NEWCOMERS or any(_days_between(record, other) > LONG_AGO for other in later)


def _days_between(first: Record, second: Record) -> int:
    """Whole days from `first` to `second`; 0 where one of them has no time."""
    try:
        # Times with and without an offset cannot be subtracted, and hours are of no matter here.
        times = [datetime.fromisoformat(record.applied or "").replace(tzinfo=None) for record in (first, second)]
    except ValueError:
        return 0
    return (times[1] - times[0]).days


def _squashed(
    app: str, unknown: Sequence[Record], records: Sequence[Record], state: LoaderState
) -> Iterator[tuple[Key, Key]]:
    """(record, squash) for what a recorded squash replaced before its ``replaces`` was taken out, by its name.

    Django leaves the rows of replaced migrations in the table, so most databases with old squashes hold such rows.
    """
    for squash in records:
        match = _SQUASH.match(squash.name) if squash.app == app and squash.key in state.nodes else None
        if match is None:
            continue
        first, last = int(match["first"]), int(match["last"])
        for record in unknown:
            number = _NUMBER.match(record.name)
            # What was recorded after a squash was not replaced by it.
            if number and first <= int(number[0]) <= last and record.age < squash.age:
                yield record.key, squash.key


def _stated_on_disk(
    history: History, records: Sequence[Record], scope: Collection[str], stated: Collection[Key]
) -> Iterator[Finding]:
    for record in records if stated else ():
        if record.key in stated and record.key in history.migrations and record.app in scope:
            yield leftover_on_disk(migration=record.key)


def renamed_in_packages(
    history: History, state: LoaderState, records: Sequence[Record], stated: Collection[Key]
) -> Iterator[Finding]:
    """Each record of an installed package's app that may be a file which ``migrate`` would run, by the name.

    Where Django says that the records are inconsistent, that is said already.
    """
    told = {parent.app for _, parent in state.inconsistent}
    packaged = history.apps.keys() - history.first_party - told
    pending = sorted(key for key in state.nodes - state.applied if key.app in packaged)
    if not pending:
        return
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    known = history.migrations.keys() | replaced | frozenset(stated)
    strange = [record for record in records if record.app in packaged and record.key not in known]
    for key in pending:
        found = [record for record in strange if record.app == key.app and _alike(record.name, key.name)]
        # Of several none is more likely than the others.
        if len(found) == 1:
            yield package_name_changed(migration=key, other=found[0].key, row=found[0].id)


def _alike(first: str, second: str) -> bool:
    """Whether two names have the same number, or the same words after it."""
    parts = [name.partition("_") for name in (first, second)]
    numbered = all(number.isdigit() for number, _, _ in parts)
    return numbered and (parts[0][0] == parts[1][0] or parts[0][2] == parts[1][2])


ANY_APP = "0001_initial"
"""The name that tells nothing about an app: nearly every one has it."""


def lost_apps(
    history: History, records: Sequence[Record], scope: Collection[str], stated: Collection[Key]
) -> Iterator[Finding]:
    """Each app of `scope` that may have had another label when this database was migrated.

    ``migrate`` would run all its migrations again. `stated` are the records that the project lists as leftovers.
    """
    strange: dict[str, set[str]] = {}
    for record in records:
        if record.app not in history.apps and record.key not in stated:
            strange.setdefault(record.app, set()).add(record.name)
    recorded = {record.app for record in records}
    for app in sorted(set(scope) - recorded):
        files = set(history.names(app)) - {ANY_APP}
        for old, names in sorted(strange.items()):
            if shared := sorted(files & names):
                yield lost_app(app=app, other=old, shared=shared, names=sorted(names))
