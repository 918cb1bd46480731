"""Looks: what the files were when ``apply`` looked, by watermarks of ids; a presumption, and never in the way."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from migsync.history import App, Key, Migration, build_history
from migsync.history.contents import Contents
from migsync.history.graph import History
from migsync.rewrites.record import Record
from migsync.sync.apply import apply_plan
from migsync.sync.journal.contents import (
    RAN,
    Event,
    SeenContents,
    last_events,
    moment_of,
    read_contents_seen,
    same_moment,
)
from migsync.sync.journal.looks import FileSet, Look, identity_digest, read_files, read_look
from migsync.sync.journal.schema import VERSIONS, upgrade_journal
from migsync.sync.journal.tables import NEWEST
from migsync.sync.look import continues, next_look, records_since, take_look, unchanged
from migsync.sync.plan import Change
from migsync.sync.run import Run, RunKind
from migsync.sync.target import Snapshot, Target
from tests.databases import Database
from tests.sync.story import filled, processes, story_plan, target_of
from tests.sync.test_journal import schema_of, writing

HERE, ELSEWHERE = "here", "elsewhere"


def record(number: int, name: str, second: int = 0) -> Record:
    return Record(number, "shop", name, f"2026-01-01 10:00:{second or number:02}.{number:06}")


def files(**contents: str) -> FileSet:
    return FileSet({"shop": {name: content for name, content in contents.items() if content}})


def history(**contents: str) -> History:
    """Files of the app shop: what each does is what its digest says."""
    made = []
    above: tuple[Key, ...] = ()
    for name, content in contents.items():
        made.append(Migration(Key("shop", name), dependencies=above, source=content * 64, contents=Contents()))
        above = (Key("shop", name),)
    return build_history(made, [App("shop", "/project/shop")])


def look(rows: Sequence[Record], found: FileSet, identity: str = HERE, last: Look | None = None) -> Look:
    made = next_look(last, rows, found.digest, identity)
    assert made is not None
    return made


class TestWatermark:
    def test_the_first_look_says_nothing_about_the_records_that_are_there(self) -> None:
        held = Snapshot((record(1, "a"), record(2, "b")))
        assert records_since(None, held, HERE) == []
        assert look(held.records, files(a="A", b="B")).record == 2

    def test_a_look_at_the_same_is_none(self) -> None:
        rows, found = (record(1, "a"),), files(a="A")
        first = look(rows, found)
        assert next_look(first, rows, found.digest, HERE) is None
        assert next_look(first, rows, files(a="B").digest, HERE) is not None
        assert next_look(first, (*rows, record(2, "b")), found.digest, HERE) is not None
        assert next_look(first, rows, found.digest, HERE, sources=True) is not None

    def test_what_came_since_is_seen_where_its_file_is_the_same(self) -> None:
        first = look([record(1, "a")], files(a="A", b="B", c="C"))
        newer = records_since(first, Snapshot((record(1, "a"), record(2, "b"), record(5, "c"), record(6, "d"))), HERE)
        assert [row.name for row in newer] == ["b", "c", "d"]
        # c was edited, d is new: what they were meanwhile is not known.
        now = files(a="A", b="B", c="C2", d="D")
        assert [row.name for row in unchanged(newer, files(a="A", b="B", c="C"), now)] == ["b"]

    def test_a_row_that_an_undo_brings_back_is_not_new(self) -> None:
        first = look([record(1, "a"), record(2, "b")], files(a="A"))
        pruned = look([record(1, "a")], files(a="A"), last=first)
        assert (pruned.record, pruned.anchor) == (2, 1)
        assert records_since(pruned, Snapshot((record(1, "a"), record(2, "b"))), HERE) == []

    def test_a_row_that_a_run_made_or_changed_is_left_out(self) -> None:
        first = look([record(1, "a")], files(a="A", b="B"))
        change = Change(None, record(2, "b"))
        run = Run("f" * 32, 1, RunKind.APPLY, "", "", "", "", changes=(change,))
        held = Snapshot((record(1, "a"), record(2, "b"), record(3, "c")), (run,))
        assert [row.name for row in records_since(first, held, HERE)] == ["c"]

    def test_what_the_guard_saw_is_left_alone(self) -> None:
        first = look([record(1, "a")], files(a="A", b="B"))
        rows = (record(1, "a"), record(2, "b"), record(3, "c"))
        for event in (Event.APPLIED, Event.FAKED, Event.REPLACED):
            seen = (SeenContents(2, Key("shop", "b"), event, "", "", dict, "02.000002"),)
            assert [row.name for row in records_since(first, Snapshot(rows, seen=seen), HERE)] == ["c"]


class TestIdentity:
    """A dump may carry the journal beside another ``django_migrations``, or all of it to another server."""

    def test_a_copy_of_the_whole_database_is_the_same_table(self) -> None:
        first = look([record(1, "a")], files(a="A"))
        assert continues(first, [record(1, "a"), record(2, "b")], ELSEWHERE)

    def test_another_table_is_not_believed_even_under_the_same_ids_and_names(self) -> None:
        first = look([record(1, "a")], files(a="A"))
        other = (record(1, "a", second=30), record(2, "b", second=31))
        for identity in (HERE, ELSEWHERE):
            assert not continues(first, other, identity)
            assert records_since(first, Snapshot(other), identity) == []
            # It begins anew: from its own watermark.
            assert look(other, files(a="A"), identity, first).record == 2

    def test_without_the_row_the_target_decides(self) -> None:
        first = look([record(1, "a"), record(9, "b")], files(a="A"))
        assert continues(first, [record(1, "a")], HERE)
        assert not continues(first, [record(1, "a")], ELSEWHERE)
        assert look([record(1, "a")], files(a="A"), ELSEWHERE, first).record == 1

    def test_an_event_is_about_one_row(self) -> None:
        def event(moment: str) -> SeenContents:
            return SeenContents(1, Key("shop", "a"), Event.APPLIED, "", "", dict, moment)

        row = record(1, "a")
        assert last_events([event("01.000001")], [row]).keys() == {1}
        assert last_events([event("01.000001")], [row._replace(name="z")]).keys() == {1}, "a rename keeps the row"
        assert last_events([event("02.000001")], [row]) == {}, "the id was used again"
        # Events of an older migsync have the name alone.
        assert last_events([event("")], [row]).keys() == {1}
        assert last_events([event("")], [row._replace(name="z")]) == {}

    def test_a_proof_stays_one(self) -> None:
        guarded = SeenContents(1, Key("shop", "a"), Event.APPLIED, "", "", dict)
        seen, faked = replace(guarded, event=Event.SEEN), replace(guarded, event=Event.FAKED)
        row = record(1, "a")
        assert last_events([guarded, seen], [row])[1].event is Event.APPLIED
        assert last_events([seen], [row])[1].event is Event.SEEN
        assert last_events([seen, guarded], [row])[1].event is Event.APPLIED
        assert last_events([faked, seen], [row])[1].event is Event.FAKED


@pytest.mark.parametrize(
    ("applied", "moment"),
    [
        ("2026-01-02 10:00:07.123456", "07.123456"),
        ("2026-01-02 10:00:07.5+00", "07.500000"),
        ("2026-01-02T10:00:07+05:30", "07.000000"),
        ("infinity", ""),
        (None, ""),
    ],
)
def test_the_moment_is_the_same_in_every_time_zone(applied: str | None, moment: str) -> None:
    assert moment_of(applied) == moment
    assert same_moment("07.123456", "2026-01-02 13:30:07"), "a column without fractions"
    assert not same_moment("07.123456", "2026-01-02 13:30:08")


names = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("XYZ"))


@given(st.lists(st.tuples(names, st.sets(st.sampled_from("abcdef"))), max_size=6))
def test_what_is_seen_was_the_same_before_and_after(moments: list[tuple[dict[str, str], set[str]]]) -> None:
    """Whatever happens to files and rows: a record is only seen with what its file was at both looks around it."""
    last: Look | None = None
    before = FileSet({})
    rows: list[Record] = []
    for contents, written in moments:
        now = files(**contents)
        fresh = [record(len(rows) + number, name) for number, name in enumerate(sorted(written), 1)]
        rows += fresh
        found = unchanged(records_since(last, Snapshot(tuple(rows)), HERE), before, now)
        expected = {
            row.id for row in fresh if last and now.apps["shop"].get(row.name) == before.apps["shop"].get(row.name)
        }
        assert {row.id for row in found} == {row.id for row in fresh if row.id in expected and row.name in contents}
        last = next_look(last, rows, now.digest, HERE) or last
        before = now


def test_a_set_of_files_is_stored_by_app() -> None:
    one = FileSet.of(history(a="1", b="2"))
    assert one.apps == {"shop": {"a": "1" * 64, "b": "2" * 64}}
    assert list(one.documents)[-1] == one.digest
    two = FileSet({"blog": {"x": "3" * 64}, **one.apps})
    assert one.digest != two.digest
    assert len(two.documents.keys() - one.documents.keys()) == 2, "the document of shop is the same"


def looked(target: Target, found: History) -> bool:
    return take_look(target, found, target.snapshot())


def prepared(database: Database) -> Database:
    """With the journal's tables, as after a first run."""
    filled(database)
    with target_of(database) as target, writing(target) as connection:
        upgrade_journal(connection, schema_of(target))
    return database


