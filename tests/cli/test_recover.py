"""`migsync recover`: runs whose end was not seen."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def leave_behind(shop):
    """Leave a run id behind, as a command does that is killed while it applies."""

    def leave(alias, run_id):
        shop.run("recover")
        cache = shop.root / ".cache"
        (pending,) = {path.with_name(f"{path.stem}.pending") for path in cache.iterdir() if path.is_file()}
        pending.mkdir(exist_ok=True)
        (pending / f"{run_id}.json").write_text(json.dumps({"alias": alias, "run": run_id}))

    shop.rewrite().run("plan")
    return leave


def test_nothing_to_recover(shop):
    ended = shop.rewrite().run("recover")
    assert (ended.status, ended.out) == (0, "Nothing to recover: the end of every run is known.\n")


def test_a_run_that_was_committed(shop, leave_behind):
    shop.run("apply", "--noinput")
    run_id = shop.run("log", "--format", "json").json["databases"][0]["runs"][0]["id"]
    leave_behind("default", run_id)
    ended = shop.run("recover")
    assert (ended.status, f"default  run {run_id[:12]} was committed" in ended.out) == (0, True)
    assert shop.run("recover").out.startswith("Nothing to recover")


def test_a_run_that_was_not_committed(shop, leave_behind):
    shop.run("apply", "--noinput")
    leave_behind("default", "f" * 32)
    document = shop.run("recover", "--format", "json").json
    assert document["runs"] == [{"alias": "default", "run": "f" * 32, "state": "not committed"}]


def test_a_database_that_cannot_tell_leaves_it_in_doubt(shop, leave_behind):
    leave_behind("gone", "f" * 32)
    for _ in range(2):
        ended = shop.run("recover")
        assert ended.status == 6
        assert "gone" in ended.err


def test_an_apply_that_ended_leaves_nothing_behind(shop):
    shop.rewrite().run("apply", "--noinput")
    assert [path for path in (shop.root / ".cache").rglob("*.json") if path.parent.name.endswith(".pending")] == []
