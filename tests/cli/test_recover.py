"""`migsync recover`: runs whose end was not seen."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from migsync.cli.program import run
from migsync.cli.recovery import PendingRuns
from migsync.filesystem.cache_file import cache_file
from migsync.project import find_project
from tests.files.commit.story import Killer, fill, is_new_in, killed, step_of
from tests.profiles import THOROUGH


@pytest.fixture
def leave_behind(shop):
    """Leave a run id behind, as a command does that is killed while it applies."""

    def leave(alias, run_id, **said):
        pending = PendingRuns.beside(cache_file(shop.root, {"MIGSYNC_CACHE": str(shop.root / ".cache")})).directory
        pending.mkdir(parents=True, exist_ok=True)
        (pending / f"{run_id}.json").write_text(json.dumps({"alias": alias, "run": run_id, **said}))

    shop.rewrite().run("plan")
    return leave


def test_nothing_to_recover(shop):
    ended = shop.rewrite().run("recover")
    assert (ended.status, ended.out) == (0, "Nothing to recover: it is known how every run ended.\n")


def test_a_run_that_was_committed(shop, leave_behind):
    shop.run("apply", "--noinput")
    run_id = shop.run("log", "--format", "json").json["databases"][0]["runs"][0]["id"]
    leave_behind("default", run_id)
    ended = shop.run("recover")
    assert (ended.status, f"default  run {run_id[:12]} was committed" in ended.out) == (0, True)
    assert shop.run("recover").out.startswith("Nothing to recover")


def test_a_run_that_was_not_committed(shop, leave_behind):
    shop.run("apply", "--noinput")
    leave_behind("default", "f" * 32, journaled=True)
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


@pytest.mark.parametrize("said", [{}, {"journaled": False}])
def test_a_run_that_may_have_written_no_journal_is_told_of_once(shop, leave_behind, said):
    shop.run("apply", "--noinput")
    leave_behind("default", "f" * 32, **said)
    ended = shop.run("recover")
    assert (ended.status, "either all of its changes were made or none" in ended.out) == (6, True)
    assert shop.run("recover").status == 0


def apply_in_process(root, url, kill_at):
    """The first apply of a database, as the command makes it, killed at one of its steps."""
    PendingRuns.beside(find_project(root=root).cache).add("default", "d" * 32)
    step_of("default", url, "d" * 32, Killer(kill_at).at_step).apply("d" * 32)


def test_kill_9_at_every_step_of_a_first_apply(new_database, tmp_path, monkeypatch, capsys, engine):
    """Cases 61 and 90: "cannot be told, there is no journal" in 18 of 19 tries."""
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    ends = []
    for point in range(0, 100, 1 if THOROUGH else 3):
        database = fill(new_database(engine))
        root = tmp_path / str(point)
        root.mkdir()
        (root / "pyproject.toml").write_text(f'[tool.migsync.databases.default]\nurl = "{database.url}"\n')
        os.environ["MIGSYNC_CACHE"] = str(tmp_path / "cache")
        if not killed(apply_with_cache, tmp_path / "cache", root, database.url, point):
            break
        assert run(["recover", "--root", str(root)]) == 0
        told = capsys.readouterr().out
        ends.append(is_new_in(database))
        assert f"run dddddddddddd was {'' if ends[-1] else 'not '}committed" in told
        assert run(["recover", "--root", str(root)]) == 0
        assert "Nothing to recover" in capsys.readouterr().out
    assert ends == sorted(ends)
    assert ends.count(False) >= 3


def apply_with_cache(cache, root, url, kill_at):
    os.environ["MIGSYNC_CACHE"] = str(cache)  # the server that forks was started before the test
    apply_in_process(root, url, kill_at)


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def engine(request):
    return request.param


EVIL = [
    "[" * 100_000,
    "{}",
    '{"alias": "default", "run": "../../victim"}',
    '{"alias": 1, "run": 2}',
    "\x00",
    "9" * 9999,
]


@pytest.mark.parametrize("how", ["files", "links", "a linked directory"])
def test_pending_runs_that_nobody_made_are_neither_believed_nor_removed(tmp_path, how):
    """Case 83: with MIGSYNC_CACHE inside the project, a clone can bring them along."""
    outside, pending = tmp_path / "outside", PendingRuns(tmp_path / "x.pending")
    outside.mkdir()
    place = outside if how == "a linked directory" else pending.directory
    place.mkdir(exist_ok=True)
    for number, text in enumerate(EVIL):
        name = f"{number}.json" if number % 2 else f"{number:032x}.json"
        if how == "links":
            (outside / name).write_text(text)
            (place / name).symlink_to(outside / name)
        else:
            (place / name).write_text(text)
    if how == "a linked directory":
        (place / f"{'a' * 32}.json").write_text(json.dumps({"alias": "default", "run": "a" * 32}))
        pending.directory.symlink_to(outside)
    (place / "dangling.json").symlink_to("nowhere")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert pending.all() == []
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    with pytest.raises(ValueError, match="not an id"):
        pending.discard("../outside/0")


def test_a_user_without_a_home_keeps_nothing_and_applies_all_the_same(monkeypatch, tmp_path):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    pending = PendingRuns.beside(cache_file(tmp_path, {}))
    pending.add("default", "a" * 32)
    assert (pending.all(), list(tmp_path.iterdir())) == ([], [])
