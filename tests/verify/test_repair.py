"""``migsync repair``: what it records and what it takes out; on traces alone, and on databases that were damaged."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import click
import pytest

from migsync.cli.results import blocked_error
from migsync.engines.catalog import Part
from migsync.key import Key
from migsync.rewrites.record import Record
from migsync.sync.journal.contents import Event, SeenContents
from migsync.sync.provenance import ContentSource, Provenance
from migsync.verify.composition import judge
from migsync.verify.passing_parts import perhaps_stopped, to_take_back, with_passing
from migsync.verify.repair import KnownRuns, Repair, repair
from migsync.verify.statements import missing_statements
from migsync.verify.verification import SchemaEvidence
from migsync.worker.migration_traces import MigrationTrace, Statement
from tests.conftest import NewDatabase
from tests.pitfalls.project import Project
from tests.profiles import THOROUGH
from tests.sync.planner.texts import history
from tests.verify.test_verify import HEALTHY, execute, make_project, verify

FILES = history(shop="1 2 3 4 5 6 7")
ITEM, NOTE = Part("table", "item", "item"), Part("table", "note", "note")
PRICE, SCRATCH = Part("column", "item", "price"), Part("column", "item", "scratch")
# 4 changes data, 5 removes what 2 has made, 6 is of Django's state alone.
CHANGES: dict[int, dict[Part, str | None]] = {
    1: {ITEM: ""},
    2: {SCRATCH: "integer"},
    3: {PRICE: "integer"},
    4: {},
    5: {SCRATCH: None, NOTE: ""},
    6: {},
    7: {},
}
CUSTOM = (4, 7)
ALL = {ITEM: "", PRICE: "integer", NOTE: ""}
AFTER_3 = {ITEM: "", SCRATCH: "integer", PRICE: "integer"}


def keys(names: Iterable[object]) -> list[Key]:
    return [Key("shop", str(name)) for name in names]


def evidence(
    recorded: Iterable[int], live: Mapping[Part, str], unknown: Mapping[int, str] | None = None
) -> SchemaEvidence:
    rows = tuple(Record(number, "shop", str(number), "2024-01-01 00:00:00") for number in recorded)
    traces = [
        MigrationTrace(
            Key("shop", str(number)), tuple((*part, each) for part, each in changes.items()), number in CUSTOM
        )
        for number, changes in CHANGES.items()
        if number not in (unknown or {})
    ]
    reasons = {Key("shop", str(number)): why for number, why in (unknown or {}).items()}
    state = FILES.state(frozenset(row.key for row in rows))
    return SchemaEvidence(FILES, rows, state, traces, reasons, live, lambda part: False)


def outcome(found: Repair) -> tuple[str, str, str, set[str]]:
    """What is recorded, which of it is inferred, what is taken out; and the codes of errors."""
    said = ("".join(key.name for key in each) for each in (found.record, found.inferred, found.unrecord))
    return (*said, {each.code for each in found.findings if each.blocks})  # type: ignore[return-value]


@pytest.mark.pure
@pytest.mark.parametrize(
    ("recorded", "live", "record", "inferred", "unrecord", "errors"),
    [
        ((1, 2, 3), AFTER_3, "", "", "", set()),
        ((), ALL, "12345", "4", "", {"inferred-records"}),  # all rows lost: 2 shows by what 5 has removed
        ((), AFTER_3, "123", "", "", set()),  # nothing is there that shows if 4 ran
        ((1, 2, 3, 4, 5, 6, 7), ALL, "", "", "", set()),
        ((1, 5, 6, 7), ALL, "234", "4", "", {"inferred-records"}),  # rows lost in the middle
        ((1, 2, 3), ALL, "45", "4", "", {"inferred-records"}),  # faked back
        ((1, 2, 3), {ITEM: "", SCRATCH: "integer"}, "", "", "3", set()),  # faked forward
        ((1, 2, 3, 4), {ITEM: ""}, "", "", "432", {"code-runs-again"}),
        ((1, 2, 3, 4, 5, 6), {}, "", "", "654321", {"code-runs-again"}),  # all faked
        ((1, 2, 3, 4, 5), {ITEM: "", NOTE: ""}, "", "", "", set()),  # a column dropped by hand
        ((1, 2), {ITEM: "", NOTE: "", PRICE: "text"}, "", "", "", {"record-not-closed"}),
        ((1, 2), {ITEM: "", NOTE: ""}, "", "", "", {"record-not-closed"}),
    ],
)
def test_what_the_tables_prove(
    recorded: Collection[int], live: Mapping[Part, str], record: str, inferred: str, unrecord: str, errors: set[str]
) -> None:
    found = repair(evidence(recorded, live))
    assert outcome(found) == (record, inferred, unrecord, errors)
    accepted = repair(evidence(recorded, live), accept=True)
    assert outcome(accepted)[3] == errors - {"inferred-records", "code-runs-again"}
    after = {*keys(recorded), *found.record} - {*found.unrecord}
    if not outcome(accepted)[3]:
        # Whatever it was before, it is closed afterwards, and a second repair has nothing to do.
        assert FILES.state(frozenset(after)).inconsistent == ()
        again = repair(evidence([int(key.name) for key in sorted(after)], live))
        assert (again.record, again.unrecord) == ((), ())


@pytest.mark.pure
def test_what_is_said_of_the_rest() -> None:
    codes = {each.code: each for each in repair(evidence((), ALL), accept=True).findings}
    assert codes["no-trace-pending"].facts["migrations"] == ["shop.6", "shop.7"]
    assert codes["no-trace-pending"].facts["custom"] == ["shop.7"]
    doubt = repair(evidence((1, 2, 3, 4, 5), {ITEM: "", NOTE: ""})).findings
    assert [(each.code, each.name) for each in doubt] == [("record-in-doubt", "3")]
    half = repair(evidence((1, 2, 3, 4), AFTER_3 | {NOTE: ""})).findings
    assert [(each.code, each.name) for each in half] == [("half-applied", "5")]
    [gap] = [each for each in repair(evidence((), ALL, {3: "it needs a role"})).findings if each.blocks]
    assert (gap.code, gap.name, "it needs a role" in gap.found) == ("record-not-closed", "3", True)


INDEX = Part("index", "item", "index1")
TRACES = (MigrationTrace(Key("shop", "1"), ((*ITEM, ""), (*PRICE, "integer"), (*INDEX, "(price)"))),)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("live", "others"),
    [
        ({Part("table", "shop_old", "shop_old"): ""}, ["shop_old"]),  # of files of before a reset
        ({Part("table", "other", "other"): "", Part("column", "other", "price"): "text"}, ["other"]),  # renamed
        ({Part("table", "other", "other"): "", INDEX._replace(table="other"): "(price)"}, ["other"]),
        ({Part("table", "other", "other"): "", Part("index", "other", "(price)"): "1"}, []),
    ],
)
def test_a_table_that_may_have_another_name_keeps_its_records(live: Mapping[Part, str], others: list[str]) -> None:
    """`migrate` would fail: it cannot make the index a second time."""
    found = repair(replace(evidence((1,), live), traces=TRACES))
    if not others:
        assert found.unrecord == tuple(keys([1]))
        return
    assert found.unrecord == ()
    [finding] = found.findings
    assert (finding.code, finding.facts["others"]) == ("record-in-doubt", others)


@pytest.mark.pure
def test_what_ran_is_not_outvoted() -> None:
    faked = evidence((1, 2, 3), {ITEM: "", SCRATCH: "integer"})
    found = repair(faked, KnownRuns({3: Provenance(ContentSource.GUARDED)}))
    assert [each.code for each in found.findings if each.blocks] == ["schema-contradicts-run"]
    unapplied = SeenContents(3, Key("shop", "3"), Event.UNAPPLIED, "", "", dict)
    found = repair(evidence((1, 2), AFTER_3), KnownRuns(seen=[unapplied]))
    assert [each.code for each in found.findings if each.blocks] == ["schema-contradicts-run"]


@pytest.mark.pure
@pytest.mark.parametrize(("command", "leads_to"), [("repair", "repair --dry-run"), ("apply", "plan")])
def test_what_was_found_is_shown_by_a_command_that_finds_it(command: str, leads_to: str) -> None:
    with click.Context(click.Command(command)):
        assert f"migsync {leads_to} --database default" in blocked_error("default", ["x"]).hint


@pytest.fixture
def shop(new_database: NewDatabase, tmp_path: Path) -> Project:
    return make_project(tmp_path, new_database("sqlite"))


def test_a_lost_table(shop: Project) -> None:
    assert shop.manage_all(["migrate"])[0].status == 0
    execute(shop, "DROP TABLE django_migrations")
    told = shop.migsync("repair", "--dry-run", "--format", "json")
    [finding] = told.json["findings"]
    assert (told.status, finding["code"]) == (1, "records-table-missing")
    words = shlex.split(finding["hint"].splitlines()[0])
    assert shop.manage_all(words[words.index("manage.py") + 1 :])[0].status == 0
    assert shop.migsync("repair", "-o", "plan.json", "--accept").status == 0
    assert shop.migsync("apply", "plan.json", "--noinput").status == 0
    # As `migrate` left it: a second one has nothing to run.
    assert "No migrations to apply" in shop.manage_all(["migrate"])[0].out


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE {} AS SELECT * FROM shop_item", "ALTER TABLE shop_item RENAME TO {}"]
)
def test_a_table_that_django_was_building_anew_on_sqlite(shop: Project, statement: str) -> None:
    """As a process leaves it that is killed in a migration that is not atomic."""
    assert shop.manage_all(["migrate"])[0].status == 0
    execute(shop, statement.format("new__shop_item"))
    found = {}
    for command in ("verify", "repair --dry-run"):
        told = shop.migsync(*command.split(), "--format", "json")
        [place] = told.json["databases" if command == "verify" else "plans"]
        [found[command]] = [each for each in place["findings"] if each["code"] == "rebuild-interrupted"]
        assert told.status == 1
    assert found["verify"]["facts"] == found["repair --dry-run"]["facts"]
    for each in found["verify"]["facts"]["statements"]:
        execute(shop, each)
    assert shop.migsync("repair", "--noinput").status == 0
    assert shop.migsync("verify").status == 0


ORDER, LINE, KEY = Part("table", "order", "order"), Part("table", "line", "line"), Part("index", "line", "(item)")
STATEMENTS = (
    Statement("CREATE TABLE order", ((*ORDER, ""), ("column", "order", "id", "integer"))),
    Statement("CREATE TABLE line", ((*LINE, ""), ("column", "line", "item", "integer"))),
    Statement("ALTER TABLE line", (("column", "line", "item", "bigint"),)),
    Statement("INSERT", ()),
    Statement("CREATE INDEX", ((*KEY, "1"),)),
)
HALF = {ORDER: "", Part("column", "order", "id"): "integer"}
WHOLE = HALF | {LINE: "", Part("column", "line", "item"): "bigint", KEY: "1"}


@pytest.mark.pure
@pytest.mark.parametrize(
    ("live", "missing"),
    [
        (HALF, [1, 2, 4]),
        (WHOLE | {Part("column", "line", "item"): "integer"}, [2]),
        ({part: each for part, each in WHOLE.items() if part != KEY}, [4]),
        (WHOLE | {Part("column", "line", "item"): "text"}, [2]),
        ({part: each for part, each in WHOLE.items() if part.kind != "column"}, []),  # nothing that runs as it is
    ],
)
def test_the_statements_that_are_missing(live: Mapping[Part, str], missing: list[int]) -> None:
    trace = MigrationTrace(Key("shop", "1"), tuple(each for statement in STATEMENTS for each in statement.changes))
    [result] = judge(
        [trace._replace(changes=tuple({each[:3]: each for each in trace.changes}.values()))], set(), live
    ).results
    found = missing_statements(STATEMENTS, result.differences, live, {"order", "line"}, {})
    assert found.missing == tuple(STATEMENTS[number].sql for number in missing)


@pytest.mark.pure
def test_a_table_that_is_built_anew_is_not_printed_in_part() -> None:
    new = Part("table", "new__line", "new__line")
    statements = (
        Statement("CREATE TABLE new__line", ((*new, ""),)),
        Statement("DROP TABLE line", ((*LINE, None),)),
        Statement("ALTER TABLE new__line", ((*LINE, ""), (*new, None))),
        Statement("CREATE INDEX", ((*KEY, "1"),)),
    )
    [result] = judge([MigrationTrace(Key("shop", "1"), ((*LINE, ""), (*KEY, "1")))], set(), HALF).results
    assert missing_statements(statements, result.differences, HALF, (), {}).missing == ()


@pytest.mark.pure
@pytest.mark.parametrize(
    ("sql", "changes", "live"),
    [
        ("ALTER TABLE order RENAME TO line", ((*ORDER, None), (*LINE, "")), {}),
        ("ALTER TABLE line RENAME a TO item", (("column", "line", "a", None), ("column", "line", "item", "x")), {}),
        ("ALTER TABLE line ADD FOREIGN KEY (item) REFERENCES item (id)", (("foreign key", "line", "f", "x"),), {}),
        ("ALTER TABLE line ADD item x", (("column", "line", "item", "x"),), {Part("column", "line", "item"): "y"}),
        ("CREATE INDEX i ON line (item)", (("index", "line", "i", "(item)"),), {Part("index", "other", "i"): "(item)"}),
    ],
)
def test_what_cannot_run_is_not_printed(
    sql: str, changes: tuple[tuple[str, str, str, str | None], ...], live: Mapping[Part, str]
) -> None:
    """A table that it names has another name, a column is there otherwise, or an index has the name that it gives."""
    before = {LINE: "", **live} if sql.split()[-1] != "line" else dict(live)
    [result] = judge([MigrationTrace(Key("shop", "1"), changes)], set(), before).results
    statements = (Statement(sql, changes),)
    assert missing_statements(statements, result.differences, before, {"order", "line", "item"}, {}).missing == ()
    there = before.keys() - live.keys() | {Part(*part) for *part, definition in changes if definition is None}
    assert missing_statements(
        statements, result.differences, dict.fromkeys(there, "x"), {"order", "line"}, {}
    ).missing == (sql,)


@pytest.mark.skipif(not THOROUGH, reason="three builds on MariaDB; the rule is tested above")
@pytest.mark.parametrize("way", ["statements", "undo"])
def test_a_migration_that_stopped_half_way(way: str, new_database: NewDatabase, tmp_path: Path) -> None:
    """MariaDB keeps what ran before a process was killed: the rest is printed, or what takes it back."""
    project = make_project(tmp_path, new_database("mysql"))
    project.manage_all(["migrate", "shop", "0004"])
    text = project.manage_all(["sqlmigrate", "shop", "0005"])[0].out
    statements = [line.rstrip(";") for line in text.splitlines() if line and not line.startswith("--")]
    for statement in statements[:2]:
        execute(project, statement)
    told = project.migsync("repair", "--format", "json")
    [finding] = [each for plan in told.json["plans"] for each in plan["findings"]]
    assert (told.status, finding["code"]) == (1, "half-applied")
    assert finding["facts"]["statements"] == statements[2:]
    assert finding["facts"]["undo"] == ["DROP TABLE `shop_order_items` CASCADE", "DROP TABLE `shop_order` CASCADE"]
    assert "2 of its 5 statements ran, the last of them: CREATE TABLE `shop_order_items`" in finding["meaning"]
    for statement in finding["facts"][way]:
        execute(project, statement)
    assert project.migsync("repair", "--noinput").status == 0
    assert project.manage_all(["migrate"])[0].status == 0
    assert verify(project) == (HEALTHY, {})


@pytest.mark.pure
def test_the_statements_that_take_back_what_ran() -> None:
    reversal = (
        Statement("DROP TABLE line", ((*LINE, None), ("column", "line", "item", None), (*KEY, None))),
        Statement("DROP TABLE order", ((*ORDER, None), ("column", "order", "id", None))),
    )
    trace = MigrationTrace(Key("shop", "1"), tuple((*part, definition) for part, definition in WHOLE.items()))
    for live, number in ((HALF, 1), (HALF | {LINE: "", Part("column", "line", "item"): "bigint"}, 0)):
        [result] = judge([trace], set(), live).results
        found = missing_statements(reversal, result.there, live, {"order", "line"}, WHOLE)
        assert found.missing == tuple(each.sql for each in reversal[number:])


@pytest.mark.pure
def test_a_migration_that_stopped_before_it_removed_what_it_makes() -> None:
    """It adds a column and drops the table: afterwards nothing shows the column, but half-way it is there."""
    price = Part("column", "line", "price")
    live = {LINE: "", Part("column", "line", "item"): "bigint", price: "integer"}
    statements = (
        Statement("ADD price", ((*price, "integer"),)),
        Statement("DROP TABLE line", tuple((*part, None) for part in live)),
    )
    reversal = (
        Statement("CREATE TABLE line", tuple((*part, definition) for part, definition in live.items())),
        Statement("DROP price", ((*price, None),)),
    )
    made = {part: each for part, each in live.items() if part != price}
    files = history(shop="1 2 3")
    first, second = Key("shop", "1"), Key("shop", "2")
    rows = (Record(1, "shop", "1", "2024-01-01 00:00:00"),)
    traces = [
        MigrationTrace(first, tuple((*part, each) for part, each in made.items())),
        MigrationTrace(second, tuple((*part, None) for part in made)),
        MigrationTrace(Key("shop", "3"), ((*ORDER, ""),)),
    ]
    found = SchemaEvidence(files, rows, files.state(frozenset({first})), traces, {}, live, lambda part: False)
    assert perhaps_stopped(found) == (second,)
    assert perhaps_stopped(replace(found, live=made)) == ()
    wider = with_passing(found, {second: statements})
    [half] = repair(wider).findings
    assert (half.code, half.name) == ("half-applied", "2")
    result = wider.judge({first}).results[1]
    assert missing_statements(statements, result.differences, live, {"line"}, made).missing == ("DROP TABLE line",)
    assert missing_statements(reversal, to_take_back(result, made), live, {"line"}, {}).missing == ("DROP price",)
