"""What migsync plans for a life, and whether that is true."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from migsync.decoder import load_toml
from migsync.findings import Severity
from migsync.findings.contents import NOT_RUN
from migsync.history import App, Migration, build_history
from migsync.history.contents import Contents
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.history.parser import read_contents, read_header, source_digest
from migsync.project import Project
from migsync.rewrites import version_index
from migsync.rewrites.clock import Clock
from migsync.rewrites.evidence import discovery
from migsync.rewrites.file_state import FileState
from migsync.rewrites.file_versions import DELETED, FileVersion
from migsync.rewrites.git import GitHistory
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_files import check_rewrite, to_toml
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.version_index import VersionIndex
from migsync.sync import provenance
from migsync.sync import survey as surveys
from migsync.sync.journal.contents import Event, SeenContents, as_document, document_digest, moment_of
from migsync.sync.plan import Plan, TargetRef
from migsync.sync.plan_request import PlanRequest
from migsync.sync.run import Run, RunKind
from migsync.sync.survey import Survey
from migsync.sync.target import Snapshot
from migsync.sync.target_state import TargetState
from migsync.sync.undo import plan_undo
from tests.sync.planner.lives import Database, File, Files, Life, Row, in_order, to_run
from tests.sync.planner.texts import after
from tests.sync.planner.written import Impossible, Tables, Written, code_of

SAID_EDITED = frozenset(["code-edited"])
SAID_TWICE = frozenset(["runs-twice"])
SAID_ORDER = frozenset(["other-order"])
DOUBTS = frozenset(["doubtful-name", "open-position"])


@dataclass(frozen=True)
class Source:
    """Where it may be known from what ran: the guard, of all rows or of some of them, looks around it, and git."""

    name: str
    guarded: float = 0
    git: bool = False
    looks: bool = False


GUARDED, PARTLY, SEEN = Source("guarded", 1), Source("partly", 0.5), Source("seen", looks=True)
GIT, NOTHING = Source("git", git=True), Source("nothing")


# Values of migsync


@lru_cache(maxsize=20_000)
def migration(key: Key, source: bytes) -> Migration:
    path = f"/project/{key.app}/migrations/{key.name}.py"
    header = read_header(source, path)._replace(source=source_digest(source))
    return header.migration(key, path, lambda: source)


@lru_cache(maxsize=20_000)
def document(source: bytes, app: str) -> tuple[str, str]:
    text = as_document(read_contents(source, "", app))
    return document_digest(text), text


def migrations(files: Files) -> list[Migration]:
    return [migration(key, file.source) for key, file in files.items()]


def history_of(life: Life) -> History:
    return build_history(migrations(life.files), [App(app, f"/project/{app}/migrations") for app in life.apps])


def record(row: Row) -> Record:
    return Record(row.id, row.key.app, row.key.name, row.applied)


def seen(row: Row, file: File, event: Event) -> SeenContents:
    digest, text = document(file.source, row.key.app)
    documents = {digest: text}
    source, moment = source_digest(file.source), moment_of(row.applied)
    return SeenContents(row.id, row.key, event, source, digest, lambda: documents, moment)


def noted(database: Database, source: Source, seed: int) -> dict[int, File]:
    """What the database has noted of its rows, by their ids: the guard did, or a look, which may be wrong."""
    rng = random.Random(seed)
    return (
        database.seen if source.looks else {row.id: row.file for row in database.rows if rng.random() < source.guarded}
    )


def known_rows(life: Life, database: Database, source: Source, seed: int) -> list[Row]:
    """The rows of which somebody knows what ran: the guard, looks, or git."""
    files = noted(database, source, seed)
    found = [row for row in database.rows if row.id in files and same_effects(files[row.id], row.file)]
    if source.git:
        found += [row for row in database.rows if row not in found and _git_knows(life, row)]
    return found


def in_git(life: Life, row: Row) -> File | None:
    """What git takes for what ran: the file in the newest commit before it; a server may have lagged behind.

    Nothing where that of today was on disk already: it may be what ran.
    """
    before = [files for at, files in life.commits if at <= row.applied]
    return before[-1].get(row.key) if before and not on_disk(life, row) else None


def on_disk(life: Life, row: Row) -> bool:
    """Whether the file of today was there already, though it is in no commit."""
    file = life.files.get(row.key)
    committed = file and any(row.key in files and files[row.key].source == file.source for _, files in life.commits)
    return file is not None and not committed and life.written[row.key] <= row.applied


def _git_knows(life: Life, row: Row) -> bool:
    file = in_git(life, row)
    return file is not None and same_effects(file, row.file)


class Commits(GitHistory):
    """The commits of a life in place of a repository."""

    def __init__(self, life: Life) -> None:
        super().__init__(())
        self.life = life

    def of(self, app: str) -> tuple[FileState, ...]:
        found: dict[Any, FileState] = {}
        for at, files in reversed(self.life.commits):
            state = {key: file for key, file in files.items() if key.app == app}
            named = {key.name: migration(key, file.source) for key, file in state.items()}
            found.setdefault(tuple(sorted(state.items())), FileState(f"git {at}", named))
        return tuple(found.values())

    def abandoned(self, app: str) -> tuple[FileState, ...]:
        return ()

    def line(self, app: str) -> tuple[frozenset[str], ...]:
        return tuple(state.names for state in self.of(app))

    def elsewhere(self, app: str, names: object) -> dict[str, tuple[str, str]]:
        return {}


class CommittedVersions(VersionIndex):
    """The same, file by file."""

    def __init__(self, life: Life, history: History) -> None:
        super().__init__(history)
        self.life = life
        self.bytes: dict[str, bytes] = {}

    def of(self, key: Key) -> list[FileVersion]:
        found: list[FileVersion] = []
        for at, files in self.life.commits:
            source = files[key].source if key in files else b""
            blob = source_digest(source) if source else DELETED
            self.bytes[blob] = source
            if blob != (found[-1].blob if found else DELETED):
                moment = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp())
                found.append(FileVersion(blob, moment, moment))
        return found

    def open_files(self, app: str) -> dict[str, list[FileVersion]]:
        every = {name: self.of(Key(app, name)) for name in self._history.names(app)}
        return {name: found for name, found in every.items() if not self._is_settled(Key(app, name), found)}

    def _is_settled(self, key: Key, found: list[FileVersion]) -> bool:
        blobs = {each.blob for each in found} - {DELETED}
        return bool(blobs) and all(self.is_today(self._history.migrations[key], blob) for blob in blobs)

    def source(self, app: str, blob: str) -> str:
        return blob

    def contents(self, app: str, blob: str) -> Contents | None:
        return read_contents(self.bytes[blob], "", app)


class InMemory(Survey):
    """A survey of databases that are values."""

    states: Sequence[TargetState] = ()

    def read_targets(self, asked: Sequence[str]) -> list[TargetState]:
        return list(self.states)


def survey(
    life: Life,
    source: Source,
    seed: int,
    rewrites: Rewrites = Rewrites(),  # noqa: B008 (a frozen value)
    applied: Mapping[int, tuple[list[Record], tuple[Run, ...]]] | None = None,
) -> Survey:
    """Plan every database of a life, as the command does. `applied` are rows and journals that are not the life's."""
    history = history_of(life)
    root = Path("/project")
    apps = tuple(history.apps.values())
    project = Project(root, root / "migration_rewrites", apps, {}, root / "cache", static=True)
    found = InMemory(project, history, rewrites)
    states = []
    for number, database in enumerate(life.databases):
        records, runs = (applied or {}).get(number) or ([record(row) for row in database.rows], ())
        ref = TargetRef(f"db{number}", "sqlite", f"database {number}")
        files = noted(database, source, seed + number)
        event = Event.SEEN if source.looks else Event.APPLIED
        events = tuple(seen(row, files[row.id], event) for row in database.rows if row.id in files)
        held = Snapshot(tuple(records), runs, events)
        states.append(TargetState(ref, held, Clock(naive_is_utc=True), target=SimpleNamespace(alias=ref.alias)))  # type: ignore[arg-type]
    found.states = states

    def stat(path: str) -> SimpleNamespace:
        app, _, name = path.removeprefix("/project/").removesuffix(".py").split("/")
        seconds = datetime.fromisoformat(life.written[Key(app, name)]).replace(tzinfo=UTC).timestamp()
        return SimpleNamespace(st_mtime=seconds, st_ctime=seconds)

    def git(_: object) -> GitHistory:
        return Commits(life) if source.git else GitHistory(())

    def versions(history: History, _: object) -> VersionIndex:
        return CommittedVersions(life, history) if source.git else VersionIndex(history)

    with (
        mock.patch.object(discovery, "GitHistory", git),
        mock.patch.object(version_index, "VersionIndex", versions),
        mock.patch.object(provenance, "os", SimpleNamespace(stat=stat)),
    ):
        surveys._plan(found, PlanRequest(), needs_database=True)
    return found