def add(database: Database, number: int, name: str) -> None:
    database.insert([(number, "shop", name, f"2026-02-01 10:00:{number:02}.123456")])


def known(target: Target) -> list[tuple[int, str, str]]:
    held = target.snapshot()
    found = [each for each in last_events(held.seen, held.records).values() if each.event in RAN]
    return [(each.record, each.key.name, str(each.event)) for each in found]


def test_looks_around_a_record(database: Database) -> None:
    prepared(database)
    with target_of(database) as target:
        assert looked(target, history(a="1", b="2"))
        assert not looked(target, history(a="1", b="2"))
        add(database, 11, "a")
        add(database, 12, "b")
        add(database, 13, "c")
        assert looked(target, history(a="1", b="3", c="4"))
        assert known(target) == [(11, "a", "seen")]
        assert not looked(target, history(a="1", b="3", c="4"))
        # What was unknown stays so.
        add(database, 14, "d")
        assert looked(target, history(a="5", b="3", c="4"))
        assert known(target) == [(11, "a", "seen")]
        with writing(target) as connection:
            last = read_look(connection, schema_of(target), NEWEST)
            assert last == Look(3, 14, 14, "14.123456", identity_digest(target.ref.identity), last.files, 0)
            assert read_files(connection, schema_of(target), last.files, {"shop", "blog"}).apps == {
                "shop": {"a": "5" * 64, "b": "3" * 64, "c": "4" * 64}
            }
            (seen,) = read_contents_seen(connection, schema_of(target))
        assert (seen.source, seen.contents) == ("1" * 64, Contents())
        assert target.runs() == (), "a look is no run"


