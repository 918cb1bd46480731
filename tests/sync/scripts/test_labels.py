"""A script of a label that changed: the `app` column too, and back, by each engine's own client."""

from __future__ import annotations

from migsync.engines.config import DatabaseConfig
from migsync.history import App, Key, Migration, build_history
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.apply import Status, apply_plan
from migsync.sync.planner import make_plan
from migsync.sync.scripts import apply_script, undo_script
from migsync.sync.target import open_target
from tests.databases import Database
from tests.sync.scripts.cases import SWAP
from tests.sync.scripts.clients import fill, run

NAMES = tuple(sorted(name for _, name in SWAP.rows))


def test_rows_get_the_label_and_it_is_taken_back(database: Database) -> None:
    fill(database, SWAP.records(database.engine))
    before = database.dump()
    made = Rewrite((), "rename-app", "2026-11-20T10:45:00Z", {"store": AppRewrite(NAMES, NAMES, origin="shop")})
    disk = build_history([Migration(Key("store", name)) for name in NAMES], [App("store", "/p/store")])
    with open_target(DatabaseConfig("default", database.url)) as target:
        plan = make_plan(disk, Rewrites((made,)), target.read() or (), target.ref)
        assert "migsync: applied" in run(database, apply_script(plan)).text
        assert [row[1] for row in database.dump()] == ["store", "store", "store", "auth"]
        assert [(row[0], *row[2:]) for row in database.dump()] == [(row[0], *row[2:]) for row in before]
        assert apply_plan(target, plan).status is Status.ALREADY_APPLIED
        assert "migsync: undone" in run(database, undo_script(plan)).text
    assert database.dump() == before