# The truth


@dataclass(frozen=True)
class Violation:
    """`kind` is the invariant and what breaks it."""

    kind: str
    source: str
    text: str


@dataclass
class Future:
    """What becomes of a database when ``migrate`` runs what is left, given what ran."""

    files: Files
    recorded: Sequence[Key]
    ran: Tables
    fails: str = ""
    refuses: bool = False
    twice: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    code: set[str] = field(default_factory=set)
    idle: AbstractSet[object] = frozenset()

    def __post_init__(self) -> None:
        claimed, tables = Tables(), self.ran.copy()
        recorded = set(self.recorded)
        pending = to_run(self.files, recorded)
        if pending is None:
            self.refuses = True
            return
        before = Counter(self.ran.code)
        for key in in_order(self.files):
            claimed.run(self.files[key].operations)
        for key in pending:
            try:
                tables.run(self.files[key].operations)
            except Impossible as error:
                self.fails = f"{key}: {error}"
                return
            self.twice |= {
                code
                for code in code_of(self.files[key].operations)
                if before[code] and tables.code[code] > claimed.code[code]
            }
        # An index is one by its columns, whatever it is called.
        indexes = [value for part, value in tables.parts.items() if part[0] == "index"]
        self.missing = {
            str(part)
            for part, value in claimed.parts.items()
            if tables.parts.get(part) != value and not (part[0] == "index" and value in indexes)
        }
        self.code = set(claimed.code - tables.code)
        self.idle = tables.parts.keys() - claimed.parts.keys()

    @property
    def is_right(self) -> bool:
        return not (self.refuses or self.fails or self.twice or self.missing or self.code)


