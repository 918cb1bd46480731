"""Several migrations that become one, or others: files, dependants, and the rewrite."""

from __future__ import annotations

from pathlib import Path

from migsync.history import Key
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_files import to_toml
from tests.files.proposals import Project, carry_out

SQUASH = b"""\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_a")]
    operations = [migrations.RunSQL("")]
"""


def shop(root: Path) -> Project:
    project = Project(root)
    project.add("shop.0001_a")
    project.add("shop.0002_b", "shop.0001_a")
    project.add("shop.0003_c", "shop.0002_b")
    project.add("shop.0004_d", "shop.0003_c")
    project.add("blog.0001_x", "shop.0002_b")
    project.add("blog.0002_y", run_before=["shop.0003_c"])
    return project


def collapse(*names: str, to: str) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    return tuple(Key("shop", name) for name in names), (Key("shop", to),)


def test_a_squash_takes_the_place_of_what_it_replaces(tmp_path: Path) -> None:
    project = shop(tmp_path)
    (tmp_path / "shop/migrations/max_migration.txt").write_text("0004_d\n")
    new = Key("shop", "0002_squashed_0004_d")
    proposal = project.propose(
        created={new: SQUASH}, collapsed=(collapse("0002_b", "0003_c", "0004_d", to="0002_squashed_0004_d"),)
    )
    assert not proposal.findings
    assert project.changed(proposal)["shop/migrations/0003_c.py"] is None
    assert proposal.rewrite is not None
    change = proposal.rewrite.apps["shop"]
    assert change.before == ("0001_a", "0002_b", "0003_c", "0004_d")
    assert change.after == ("0001_a", "0002_squashed_0004_d")
    assert change.collapsed == ((("0002_b", "0003_c", "0004_d"), ("0002_squashed_0004_d",)),)
    assert set(change.digests_after) == set(change.after)
    assert to_toml(proposal.rewrite)
    carry_out(proposal)
    after = project.read()
    assert not after.findings
    assert after.migrations[Key("blog", "0001_x")].dependencies == (new,)
    assert after.migrations[Key("blog", "0002_y")].run_before == (new,)
    assert (tmp_path / "shop/migrations/max_migration.txt").read_text() == "0002_squashed_0004_d\n"


def test_what_a_dependant_names_instead_can_be_said(tmp_path: Path) -> None:
    project = shop(tmp_path)
    first, second = Key("shop", "0001_new"), Key("shop", "0002_new")
    content = {first: SQUASH.replace(b'("shop", "0001_a")', b""), second: SQUASH.replace(b"0001_a", b"0001_new")}
    olds = tuple(Key("shop", name) for name in ("0001_a", "0002_b", "0003_c", "0004_d"))
    proposal = project.propose(
        created=content, collapsed=((olds, (first, second)),), successors={Key("shop", "0002_b"): (first,)}
    )
    carry_out(proposal)
    assert project.read().migrations[Key("blog", "0001_x")].dependencies == (first,)
    assert proposal.rewrite is not None
    assert proposal.rewrite.apps["shop"].after == ("0001_new", "0002_new")


def test_a_squash_on_disk_absorbs_what_it_replaced(tmp_path: Path) -> None:
    project = shop(tmp_path)
    squash = Key("shop", "0002_squashed")
    project.add(str(squash), "shop.0001_a", replaces=["shop.0002_b", "shop.0003_c", "shop.0004_d"])
    olds = (*(Key("shop", name) for name in ("0002_b", "0003_c", "0004_d")), squash)
    proposal = project.propose(collapsed=((olds, (squash,)),), settled=frozenset({squash}))
    assert not proposal.findings
    carry_out(proposal)
    after = project.read()
    assert after.names("shop") == ("0001_a", "0002_squashed")
    assert not after.migrations[squash].replaces
    assert after.migrations[Key("blog", "0001_x")].dependencies == (squash,)
    assert proposal.rewrite is not None
    assert proposal.rewrite.apps["shop"].absorbing == {squash.name: ("0002_b", "0003_c", "0004_d")}
    assert proposal.rewrite.apps["shop"] == AppRewrite.from_dict(proposal.rewrite.apps["shop"].as_dict())
    assert Rewrite.from_dict(proposal.rewrite.as_dict()).id == proposal.rewrite.id


def test_a_new_file_writes_over_nothing(tmp_path: Path) -> None:
    project = shop(tmp_path)
    project.write("blog/migrations/0003_z/notes.txt", "")
    taken = project.propose(created={Key("shop", "0004_d"): SQUASH, Key("blog", "0003_z"): SQUASH})
    assert [finding.code for finding in taken.findings] == ["name-twice", "file-there", "file-there"]


def test_a_new_file_goes_into_the_projects_own_apps_only(tmp_path: Path) -> None:
    project = shop(tmp_path)
    project.app("auth", tmp_path / "lib/auth/migrations", first_party=False)
    proposal = project.propose(created={Key("auth", "0001_new"): SQUASH, Key("nowhere", "0001_new"): SQUASH})
    assert [finding.code for finding in proposal.findings] == ["third-party-file", "third-party-file"]


def test_one_migration_can_be_pointed_elsewhere_alone(tmp_path: Path) -> None:
    project = shop(tmp_path)
    squash = Key("shop", "0002_squashed")
    project.add(str(squash), "shop.0001_a", replaces=["shop.0002_b", "shop.0003_c"])
    instead = {Key("shop", name): (squash,) for name in ("0002_b", "0003_c")}
    dependants = [Key("blog", "0001_x"), Key("blog", "0002_y"), Key("shop", "0004_d")]
    proposal = project.propose(redirected=dict.fromkeys(dependants, instead))
    assert proposal.rewrite is None
    carry_out(proposal)
    after = project.read().migrations
    assert after[dependants[0]].dependencies == after[dependants[1]].run_before == (squash,)
    assert after[dependants[2]].dependencies == (squash,)
    assert after[Key("shop", "0003_c")].dependencies == (Key("shop", "0002_b"),)
    assert after[squash].replaces == (Key("shop", "0002_b"), Key("shop", "0003_c"))
