"""Which problem is told first, and what it hides."""

from __future__ import annotations

from migsync.doctor.commits import with_commits
from migsync.doctor.order import first_marked, in_order
from migsync.findings import Finding
from migsync.findings.consistency import conflicting_migrations
from migsync.findings.database_objects import apply_first, there_unrecorded
from migsync.findings.examination import records_of_gone_apps, sequence_behind
from migsync.findings.records import lost_app
from migsync.history.graph import build_history
from migsync.key import Key

LEAVES = conflicting_migrations(app="shop", name="0002_b", leaves=["0002_a", "0002_b"], own=True, directory="shop")
NAMES = apply_first(changes=1, apps=["shop"])
TABLE = there_unrecorded(what="table shop_item", migration=Key("shop", "0001_initial"))
SEQUENCE = sequence_behind(statement="SELECT 1")
NOTE = records_of_gone_apps(apps=["cart"], records=1)


def marked(*findings: Finding, others: tuple[Finding, ...] = ()) -> list[tuple[str, object]]:
    return [(each.code, each.facts.get("hides")) for each in first_marked(in_order(findings), others)]


def test_what_migrate_meets_first_comes_first() -> None:
    found = in_order([NOTE, SEQUENCE, TABLE, NAMES, LEAVES])
    assert [each.code for each in found] == [each.code for each in (LEAVES, NAMES, TABLE, SEQUENCE, NOTE)]


def test_the_first_one_says_what_it_hides() -> None:
    assert marked(TABLE, LEAVES, NOTE) == [(LEAVES.code, [TABLE.code]), (TABLE.code, None), (NOTE.code, None)]
    assert "Mend this first: `migrate` stops here" in first_marked(in_order([TABLE, LEAVES]))[0].meaning


def test_the_files_hide_what_databases_have() -> None:
    assert marked(LEAVES, others=(TABLE,)) == [(LEAVES.code, [TABLE.code])]
    assert marked(TABLE, SEQUENCE, others=(LEAVES,)) == [(TABLE.code, None), (SEQUENCE.code, None)]


def test_nothing_is_hidden() -> None:
    assert marked(NAMES, SEQUENCE) == [(NAMES.code, None), (SEQUENCE.code, None)]
    assert marked(TABLE, TABLE, NOTE) == [(TABLE.code, None), (TABLE.code, None), (NOTE.code, None)]
    assert marked(NOTE, others=(TABLE,)) == [(NOTE.code, None)]
    assert marked() == []


def test_a_problem_about_an_app_names_no_commit() -> None:
    found = lost_app(app="store", other="shop", shared=["0001_initial"], names=["0001_initial"])
    assert with_commits(build_history([], complete=False), [found]) == (found,)
