"""Which files change for a change of names, in which apps, and the rewrite that comes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.history import Key
from tests.files.proposals import CREATED, Project, carry_out, keys


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def forked(project: Project) -> Project:
    """A fork, its merge, what comes after it, and another app that depends on all of that."""
    project.add("shop.0001_initial")
    project.add("shop.0003_a", "shop.0001_initial")
    project.add("shop.0003_b", "shop.0001_initial")
    project.add("shop.0005_merge", "shop.0003_a", "shop.0003_b", operations="")
    project.add("shop.0006_c", "shop.0005_merge")
    project.add("blog.0001_initial", "shop.0005_merge")
    project.add("blog.0002_d", "blog.0001_initial", run_before=["shop.0006_c"])
    return project


LINE = {
    "renamed": keys(shop="0003_a>0002_a 0006_c>0004_c"),
    "removed": {Key("shop", "0005_merge"): (Key("shop", "0003_b"),)},
    "parents": {
        Key("shop", "0003_b"): (Key("shop", "0003_a"),),
        Key("shop", "0006_c"): (Key("shop", "0003_b"),),
    },
    "leaves": {"shop": 1},
}


def test_a_fork_put_in_line(forked: Project) -> None:
    proposal = forked.propose(**LINE)
    assert not proposal.findings
    assert forked.changed(proposal) == {
        "blog/migrations/0001_initial.py": "blog/migrations/0001_initial.py",
        "blog/migrations/0002_d.py": "blog/migrations/0002_d.py",
        "shop/migrations/0003_a.py": "shop/migrations/0002_a.py",
        "shop/migrations/0003_b.py": "shop/migrations/0003_b.py",
        "shop/migrations/0005_merge.py": None,
        "shop/migrations/0006_c.py": "shop/migrations/0004_c.py",
    }
    carry_out(proposal)
    history = forked.read()
    assert not history.findings
    assert history.names("shop") == ("0001_initial", "0002_a", "0003_b", "0004_c")
    assert history.migrations[Key("blog", "0001_initial")].dependencies == (Key("shop", "0003_b"),)
    assert history.migrations[Key("blog", "0002_d")].run_before == (Key("shop", "0004_c"),)
    assert history.leaves("shop") == (Key("shop", "0004_c"),)


def test_the_rewrite(forked: Project) -> None:
    before = forked.read()
    proposal = forked.propose(**LINE)
    assert proposal.rewrite is not None
    assert (proposal.rewrite.command, proposal.rewrite.created, proposal.rewrite.parents) == ("test", CREATED, ())
    assert list(proposal.rewrite.apps) == ["shop"]
    shop = proposal.rewrite.apps["shop"]
    assert shop.before == before.names("shop")
    assert shop.removed == ("0005_merge",)
    assert shop.renamed == (("0003_a", "0002_a"), ("0006_c", "0004_c"))
    assert {name: set(up) for name, up in shop.parents_before.items()} == {
        name: {up.name for up in before.parents(Key("shop", name))} - {"0002_d"} for name in before.names("shop")
    }
    assert shop.digests_before == {name: before.migrations[Key("shop", name)].digest for name in shop.before}
    carry_out(proposal)
    after = forked.read()
    assert shop.after == after.names("shop")
    assert shop.digests_after == {name: after.migrations[Key("shop", name)].digest for name in shop.after}


def test_nothing_wanted(forked: Project) -> None:
    proposal = forked.propose()
    assert (proposal.files, proposal.rewrite, proposal.findings, proposal.blocked) == ((), None, (), False)


def test_only_parents(forked: Project) -> None:
    proposal = forked.propose(parents={Key("shop", "0003_b"): (Key("shop", "0003_a"),)})
    assert list(forked.changed(proposal)) == ["shop/migrations/0003_b.py"]
    assert proposal.rewrite is None


def test_parents_that_are_so_already(forked: Project) -> None:
    assert not forked.propose(parents={Key("shop", "0006_c"): (Key("shop", "0005_merge"),)}).files


def test_dependencies_taken_out(forked: Project) -> None:
    merge = Key("shop", "0005_merge")
    carry_out(forked.propose(dropped={Key("blog", "0001_initial"): frozenset([merge])}))
    assert forked.read().migrations[Key("blog", "0001_initial")].dependencies == ()


def test_swapped_names_and_the_mode_of_files(project: Project) -> None:
    project.add("shop.0001_a").chmod(0o640)
    project.add("shop.0002_b", "shop.0001_a")
    carry_out(project.propose(renamed=keys(shop="0001_a>0002_b 0002_b>0001_a")))
    history = project.read()
    assert history.names("shop") == ("0002_b", "0001_a")
    assert (project.root / "shop/migrations/0002_b.py").stat().st_mode & 0o777 == 0o640


def test_run_before_of_a_merge_becomes_what_came_after_it(project: Project) -> None:
    project.add("shop.0001_a")
    project.add("shop.0001_b")
    project.add("shop.0002_merge", "shop.0001_a", "shop.0001_b", operations="")
    project.add("shop.0003_merge", "shop.0002_merge", "shop.0001_a", operations="")
    project.add("shop.0004_c", "shop.0003_merge")
    project.add("blog.0001_x", run_before=["shop.0002_merge"])
    a, b = Key("shop", "0001_a"), Key("shop", "0001_b")
    removed = {Key("shop", "0002_merge"): (a, b), Key("shop", "0003_merge"): (Key("shop", "0002_merge"), a)}
    carry_out(project.propose(removed=removed, renamed=keys(shop="0004_c>0003_c")))
    history = project.read()
    assert history.migrations[Key("blog", "0001_x")].run_before == (Key("shop", "0003_c"),)
    assert history.migrations[Key("shop", "0003_c")].dependencies == (a, b)


def test_a_squash_in_transition_follows(project: Project) -> None:
    project.add("shop.0001_a")
    project.add("shop.0003_b", "shop.0001_a")
    project.add("shop.0003_c", "shop.0001_a")
    project.add("shop.0004_merge", "shop.0003_b", "shop.0003_c", operations="")
    names = ["shop.0001_a", "shop.0003_b", "shop.0003_c", "shop.0004_merge"]
    project.add("shop.0001_squashed_0004", replaces=names)
    project.add("shop.0005_d", "shop.0004_merge")
    proposal = project.propose(
        renamed=keys(shop="0003_b>0002_b 0005_d>0004_d"),
        removed={Key("shop", "0004_merge"): (Key("shop", "0003_c"),)},
        parents={Key("shop", "0003_c"): (Key("shop", "0003_b"),)},
    )
    carry_out(proposal)
    history = project.read()
    squash = history.migrations[Key("shop", "0001_squashed_0004")]
    assert squash.replaces == (Key("shop", "0001_a"), Key("shop", "0002_b"), Key("shop", "0003_c"))
    assert not history.findings
    assert history.leaves("shop") == (Key("shop", "0004_d"),)


def test_another_label(project: Project) -> None:
    project.add("shop.0001_a")
    project.add("shop.0002_b", "shop.0001_a")
    project.add("blog.0001_x", "shop.0002_b")
    renamed = {Key("shop", name): Key("store", name) for name in ("0001_a", "0002_b")}
    proposal = project.propose(renamed=renamed, labels={"shop": "store"})
    assert proposal.rewrite
    assert [*proposal.rewrite.apps] == ["store"]
    made = proposal.rewrite.apps["store"]
    assert (made.origin, made.before, made.after, made.renamed) == ("shop", ("0001_a", "0002_b"), made.before, ())
    assert list(project.changed(proposal)) == ["blog/migrations/0001_x.py", "shop/migrations/0002_b.py"]
    carry_out(proposal)
    project.apps["store"] = project.apps.pop("shop").__class__("store", str(project.root / "shop/migrations"))
    assert not project.read().findings


@pytest.mark.parametrize("text", ["0006_c\n", "0006_c\r\n", "<<<<<<< a\n0006_c\n=======\n0006_x\n>>>>>>> b\n"])
def test_max_migration_is_kept_in_step(forked: Project, text: str) -> None:
    path = forked.root / "shop/migrations/max_migration.txt"
    path.write_bytes(text.encode())
    (forked.root / "blog/migrations/max_migration.txt").write_text("0002_d\n")
    proposal = forked.propose(**LINE)
    assert {change.old_path for change in proposal.files if change.old_path.suffix == ".txt"} == {path}
    carry_out(proposal)
    assert path.read_bytes() == b"0004_c" + (b"\r\n" if "\r\n" in text else b"\n")


def test_max_migration_that_is_right_stays(forked: Project) -> None:
    (forked.root / "shop/migrations/max_migration.txt").write_text("0006_c")
    proposal = forked.propose(renamed=keys(shop="0003_a>0002_a"))
    assert not any(change.old_path.suffix == ".txt" for change in proposal.files if change.old_path)


def test_a_retired_name_is_followed_where_files_name_it(project: Project) -> None:
    project.add("shop.0001_a")
    project.add("shop.0002_b", "shop.0001_a")
    project.add("blog.0001_x", "shop.0009_old")
    proposal = project.propose(renamed=keys(shop="0009_old>0002_b"))
    assert (proposal.findings, proposal.rewrite) == ((), None)
    carry_out(proposal)
    assert project.read().migrations[Key("blog", "0001_x")].dependencies == (Key("shop", "0002_b"),)
