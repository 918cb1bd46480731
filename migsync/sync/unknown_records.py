"""Records of the project's own apps that no file and no ``replaces`` on disk explains."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from migsync.findings import Finding, Severity
from migsync.findings.leftovers import keep_hint
from migsync.history.graph import History
from migsync.history.loader import LoaderState
from migsync.history.migration import Key
from migsync.rewrites.evidence.origins import Origins
from migsync.rewrites.record import Record
from migsync.words import sample, text_list

UNEXPLAINED = frozenset({"unknown-record", "perhaps-ran"})
"""The codes of findings about records that nothing explains."""

LONG_AGO, MANY_NEWCOMERS = 180, 10
"""Days, and migrations of the app, after which a file on disk is no longer taken for an older record."""

NAMED = 5
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
    labels = [record for record in unknown if _is_label(record, records)]
    yield from map(_label_only, labels)
    unknown = [record for record in unknown if record not in labels]
    for app, found in groupby(sorted(unknown, key=lambda record: (record.app, record.age)), key=lambda it: it.app):
        yield from _of_app(app, list(found), records, history, state, origins)


def _of_app(
    app: str,
    unknown: list[Record],
    records: Sequence[Record],
    history: History,
    state: LoaderState,
    origins: Origins,
) -> Iterator[Finding]:
    elsewhere = [record for record in unknown if record.key in origins.branches]
    yield from (_on_branch(record, origins.branches[record.key]) for record in elsewhere)
    squashed = dict(_squashed(app, unknown, records, state)) if len(unknown) > len(elsewhere) else {}
    for squash in sorted(set(squashed.values())):
        yield _of_squash(squash, [key for key, by in squashed.items() if by == squash])
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
        yield _perhaps_ran(doubted, candidates, origins.seen)
    yield from (
        _unknown(record, origins.seen) for record in left if record not in doubted and record.key not in origins.asked
    )


def _is_label(record: Record, records: Sequence[Record]) -> bool:
    """True for a squash, by its name, beside the records of its first and last migration.

    Django records what a squash replaces together with it, so these rows say what ran; they are judged themselves.
    """
    first, squashed, last = record.name.rpartition("_squashed_")
    others = [other.name for other in records if other.app == record.app and "_squashed_" not in other.name]
    return bool(squashed) and all(
        any(name == end or name.startswith(f"{end}_") for name in others) for end in (first, last)
    )


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
    for record in records:
        if record.key in stated and record.key in history.migrations and record.app in scope:
            yield Finding(
                "leftover-on-disk",
                Severity.ERROR,
                f"{record.key} is recorded and listed in `leftovers`, but a file has this name now.",
                "If the row is the leftover, Django takes the file for applied and never runs it.",
                "Give the file another name. If the row is this file's, take it out of `leftovers` in pyproject.toml.",
                app=record.app,
                name=record.name,
            )


def _perhaps_ran(records: Sequence[Record], files: Sequence[Key], seen: Mapping[Key, str]) -> Finding:
    app, one = records[0].app, len(records) == 1
    olds, news = _named(records), text_list(files, NAMED, last="or")
    are, them, rows, names = ("is", "it", "the row", "name") if one else ("are", "them", "the rows", "names")
    keys = [record.key for record in records]
    where = " ".join(_seen(record, seen) for record in records if record.key in seen)
    return Finding(
        "perhaps-ran",
        Severity.ERROR,
        f"{olds} {are} recorded, but no file, `replaces` or rewrite explains {them}. {news} is not recorded, and may "
        f"be what ran under {'this' if one else 'these'} {names}.",
        f"{where} If so, `migrate` would run it a second time.".lstrip(),
        f"If it is: {_said(app, records, files)}\n"
        f"If not, remove {rows}: {' '.join(f'--prune {key}' for key in keys)}\n{keep_hint(keys)}",
        app=app,
        name=files[0].name if len(files) == 1 else records[0].name,
    )


def _said(app: str, records: Sequence[Record], files: Sequence[Key]) -> str:
    """What to type when a file is what ran; with several files, one example for each of the first."""
    if len(records) == 1:
        return " or ".join(f"--map {records[0].key}={file.name}" for file in files[:NAMED])
    olds = "+".join(record.name for record in records)
    if len(files) == 1:
        return f"--map {app}.OLD={files[0].name}, or if it holds them all: --collapse {files[0]}={olds}"
    return f"for each of them --map {app}.OLD=NEW"


def _on_branch(record: Record, branch: str) -> Finding:
    return Finding(
        "on-another-branch",
        Severity.INFO,
        f"{record.key} is recorded (row {record.id}); its file is on the branch {branch} and never was on this one.",
        "Django ignores it, and migsync leaves it alone.",
        app=record.app,
        name=record.name,
    )


def _of_squash(squash: Key, keys: Sequence[Key]) -> Finding:
    names = text_list([key.name for key in keys], NAMED)
    are = "is" if len(keys) == 1 else "are"
    prunes = " ".join(f"--prune {key}" for key in keys)
    return Finding(
        "squashed-record",
        Severity.INFO,
        f"{squash.app}: {names} {are} recorded without a file. By its name, {squash.name} replaced them.",
        "Django ignores such rows, and migsync leaves them alone.",
        f"To remove them: {prunes}",
        app=squash.app,
        name=squash.name,
    )


def _label_only(record: Record) -> Finding:
    return Finding(
        "squashed-record",
        Severity.INFO,
        f"{record.key} is recorded without a file. By its name it was a squash, and what it replaced is recorded too.",
        "Django passes over such rows; they are left alone.",
        f"To remove it: --prune {record.key}",
        app=record.app,
        name=record.name,
    )


def _unknown(record: Record, seen: Mapping[Key, str]) -> Finding:
    return Finding(
        "unknown-record",
        Severity.WARNING,
        f"{record.key} is recorded (row {record.id}), but no file, `replaces` or rewrite explains it.",
        f"{_seen(record, seen)} Django ignores it, and migsync leaves it alone.".lstrip(),
        f"If it was renamed: --map {record.key}=NEW. If it is a leftover: --prune {record.key}",
        app=record.app,
        name=record.name,
    )


def _seen(record: Record, seen: Mapping[Key, str]) -> str:
    return f"The file of {record.name} was last seen in {seen[record.key]}." if record.key in seen else ""


def _named(records: Sequence[Record]) -> str:
    """The records with the ids of their rows: all, since a record that nothing explains is always named."""
    return text_list(f"{record.key} (row {record.id})" for record in records)


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
                yield _lost(app, old, sorted(names), shared)


def _lost(app: str, old: str, names: Sequence[str], shared: Sequence[str]) -> Finding:
    return Finding(
        "lost-app",
        Severity.ERROR,
        f"{app} has no records here, but {old}, which is not installed, has records of the same names: "
        f"{sample(shared, 1)}.",
        f"If the label of the app was changed from {old} to {app}, `migrate` would run its migrations a second time.",
        f"If it was: migsync rename-app {old} {app} --update-db\nIf not, remove the rows: --prune {old}\n"
        + keep_hint([Key(old, name) for name in names]),
        app=app,
        other=old,
    )