def believed(rows: Sequence[Row], known: Sequence[Row], names: Mapping[int, Key], files: Files) -> Tables:
    """The tables as far as somebody can know: of rows of which nothing is known, today's file is taken for what ran.

    Today's files may not run in the order of the rows. What cannot run is tried again after what can.
    """
    tables = Tables()
    left = [row.file if row in known else files.get(names.get(row.id, row.key), File(())) for row in rows]
    waiting = [operation for file in left for operation in file.operations]
    while waiting:
        again: list[Written] = []
        for operation in waiting:
            try:
                tables.run([operation])
            except Impossible:
                again.append(operation)
        if len(again) == len(waiting):
            # A column that was altered was there, whatever made it.
            altered = [each for each in again if each.kind == "AlterField"]
            tables.parts |= {("column", each.app, each.table, each.name): each.value for each in altered}
            break
        waiting = again
    return tables


def same_effects(one: File, other: File) -> bool:
    return effects(one.operations) == effects(other.operations)


def effects(operations: Sequence[Written]) -> Counter[Written]:
    return Counter(each.seen for each in operations)


@dataclass
class Judge:
    """One life under one source."""

    life: Life
    source: Source
    seed: int = 0

    @cached_property
    def survey(self) -> Survey:
        return survey(self.life, self.source, self.seed)

    def violations(self) -> Iterator[Violation]:
        try:
            found = self.survey
        except Exception as error:  # whatever it is, no command may end so
            yield self._violation(f"crash {type(error).__name__}", repr(error))
            return
        for number, (database, plan) in enumerate(zip(self.life.databases, found.plans, strict=True)):
            yield from self._plan(number, database, plan)
        yield from self._round_trip(found)

    def _violation(self, kind: str, text: str) -> Violation:
        return Violation(kind, self.source.name, text)

    def _plan(self, number: int, database: Database, plan: Plan) -> Iterator[Violation]:
        files, before = self.life.files, [record(row) for row in database.rows]
        known = known_rows(self.life, database, self.source, self.seed + number)
        rows = before if plan.blocked else after(before, plan)
        names = {row.id or 0: row.key for row in rows}
        recorded = [row.key for row in rows]
        truth = Future(files, recorded, database.tables)
        # Where all that is recorded is there, and the rest will run, the names are right.
        if plan.blocked or not truth.is_right:
            yield from self._pairs(database, plan, known)
        belief = Future(files, recorded, believed(database.rows, known, names, files))
        codes = {finding.code for finding in plan.findings if finding.severity is not Severity.INFO}
        told = sorted(codes)
        # Where what ran was not what was committed, git says something else, and cannot know better.
        unknown = [row for row in database.rows if row not in known]
        misled = self.source.git and any(not on_disk(self.life, row) for row in unknown)
        if self.source.looks:
            misled = any(row.id in database.seen for row in unknown)
        # Today's files, taken for what ran, say nothing of the order in which it did.
        if not plan.blocked and not misled and (known or not database.rows):
            if truth.refuses:
                yield self._violation("I1 migrate refuses", f"{told}")
            # What is only presumed is a warning.
            warned = self.source.looks and codes & (NOT_RUN | SAID_TWICE | SAID_ORDER | {"ran-elsewhere"})
            if truth.fails and belief.fails and not warned:
                said = " though a change is missing" if NOT_RUN & codes else ""
                yield self._violation(f"I1 migrate fails{said}", f"{truth.fails}, and only {told}")
            moved = self.source.looks and "ran-elsewhere" in codes
            if (twice := truth.twice & belief.twice) and not SAID_TWICE & codes and not moved:
                yield self._violation("I1 code twice", f"{twice}, and only {told}")
            # What ran under a record without a file, of which nothing is known, may have been just that.
            guess = any(row not in known and names.get(row.id, row.key) not in files for row in database.rows)
            if (
                (missing := truth.missing & belief.missing)
                and not guess
                and not warned
                and not (NOT_RUN | SAID_ORDER) & codes
            ):
                yield self._violation("I1 never", f"{missing}, and only {told}")
            noted = {finding.code for finding in plan.findings}
            if (code := truth.code & belief.code) and not guess and not moved and not (NOT_RUN | SAID_EDITED) & noted:
                yield self._violation("I1 code never", f"{code}, and only {told}")
        alarms = [finding for finding in plan.findings if finding.code in NOT_RUN | SAID_TWICE | SAID_ORDER]
        if alarms and plan.changes and not plan.blocked and not misled and truth.is_right and belief.is_right:
            yield self._violation(f"I4 after the plan: {alarms[0].code}", f"{[each.found for each in alarms]}")
        fits = all(row.key in files for row in before)
        fits = fits and not misled
        now = [row.key for row in before]
        if fits and (now_right := Future(files, now, database.tables)).is_right:
            here = {row.id or 0: row.key for row in before}
            alarms = [
                finding
                for finding in plan.findings
                if finding.blocks or finding.code in NOT_RUN | SAID_TWICE | SAID_ORDER
            ]
            if now_right.idle:
                # What a recorded file takes away is there: it did not run, although no new file needs that.
                alarms = [finding for finding in alarms if finding.code != "ran-elsewhere"]
            # A database that was behind when files were united may lack what makes no difference to its tables.
            alarms = [finding for finding in alarms if finding.code != "partial-collapse"]
            if len(known) < len(database.rows):
                # A name that was used again is rightly doubted, as long as nobody knows what ran under it.
                alarms = [finding for finding in alarms if finding.code not in DOUBTS]
            if alarms and Future(files, now, believed(database.rows, known, here, files)).is_right:
                yield self._violation(f"I4 {alarms[0].code}", f"{[each.found for each in alarms]}")

    def _pairs(self, database: Database, plan: Plan, known: Sequence[Row]) -> Iterator[Violation]:
        """Each new name belongs to a file whose operations ran under the old ones, or the plan says that they did not.

        A file that was edited is itself still; that it ran as it was before is known only by what the guard wrote. A
        plan that is blocked, because it is known that something else ran, changes nothing.
        """
        if any(finding.blocks and finding.code in NOT_RUN | SAID_TWICE for finding in plan.findings):
            return
        rows = {row.id: row for row in database.rows}
        changed = {change.before.id for change in plan.changes if change.before}
        heirs: dict[tuple[Key, ...], list[Row]] = {}
        for change in plan.changes:
            if change.before is None:
                # Of a file that was split.
                if change.after:
                    heirs.setdefault(self._collapsed(change.after, new=True) or (change.after.key,), [])
                continue
            row = rows[change.before.id or 0]
            news = self._collapsed(change.before) or ((change.after.key,) if change.after else ())
            if news:
                heirs.setdefault(news, []).append(row)
            elif (row.file if row in known else self._taken_for(row)).operations:
                yield self._violation("I2 removal", f"{change}")
        for row in database.rows:
            # A row that keeps its name while others are united with it.
            if row.id not in changed and (news := self._collapsed(record(row))) in heirs:
                heirs[news].append(row)
        told = {Key(finding.app, finding.name) for finding in plan.findings if finding.code in NOT_RUN}
        recorded = {record.key for record in after([record(row) for row in database.rows], plan)}
        claimed = Tables()
        for key in in_order(self.life.files):
            if key in recorded:
                self._pretend(claimed, self.life.files[key])
        for news, olds in heirs.items():
            if not all(key in self.life.files for key in news):
                yield self._violation("I2 pair", f"{news} are no files")
                continue
            files = [self.life.files[key] for key in news]
            file = replace(files[0], operations=tuple(each for one in files for each in one.operations))
            same = len(olds) == 1 and file.identity == olds[0].file.identity and olds[0] not in known
            taken = [row.file if row in known else self._taken_for(row) for row in olds]
            right = same or not told.isdisjoint(news) or self._has_made(database, file, claimed)
            if not right and not any(self._are_one(each, file) for each in ([row.file for row in olds], taken)):
                ran = sum((effects(row.file.operations) for row in olds), Counter[Written]())
                yield self._violation("I2 pair", f"{news} do not have {ran}")

    def _collapsed(self, row: Record, *, new: bool = False) -> tuple[Key, ...]:
        """The new names of the collapse that has an old name, or with `new` a new one."""
        apps = self.survey.proposed.apps if self.survey.proposed else {}
        collapsed = apps[row.app].collapsed if row.app in apps else ()
        found = (news for olds, news in collapsed if row.name in (news if new else olds))
        return tuple(Key(row.app, name) for name in next(found, ()))

    def _taken_for(self, row: Row) -> File:
        """What ran under a row of which nothing is known here, by git or by what another database knows of its name."""
        if self.source.git:
            held = [(at > row.applied, files[row.key]) for at, files in self.life.commits if row.key in files]
            # Else the next one, not committed yet, or one that was deleted.
            found = in_git(self.life, row) or next((file for later, file in held if later), None)
            return found or (held[-1][1] if held else row.file)
        # This database itself comes first: a look may be wrong.
        for database in sorted(self.life.databases, key=lambda database: row not in database.rows):
            files = noted(database, self.source, self.seed + self.life.databases.index(database))
            for each in database.rows:
                if each.key == row.key and each.id in files:
                    return files[each.id]
        return row.file

    def _are_one(self, olds: Sequence[File], new: File) -> bool:
        """Whether a file has the operations of the old ones, or makes what they made together."""
        if sum((effects(file.operations) for file in olds), Counter[Written]()) == effects(new.operations):
            return True
        there, made = Tables(), Tables()
        for file in olds:
            self._pretend(there, file)
        self._pretend(made, new)
        return bool(made.parts) and there.parts == made.parts and not made.code - there.code

    def _pretend(self, tables: Tables, file: File) -> None:
        for operation in file.operations:
            with suppress(Impossible):
                tables.run([operation])

    def _has_made(self, database: Database, file: File, claimed: Tables) -> bool:
        """Whether the database has what the file makes, however it came by it."""
        made = Tables()
        self._pretend(made, file)
        ran = database.tables
        return not (made.code - ran.code) and all(ran.parts.get(part) == claimed.parts.get(part) for part in made.parts)

    def _round_trip(self, found: Survey) -> Iterator[Violation]:
        rewrites = Rewrites()
        if not any(plan.changes and not plan.blocked for plan in found.plans):
            return
        if found.proposed:
            try:
                check_rewrite(found.proposed)
                _, read = Rewrite.stated(load_toml(to_toml(found.proposed)), path="/project/rewrite.toml")
            except ValueError as error:
                yield self._violation("I3 cannot be written", repr(error))
                return
            rewrites = Rewrites((read,))
        applied: dict[int, tuple[list[Record], tuple[Run, ...]]] = {}
        done: dict[int, Run] = {}
        for number, (database, plan) in enumerate(zip(self.life.databases, found.plans, strict=True)):
            before = [record(row) for row in database.rows]
            if plan.blocked or plan.empty:
                applied[number] = before, ()
                continue
            run = Run(
                f"run{number}", 1, RunKind.APPLY, plan.id, "2026-12-01T00:00:00Z", "a", "1",
                passed=plan.passed, returned=plan.returned, changes=plan.changes, digests=plan.digests,
            )  # fmt: skip
            rows = after(before, plan)
            applied[number], done[number] = (rows, (run,)), run
            undo = plan_undo(plan.target, run, rows, (run,), rewrites.ordered)
            if undo.blocked or after(rows, undo) != before:
                yield self._violation("I3 undo", f"{[each.found for each in undo.findings]}")
        if not done:
            return
        try:
            again = survey(self.life, self.source, self.seed, rewrites, applied)
        except Exception as error:
            yield self._violation(f"crash again {type(error).__name__}", repr(error))
            return
        for number in done:
            plan = again.plans[number]
            if plan.blocked or not plan.empty:
                told = [each.found for each in plan.findings if each.blocks]
                yield self._violation("I3 again", f"{plan.changes} {told}")
