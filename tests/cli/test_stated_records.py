"""``--record`` and ``--unrecord``: one row on a person's word, with a reason, never against evidence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migsync.history import App, Migration, build_history
from migsync.history.contents import Contents
from migsync.history.migration import Key
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.journal.contents import Event, SeenContents
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.provenance import ContentSource, Provenance
from migsync.sync.stated_records import StatedRecords, with_unapplied
from tests.cli.entries import names, record
from tests.cli.shop import Shop
from tests.cli.test_looks import made
from tests.databases import Database
from tests.sync.planner.texts import REF, history, migrations
from tests.sync.scripts.clients import run

FILES = ("0001_initial", "0002_price", "0003_sku")
WORD = ("--reason", "T-1: the tables are there")


@pytest.fixture
def behind(tmp_path: Path) -> Shop:
    """Three files in a chain, of which one is recorded."""
    return Shop(tmp_path).write("default", names=FILES).record("default", FILES[:1])


def test_a_record_on_a_persons_word_and_back(behind: Shop) -> None:
    before = behind.rows("default")
    planned = behind.run("plan", "--record", "shop.0002_price")
    assert planned.status == 0
    assert "the time of the run" in planned.out
    begun = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    assert behind.run("apply", "--record", "shop.0002_price", "--noinput", *WORD).status == 0
    ids, added = behind.rows("default")
    assert ids == before[0]
    applied = datetime.fromisoformat(added[3])
    assert (added[1:3], begun <= applied <= begun + timedelta(minutes=5)) == (("shop", "0002_price"), True)
    assert WORD[1] in behind.run("log").out
    undone = behind.run("undo", "--noinput")
    assert undone.status == 0
    assert "Change the files back" not in undone.out, "no file has changed"
    assert behind.rows("default") == before


def test_an_undo_keeps_what_later_records_depend_on(behind: Shop) -> None:
    """Without it, the undo would end in an InconsistentMigrationHistory."""
    assert behind.run("apply", "--record", "shop.0002_price", "--noinput", *WORD).status == 0
    recorded = behind.rows("default")
    behind.execute("default", "INSERT INTO django_migrations VALUES (9, 'shop', '0003_sku', '2026-01-01 10:00:00')")
    undone = behind.run("undo", "--noinput")
    assert undone.status == 1
    assert "shop.0003_sku depends on shop.0002_price" in undone.out
    assert "python manage.py migrate shop 0002_price" in undone.out
    behind.execute("default", "DELETE FROM django_migrations WHERE name = '0003_sku'")
    assert behind.rows("default") == recorded
    assert behind.run("undo", "--noinput").status == 0
    assert behind.names("default") == FILES[:1]


def test_a_record_is_taken_out_and_back(tmp_path: Path) -> None:
    shop = Shop(tmp_path).write("default", names=FILES).record("default", FILES)
    before = shop.rows("default")
    assert shop.run("apply", "--unrecord", "shop.0003_sku", "--noinput", *WORD).status == 0
    assert shop.names("default") == FILES[:2]
    assert shop.run("undo", "--noinput").status == 0
    assert shop.rows("default") == before


def test_a_reason_is_asked_for(behind: Shop) -> None:
    for command in (("apply", "--noinput"), ("script", "--out", "sql")):
        told = behind.run(*command, "--record", "shop.0002_price")
        assert told.status == 64
        assert "need a reason" in told.err
        assert "--record shop.0002_price" in told.err
        assert "--reason" in told.err
    assert not (behind.root / "sql").exists()
    assert behind.names("default") == FILES[:1]


def test_a_person_at_a_terminal_is_asked_for_it(behind: Shop) -> None:
    ended = behind.at_terminal("apply", "--record", "shop.0002_price", answers=("the tables are there\n", "y\n"))
    assert ended.status == 0, ended.out
    assert "the tables are there" in behind.run("log").out


def test_what_depends_on_it_or_it_on(behind: Shop) -> None:
    told = behind.run("plan", "--record", "shop.0003_sku")
    assert told.status == 1
    assert "it depends on shop.0002_price, which is not recorded" in told.out
    command = "migsync plan --record shop.0002_price --record shop.0003_sku"
    assert command in told.out
    assert behind.run(*command.split()[1:], "--check").status == 2
    assert behind.run("apply", *command.split()[2:], "--noinput", *WORD).status == 0
    assert behind.names("default") == FILES
    told = behind.run("plan", "--unrecord", "shop.0001_initial")
    assert told.status == 1
    command = "migsync plan --unrecord shop.0003_sku --unrecord shop.0002_price --unrecord shop.0001_initial"
    assert command in told.out.replace("\n", " ")
    assert behind.run(*command.split()[1:], "--check").status == 2


def test_a_migration_that_is_missing_in_the_middle_can_be_recorded(tmp_path: Path) -> None:
    """InconsistentMigrationHistory, where what the missing one does is there: the command that is printed works."""
    shop = Shop(tmp_path).write("default", names=FILES).record("default", (FILES[0], FILES[2]))
    planned = shop.run("plan")
    assert planned.status == 1
    command = "migsync plan --record shop.0002_price"
    assert command in planned.out
    assert shop.run(*command.split()[1:], "--check").status == 2
    assert shop.run("apply", *command.split()[2:], "--noinput", *WORD).status == 0
    assert shop.run("plan").status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--record shop.0002_prise", "Did you mean 0002_price?"),
        ("--unrecord shop.0002_prise", "migsync plan --prune shop.0002_prise"),
        ("--record shpo.0002_price", "shpo is not an app of this project"),
        ("--record shop", "Write it as APP.NAME"),
        ("--record auth.0001_initial", "auth"),
        ("--record shop.0002_price --unrecord shop.0002_price", "at once"),
    ],
)
def test_names_are_checked(behind: Shop, words: str, said: str) -> None:
    told = behind.run("plan", *words.split())
    assert told.status == 64
    assert said in told.err


def test_nothing_to_record_is_no_error(behind: Shop) -> None:
    told = behind.run("plan", "--record", "shop.0001_initial", "--unrecord", "shop.0003_sku", "--format", "json")
    assert told.status == 0
    assert [one["code"] for one in told.json["plans"][0]["findings"]] == ["nothing-to-record"] * 2


def test_a_saved_plan_keeps_the_word_and_is_applied_once(behind: Shop) -> None:
    file = str(behind.root / "plan.json")
    assert behind.run("plan", "--record", "shop.0002_price", "-o", file).status == 0
    saved = json.loads(Path(file).read_text())
    assert saved["plans"][0]["changes"][0]["after"]["applied"] is None
    assert behind.run("apply", file, "--noinput").status == 64
    assert behind.run("apply", file, "--noinput", *WORD).status == 0
    after = behind.rows("default")
    again = behind.run("apply", file, "--noinput", *WORD)
    assert (again.status, behind.rows("default")) == (0, after), again.err
    assert "already applied" in again.out.lower()


def test_on_every_engine_and_as_a_script(tmp_path: Path, database: Database) -> None:
    project = made(tmp_path, record(database, ("0001_initial",)))
    before = database.dump()
    assert project.run("apply", "--record", "shop.0002_price", "--noinput", *WORD).status == 0
    assert names(database)[-1] == "0002_price"
    assert project.run("undo", "--noinput").status == 0
    assert database.dump() == before
    folder = tmp_path / "sql"
    assert project.run("script", "--record", "shop.0002_price", "--out", str(folder), *WORD).status == 0
    apply, undo = ((folder / f"default.{what}.sql").read_text() for what in ("apply", "undo"))
    assert "migsync: applied, 1 row" in (said := run(database, apply)).text, said.text
    assert "migsync: already applied" in run(database, apply).text
    assert WORD[1] in project.run("log").out
    assert "migsync: undone, 1 row" in run(database, undo).text
    assert database.dump() == before


DISK = history(shop="a b c")
ROWS = [Record(1, "shop", "a", "2026-01-01 10:00:00"), Record(2, "shop", "b", "2026-01-02 10:00:00")]


def planned(ran: Provenance | None = None, *, against: bool = False, **asked: tuple[Key, ...]) -> Plan:
    options = PlanOptions(stated=StatedRecords(**asked), against_evidence=against)
    return make_plan(DISK, Rewrites(()), ROWS, REF, ran={2: ran} if ran else {}, options=options)


@pytest.mark.pure
@pytest.mark.parametrize("source", [ContentSource.GUARDED, ContentSource.STATED])
def test_what_ran_is_not_unrecorded_without_a_word(source: ContentSource) -> None:
    plan = planned(Provenance(source), unrecord=(Key("shop", "b"),))
    assert ([one.code for one in plan.findings], plan.blocked, plan.changes) == (["evidence-against-record"], True, ())
    plan = planned(Provenance(source), unrecord=(Key("shop", "b"),), against=True)
    assert (plan.blocked, [change.cause for change in plan.changes]) == (False, ["unrecord"])
    for weak in (Provenance(ContentSource.GIT), Provenance(ContentSource.GUARDED, unapplied=True), None):
        plan = planned(weak, unrecord=(Key("shop", "b"),))
        assert "evidence-against-record" not in [one.code for one in plan.findings]


@pytest.mark.pure
def test_a_squash_goes_with_what_it_replaces() -> None:
    squash, first, second = (Key("shop", name) for name in ("0001_ab", "0001_a", "0002_b"))
    files = [*migrations("shop", "0001_a 0002_b").values(), Migration(squash, replaces=(first, second))]
    disk = build_history(files, [App("shop", "/project/shop")])
    options = PlanOptions(stated=StatedRecords(record=(squash,)))
    plan = make_plan(disk, Rewrites(()), (), REF, options=options)
    recorded = [change.after for change in plan.changes if change.after]
    assert sorted(row.key for row in recorded) == sorted([first, second, squash])
    rows = [row._replace(id=number, applied="2026-01-01 10:00:00") for number, row in enumerate(recorded, start=1)]
    options = PlanOptions(stated=StatedRecords(unrecord=(squash,)))
    plan = make_plan(disk, Rewrites(()), rows, REF, options=options)
    assert (len(plan.changes), plan.blocked) == (3, False)


@pytest.mark.pure
def test_what_was_unapplied_is_not_recorded_without_a_word() -> None:
    plan = planned(record=(Key("shop", "c"),))
    seen = [SeenContents(3, Key("shop", "c"), event, "", "", Contents) for event in (Event.APPLIED, Event.UNAPPLIED)]
    assert with_unapplied(seen[:1], plan, stated=False) == plan
    assert with_unapplied(seen, plan, stated=False).blocked
    assert not with_unapplied(seen, plan, stated=True).blocked
    assert not with_unapplied([*seen, seen[0]], plan, stated=False).blocked
