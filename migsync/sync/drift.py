"""What ran in a database against what its records claim today: each operation runs exactly once.

A record's name says that something ran under it; what did is known from several sources
(:mod:`migsync.sync.provenance`). Two sets of tables follow: those that what ran has made, and those that the recorded
files would make. Where they differ, one of three things is wrong:

- what ran is the file of another name now, so the record should bear that name (:func:`_moved`);
- a migration that is not recorded would make what is there already (:func:`_twice`);
- a recorded migration has operations that did not run, and never will (:func:`_never`).

Tables are compared, and not operations: people move operations between files, and Django writes one CreateModel for
what took five operations. Code (RunPython, RunSQL) is counted; code that was edited in place has run
(:mod:`migsync.sync.edited_code`). Of a record of which only the name is known, the file of today is taken for what ran.
So it is for rows that a run of migsync changed: a rewrite answers for these, unless it was made of evidence
(:mod:`migsync.sync.followed_rows`). Where several versions of a file may have
run, only what is wrong with each of them is reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import filterfalse

from migsync.findings import Finding
from migsync.findings.contents import (
    NOT_RUN,
    code_edited,
    never_ran,
    other_order,
    ran_elsewhere,
    removed_operation,
    replaced_file,
    runs_twice,
)
from migsync.history.contents import Action, Contents, Operation, PartKind
from migsync.history.graph import History
from migsync.history.migration import Key, Migration
from migsync.history.tables import Difference, TablePart, TableState, part_after, part_before, steps_of, table_of
from migsync.rewrites.record import Record
from migsync.sync.app_tables import AppTables
from migsync.sync.edited_code import claims, code_of, lost, pair_off
from migsync.sync.followed_rows import NONE_FOLLOWED, FollowedRows
from migsync.sync.other_apps import OtherApps
from migsync.sync.provenance import ContentSource, FileContents, Provenance
from migsync.sync.run_order import in_order, ran_early

CODE = frozenset(["RunPython", "RunSQL"])
"""Operations that may have been written to be run again."""


@dataclass(frozen=True)
class _Ran:
    """A record with the version of its file that ran, and the file of its name today, as far as there are any.

    Where `by_name`, nobody knows what ran.
    """

    key: Key
    version: FileContents | None
    file: Migration | None
    by_name: bool
    presumed: bool = False

    @property
    def is_known(self) -> bool:
        """False for a record without a file of which nobody knows what ran."""
        return bool(self.version or self.file)

    @property
    def contents(self) -> Contents:
        """What ran, or is taken for it."""
        return self.version.contents if self.version else self.now

    @property
    def now(self) -> Contents:
        """What the file does today."""
        return self.file.contents if self.file else Contents()

    @property
    def claims(self) -> tuple[Operation, ...]:
        """What the file of today stands for: see :func:`migsync.sync.edited_code.claims`."""
        return claims(self.contents, self.now)

    @property
    def is_edited(self) -> bool:
        """Whether the file does something else to a database than what ran, or is gone."""
        if self.version is None or (self.file and self.version.source == self.file.source):
            return False
        return not self.contents.same_effect(self.now)

    @property
    def is_replaced(self) -> bool:
        """Whether the file makes nothing of what ran, so that it is another migration and not this one, edited.

        Only by the parts of tables: code is edited in place. Nothing is said where only running a file shows what it
        does.
        """
        olds, news = set(_table_parts(self.contents)), set(_table_parts(self.now))
        known = self.contents.comparable and self.now.comparable
        return known and bool(olds and news) and olds.isdisjoint(news)


def find_drift(
    history: History,
    records: Sequence[Record],
    known: Mapping[int, Provenance],
    changed: Iterable[int],
    followed: FollowedRows = NONE_FOLLOWED,
) -> Iterator[Finding]:
    """What is wrong with the operations of the project's own apps in one database.

    `records` are the rows as the plan leaves them, `known` what ran by the id of a row, and `changed` are the ids of
    rows that migsync has changed or will change. For those that are `followed`, what ran counts all the same.
    """
    left_out = frozenset(changed)
    others = {record: each for record, each in known.items() if each.versions and record not in left_out}
    others |= {row: Provenance(known[row].source, (version,)) for row, version in followed.versions.items()}

    removed = {record.id for record in followed.removed}
    certain = {row for row, each in known.items() if each.source is not ContentSource.NAME} - left_out
    certain |= followed.versions.keys()

    def ran(record: Record, number: int = 0) -> _Ran:
        # What a row that goes stood for is claimed by another one.
        file = None if record.id in removed else history.migrations.get(record.key)
        found = None if file and file.problems else others.get(record.id or 0)
        if found is None:
            return _Ran(record.key, None, file, record.id not in certain)
        version = found.versions[min(number, len(found.versions) - 1)]
        return _Ran(record.key, version, file, record.id not in certain, found.source is ContentSource.SEEN)

    # Of most files it is known that the one of today ran. Only the apps of the others are looked at.
    edited = {record.app for record in records if record.id in others}
    for app in sorted(edited & history.first_party):
        mine = [each for each in (*records, *followed.removed) if each.app == app]
        mine.sort(key=lambda record: record.id or 0)
        most = max(len(others[each.id or 0].versions) if each.id in others else 1 for each in mine)
        beside = OtherApps([record for record in records if record.app != app], lambda record: ran(record).contents)
        yield from _in_all(
            [list(_of_app(history, app, [ran(each, turn) for each in mine], beside)) for turn in range(most)]
        )


def _in_all(several: Sequence[Sequence[Finding]]) -> Iterator[Finding]:
    """The findings of the first that all others have as well, which may say otherwise what did not run."""
    first, *others = [[(_kind(finding), finding) for finding in found] for found in several]
    for kind, finding in first:
        if all(any(kind == each for each, _ in found) for found in others):
            yield finding


def _kind(finding: Finding) -> tuple[str, str]:
    return "" if finding.code in NOT_RUN else finding.code, finding.name


def _of_app(history: History, app: str, ran: Sequence[_Ran], beside: OtherApps) -> Iterator[Finding]:
    edited = {each.key: each for each in ran if each.is_edited}
    # Where every file fits, the order in which they ran may not.
    ahead = {} if edited else ran_early(history, [each.key for each in ran if not each.by_name])
    if not edited and not ahead:
        return
    order = in_order([each.contents for each in ran], [not each.by_name for each in ran])
    ran = [ran[place] for place in order]
    unknown = not all(each.is_known for each in ran)
    recorded = {each.key: each for each in ran if each.file}
    tables = _tables(history, app, ran, recorded)
    if not edited:
        if not unknown:
            yield from _reordered(
                app, ran, ahead, tables, [each for each in tables.lacking() if not beside.have(each.table)]
            )
        return
    presumed = any(each.presumed for each in edited.values())
    found = list(_twice(tables, presumed=presumed))
    in_place: tuple[str, ...] = ()
    # A list of operations that only running the file shows may have made anything, and so may a file that is gone.
    if not unknown and not any(lost(each.contents) - lost(each.now) for each in edited.values()):
        code, in_place = _code(edited.values(), tables)
        lacking = [each for each in tables.lacking() if not beside.have(each.table)]
        found += _never(edited, tables, code, lacking)
    # Wrong names are the cause of what was found then. Where nothing was found, all that moved ran and is recorded.
    moved = _moved(history, app, set(recorded), edited) if found else {}
    if moved:
        # Another file took the name of what ran. As long as it has it, nobody can say what became of that.
        taken = tuple(key.name for key in moved if key not in moved.values())
        names = {old.name: new.name for old, new in moved.items()}
        yield ran_elsewhere(app=app, moved=names, taken=taken, presumed=presumed)
    else:
        yield from found
        if in_place:
            yield code_edited(app=app, names=in_place)


def _tables(history: History, app: str, ran: Iterable[_Ran], recorded: Mapping[Key, _Ran]) -> AppTables:
    order = [Key(app, name) for name in history.names(app)]
    pending = [history.migrations[key] for key in order if key not in recorded]
    tables = AppTables(app, TableState(), TableState(), pending)
    for each in ran:
        # What is made already was not made by a file of which only the name is known.
        operations = each.contents.operations
        tables.there.run(filterfalse(tables.is_made, operations) if each.by_name else operations)
    for key in order:
        if key in recorded:
            tables.claimed.run(recorded[key].claims)
    return tables


def _reordered(
    app: str, ran: Iterable[_Ran], ahead: Mapping[Key, Key], tables: AppTables, lacking: Sequence[Difference]
) -> Iterator[Finding]:
    """What the order of today's files makes otherwise than the order in which they ran."""
    wrong = [each for each in lacking if not tables.is_changed_later(each.place)]
    missing = list(dict.fromkeys(each.place for each in wrong if each.missing))
    changed = dict.fromkeys(each.place for each in wrong if each.place not in missing)
    if wrong:
        yield other_order(
            app=app,
            ahead={one.name: other.name for one, other in ahead.items()},
            parts=tuple(str(place) for place in missing if not _is_within(place, missing)),
            changed=tuple(map(str, changed)),
            stops=tables.stopped if missing else None,
            needed=not tables.needed_at_last(wrong).isdisjoint((*missing, *changed)),
            presumed=any(each.presumed for each in ran),
        )