def test_no_look_without_its_tables(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        assert not looked(target, history(a="1"))
        assert target.journal_version() == ""
        with writing(target) as connection:
            upgrade_journal(connection, schema_of(target), VERSIONS[:2])
        assert not looked(target, history(a="1"))
        assert target.journal_version() == "0002"
        apply_plan(target, story_plan(target))
        assert looked(target, history(a="1"))


def test_who_looks_second_writes_nothing(database: Database) -> None:
    prepared(database)
    with target_of(database) as target:
        held = target.snapshot()
        assert take_look(target, history(a="1"), held)
        assert not take_look(target, history(a="2"), held)
        assert database.execute("SELECT count(*) FROM migsync_look") == [(1,)]
        assert database.execute("SELECT count(*) FROM migsync_files") == [(2,)]


class Fault(Exception):
    """What a test makes go wrong."""


def test_a_fault_at_any_statement_leaves_nothing_behind(database: Database) -> None:
    prepared(database)
    with target_of(database) as target:
        assert looked(target, history(a="1"))
    add(database, 11, "a")
    tables = ("migsync_look", "migsync_ran", "migsync_files", "migsync_content")
    before = [database.execute(f"SELECT count(*) FROM {table}") for table in tables]
    number = 0
    while True:
        with target_of(database) as target:
            held = target.snapshot()
            number += 1
            left = number

            def fail(*_: object) -> None:
                nonlocal left
                left -= 1
                if not left:
                    raise Fault

            sa.event.listen(target._engine, "before_cursor_execute", fail)
            sa.event.listen(target._engine, "commit", fail)
            try:
                assert take_look(target, history(a="1", b="2"), held)
                break
            except Fault:
                assert [database.execute(f"SELECT count(*) FROM {table}") for table in tables] == before
    assert number > 5
    with target_of(database) as target:
        assert known(target) == [(11, "a", "seen")]


def look_in_process(url: str, barrier: object, results: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    try:
        with target_of(url) as target:
            said = str(looked(target, history(a="1", b="2")))
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    results.put(said)  # type: ignore[attr-defined]


def test_sixteen_look_at_once(database: Database) -> None:
    prepared(database)
    with target_of(database) as target:
        assert looked(target, history(a="1"))
    add(database, 11, "a")
    count = 16
    barrier, results = processes.Barrier(count), processes.Queue()
    children = [processes.Process(target=look_in_process, args=(database.url, barrier, results)) for _ in range(count)]
    for child in children:
        child.start()
    said = sorted(results.get(timeout=60) for _ in children)
    for child in children:
        child.join()
    assert said == ["False"] * (count - 1) + ["True"]
    with target_of(database) as target, closing(target.connect()):
        assert known(target) == [(11, "a", "seen")]
    assert database.execute("SELECT count(*) FROM migsync_ran") == [(1,)]