def _moved(history: History, app: str, recorded: set[Key], edited: Mapping[Key, _Ran]) -> dict[Key, Key]:
    """Records whose operations are the file of another name now, with that name."""
    bearers: dict[str, list[Key]] = {}
    for name in history.names(app):
        key = Key(app, name)
        if effect := history.migrations[key].contents.effect:
            bearers.setdefault(effect, []).append(key)
    found = {}
    for key, each in edited.items():
        if each.file is None:
            continue  # its name is wrong anyway
        heirs = bearers.get(each.contents.effect, ())
        # The other name must be free, or its own record must have run something else.
        if len(heirs) == 1 and heirs[0] != key and (heirs[0] not in recorded or heirs[0] in edited):
            found[key] = heirs[0]
    # Two records cannot have become one file, unless it has the operations twice.
    counts = Counter(found.values())
    return {old: new for old, new in found.items() if counts[new] == 1}


def _twice(tables: AppTables, *, presumed: bool) -> Iterator[Finding]:
    """Migrations that would make, or take away, what was made or taken away already by what no recorded file claims."""
    tables = tables.copy()
    there, claimed = tables.there, tables.claimed
    for migration in tables.unreplaced:
        again: list[tuple[str, str]] = []
        for operation in migration.contents.operations:
            for step in operation.steps if operation.comparable and not operation.state_only else ():
                place = part_before(step)
                made = tables.makes_again(operation, place)
                if made and not (again and operation.kind == "CreateModel" and step.part is not PartKind.MODEL):
                    again.append((operation.kind, str(place)))
                if tables.is_missing(place) and there.taken[step] > claimed.taken[step]:
                    again.append((operation.kind, str(place)))
                if step.action is Action.RUN and there.code[step.value] > claimed.code[step.value]:
                    again.append((operation.kind, ""))
            tables.run([operation])
        if again:
            yield runs_twice(
                migration=migration.key,
                operations=tuple(f"{kind} {place}".rstrip() for kind, place in again),
                file=migration.path,
                only_code=all(kind in CODE for kind, _ in again),
                presumed=presumed,
            )


def _code(edited: Iterable[_Ran], tables: AppTables) -> tuple[Counter[str], tuple[str, ...]]:
    """The code in recorded files that did not run in any form, and the migrations whose code was edited in place."""
    ran, claimed = tables.there.code, tables.claimed.code
    # What moved to a migration that is still to run was not edited.
    moved = Counter(value for migration in tables.pending for value in code_of(migration.contents))
    idle, missing = ran - claimed - moved, claimed - ran
    return missing, tuple(each.key.name for each in edited if pair_off(each.contents, each.now, idle, missing))


def _never(
    edited: Mapping[Key, _Ran], tables: AppTables, code: Counter[str], lacking: Sequence[Difference]
) -> Iterator[Finding]:
    """Recorded migrations whose files would have made other tables than what ran, and nothing else makes up for it."""
    stopped, needed = tables.stopped, tables.needed_at_last(lacking)
    absent = {each.place for each in lacking if each.missing}
    wrong = [place for place in dict.fromkeys(each.place for each in lacking) if not tables.is_changed_later(place)]
    newest = list(edited.values())[::-1]
    for each, places, taken_out in _attributed(newest, wrong):
        ran_not = list(_code_left(each.now, code))
        missing = [place for place in places if place in absent]
        parts = (*(str(place) for place in missing if not _is_within(place, missing)), *ran_not)
        changed = tuple(str(place) for place in places if place not in absent)
        if not (parts or changed):
            continue
        file, stops = each.file.path if each.file else "", stopped if missing else None
        if parts and not changed and each.is_replaced:
            yield replaced_file(migration=each.key, parts=parts, file=file, stops=stops, presumed=each.presumed)
            continue
        found = (removed_operation if taken_out and not ran_not else never_ran)(
            migration=each.key,
            parts=parts,
            changed=changed,
            file=file,
            stops=stops,
            needed=not needed.isdisjoint(places),
            presumed=each.presumed,
        )
        yield found if each.file else found.with_facts(deleted=True)


def _attributed(newest: Sequence[_Ran], wrong: Sequence[TablePart]) -> Iterator[tuple[_Ran, Sequence[TablePart], bool]]:
    """Each edited file with the parts that are wrong by it, and whether that is by what was taken out of it.

    What was taken out may have removed a part, or a whole table, or changed it. All of a file is that is gone.
    """
    today = [{part_after(step) for step in steps_of(each.now)} for each in newest]
    oldest = next((each for each in newest[::-1] if each.file), newest[-1])
    left = list(wrong)
    for each, places in zip(newest, today, strict=True):
        ran = set(map(part_before, steps_of(each.contents)))
        mine = [place for place in left if place in places]
        undone = [place for place in left if {place, table_of(place)} & ran and not any(place in one for one in today)]
        left = [place for place in left if place not in (*mine, *undone)]
        if each is oldest:
            # A migration that is as it was has renamed them since: the parts, or their table.
            mine, left = [*mine, *left], []
        yield each, (*mine, *undone), each.file is None or (bool(undone) and not mine)


def _code_left(contents: Contents, code: Counter[str]) -> Iterator[str]:
    """The kinds of the operations that run code which is counted in `code`; they are taken off it."""
    for operation in contents.operations:
        for step in operation.steps if operation.comparable and not operation.state_only else ():
            if step.action is Action.RUN and code[step.value] > 0:
                code[step.value] -= 1
                yield operation.kind


def _table_parts(contents: Contents) -> Iterator[TablePart]:
    return (part_before(step) for step in steps_of(contents) if step.part is not PartKind.CODE)


def _is_within(place: TablePart, places: Iterable[TablePart]) -> bool:
    """True for a part of a table that is among `places` as a whole."""
    return place.part is not PartKind.MODEL and table_of(place) in places
