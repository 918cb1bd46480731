"""What `migsync check` says about a branch, before anything of it reaches a database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.check.branch import ITEM, Branch, field, model

Change = Callable[[Branch], None]


def renamed(branch: Branch) -> None:
    branch.rename("0003_sku", "0003_number", "0002_price")


def renamed_in_the_middle(branch: Branch) -> None:
    branch.rename("0002_price", "0002_cost", "0001_initial")
    branch.edit("0003_sku", "0002_price", "0002_cost")


def exchanged(branch: Branch) -> None:
    branch.operations("0003_sku", ["0001_initial"], field("price"))
    branch.operations("0002_price", ["0003_sku"], field("sku"))


def renumbered(branch: Branch) -> None:
    branch.delete("0002_price", "0003_sku")
    branch.operations("0003_price", ["0001_initial"], field("price"))
    branch.operations("0004_sku", ["0003_price"], field("sku"))


def made_anew(branch: Branch) -> None:
    branch.delete("0002_price", "0003_sku")
    branch.operations("0001_initial", (), model("price", "sku"))


def united(branch: Branch) -> None:
    branch.delete("0003_sku")
    branch.operations("0002_price", ["0001_initial"], field("price"), field("sku"))


PROVEN = [renamed, renamed_in_the_middle, exchanged, renumbered, made_anew, united]


@pytest.mark.parametrize("change", PROVEN, ids=lambda each: each.__name__)
def test_names_that_changed_need_a_rewrite_which_check_writes(branch: Branch, change: Change) -> None:
    change(branch)
    ended = branch.check()
    assert (ended.status, ended.codes) == (1, ["missing-rewrite"])
    written = branch.check("--write")
    assert (written.status, written.codes) == (0, [])
    assert branch.check("--write").document["path"] is None
    branch.commit()
    assert (branch.check().status, branch.check().codes) == (0, [])
    # On main, the next branch starts from the new names.
    assert branch.check("--against", "HEAD").document["apps"] == []


def a_new_migration(branch: Branch) -> None:
    branch.operations("0004_stock", ["0003_sku"], field("stock"))


def what_no_database_sees(branch: Branch) -> None:
    branch.edit("0002_price", "IntegerField(default=0)", 'IntegerField("Price", default=0, help_text="In cents")')


def a_new_app(branch: Branch) -> None:
    branch.operations("0001_initial", ["shop.0003_sku"], ITEM, app="cart")


def an_app_that_is_gone(branch: Branch) -> None:
    for path in branch.migrations.glob("*"):
        path.unlink()
    branch.migrations.rmdir()
    (branch.migrations.parent / "__init__.py").unlink()


def a_squash_that_replaces(branch: Branch) -> None:
    branch.operations("0001_squashed_0003_sku", (), model("price", "sku"))
    replaces = [("shop", name) for name in ("0001_initial", "0002_price", "0003_sku")]
    branch.edit("0001_squashed_0003_sku", "    operations", f"    replaces = {replaces}\n    operations")


QUIET = [a_new_migration, what_no_database_sees, a_new_app, an_app_that_is_gone, a_squash_that_replaces]


@pytest.mark.parametrize("change", QUIET, ids=lambda each: each.__name__)
def test_what_no_database_stumbles_over_is_no_news(branch: Branch, change: Change) -> None:
    change(branch)
    for _ in range(2):
        ended = branch.check()
        assert (ended.status, ended.codes) == (0, [])
        branch.commit()


def used_again(branch: Branch) -> None:
    branch.operations("0003_sku", ["0002_price"], ITEM.replace("Item", "Order"))


def added(branch: Branch) -> None:
    branch.operations("0003_sku", ["0002_price"], field("sku"), field("stock"))


def moved_ahead(branch: Branch) -> None:
    branch.operations("0002_price", ["0001_initial"], field("price"), field("sku"))
    branch.operations("0003_sku", ["0002_price"])


def deleted(branch: Branch) -> None:
    branch.delete("0003_sku")


def renamed_and_edited(branch: Branch) -> None:
    branch.delete("0003_sku")
    branch.operations("0003_number", ["0002_price"], field("sku", "BigIntegerField(default=1)"))


def in_another_order(branch: Branch) -> None:
    branch.operations("0002_price", ["0001_initial"], field("sku"))
    branch.operations("0003_sku", ["0002_price"], field("price"))


def forked(branch: Branch) -> None:
    branch.operations("0003_stock", ["0002_price"], field("stock"))


def named_by_another_app(branch: Branch) -> None:
    branch.operations("0001_initial", ["shop.0003_number"], ITEM, app="cart")


REFUSED = {
    used_again: ["edited-migration"],
    added: ["edited-migration"],
    moved_ahead: ["edited-migration"],
    deleted: ["unexplained-name"],
    renamed_and_edited: ["unexplained-name", "moved-operations"],
    in_another_order: ["exchanged-names"],
    forked: ["conflicting-migrations"],
    named_by_another_app: ["dangling-dependency"],
}


@pytest.mark.parametrize(("change", "codes"), REFUSED.items(), ids=[each.__name__ for each in REFUSED])
def test_what_no_rewrite_puts_right_is_refused(branch: Branch, change: Change, codes: list[str]) -> None:
    change(branch)
    ended = branch.check("--write")
    assert (ended.status, ended.codes) == (1, codes)
    assert ended.document["path"] is None
    assert all(finding["severity"] == "error" for finding in ended.document["findings"])


@pytest.mark.parametrize(("change", "now"), [(renamed, "shop.0003_number"), (united, "shop.0002_price")])
def test_an_app_that_did_not_change_and_names_what_is_gone_is_found(branch: Branch, change: Change, now: str) -> None:
    branch.operations("0001_initial", ["shop.0003_sku"], ITEM, app="cart")
    branch.operations("0001_initial", (), ITEM, app="other")
    branch.commit()
    branch.git("branch", "-f", "main")
    change(branch)
    ended = branch.check()
    assert ended.codes == ["missing-rewrite", "retired-name"]
    assert ended.document["apps"] == ["shop"]
    finding = ended.document["findings"][1]
    assert (finding["file"], finding["facts"]["now"]) == ("cart/migrations/0001_initial.py", [[now]])
    assert branch.check("--write").codes == ["retired-name"]


def test_a_new_file_may_take_the_name_of_a_deleted_one_when_that_is_said(branch: Branch) -> None:
    used_again(branch)
    assert branch.check().codes == ["edited-migration"]
    assert branch.migsync("rewrite", "--remove", "shop.0003_sku", "--new", "shop.0003_sku") == 0
    assert branch.check().status == 0


def test_each_of_many_names_that_are_gone_is_named(branch: Branch) -> None:
    names = [f"{number:04}_more" for number in range(4, 10)]
    for above, name in zip(["0003_sku", *names], names, strict=False):
        branch.operations(name, [above], field(f"more_{name[:4]}"))
    branch.commit()
    branch.git("branch", "-f", "main")
    branch.delete(*names)
    ended = branch.check()
    assert ended.codes == ["unexplained-name"] * len(names)
    assert [finding["name"] for finding in ended.document["findings"]] == names


@pytest.mark.parametrize(("change", "told"), [(deleted, False), (renamed_and_edited, True)])
def test_a_rewrite_that_was_not_committed_is_thought_of_where_there_are_new_files(
    branch: Branch, change: Change, told: bool
) -> None:
    change(branch)
    hint = branch.check().document["findings"][0]["hint"]
    assert ("commit the rewrite that it wrote" in hint) is told


def test_what_was_deleted_may_be_said_to_be_gone(branch: Branch) -> None:
    deleted(branch)
    assert branch.check().codes == ["unexplained-name"]
    assert branch.migsync("rewrite", "--remove", "shop.0003_sku") == 0
    assert branch.check().status == 0


def test_what_only_running_the_files_shows_is_asked(branch: Branch) -> None:
    branch.operations("0003_sku", ["0002_price"], "migrations.RunSQL(statement())")
    branch.commit()
    branch.git("branch", "-f", "main")
    branch.delete("0002_price", "0003_sku")
    branch.operations("0001_initial", (), model("price"), "migrations.RunSQL(statement())")
    assert branch.check("--write").codes == ["unproven-collapse"]
    assert branch.migsync("rewrite", "--collapse", "shop.0001_initial=0001_initial+0002_price+0003_sku") == 0
    assert (branch.check().status, branch.check().codes) == (0, [])


def test_a_file_that_is_edited_after_its_rewrite_was_written_is_found(branch: Branch) -> None:
    renamed(branch)
    assert branch.check("--write").status == 0
    branch.operations("0003_number", ["0002_price"], field("sku"), field("stock"))
    ended = branch.check()
    assert (ended.status, ended.codes) == (1, ["edited-migration"])


@pytest.mark.parametrize("committed", [True, False])
def test_names_that_change_again_after_a_rewrite_of_the_branch(branch: Branch, committed: bool) -> None:
    (branch.migrations / "0003_sku.py").rename(branch.migrations / "0003_code.py")
    assert branch.check("--write").status == 0
    if committed:
        branch.commit("another name")
    (branch.migrations / "0003_code.py").rename(branch.migrations / "0003_number.py")
    checked = branch.check("--write")
    assert (checked.status, checked.codes) == (1, ["changed-again"])
    hint = checked.document["findings"][0]["hint"]
    if committed:
        command = next(line for line in hint.splitlines() if "migsync check" in line).partition("migsync check ")[2]
        assert branch.check(*command.split()).status == 0
    else:
        (rewrite,) = (branch.root / "migration_rewrites").iterdir()
        rewrite.unlink()
        assert branch.check("--write").status == 0
    branch.commit("the last name")
    assert branch.check().status == 0


def test_two_rewrites_that_do_not_know_of_each_other_are_in_conflict(branch: Branch) -> None:
    renamed(branch)
    path = branch.root / branch.check("--write").document["path"]
    # Both branches write theirs in one second.
    path.rename(path.with_name("20260101T000000_first.toml"))
    branch.commit()
    branch.git("checkout", "-q", "-b", "other", "main")
    branch.rename("0003_sku", "0003_code", "0002_price")
    branch.check("--write")
    branch.commit()
    branch.git("merge", "-q", "--no-edit", "-s", "ours", "work")
    branch.git("checkout", "work", "--", "migration_rewrites")
    assert "rewrites-conflict" in branch.check().codes


def test_a_rewrite_that_is_deleted_is_missed_and_the_way_back_has_a_rewrite_of_its_own(branch: Branch) -> None:
    renamed(branch)
    path = branch.check("--write").document["path"]
    branch.commit()
    branch.git("branch", "-f", "main")
    branch.git("revert", "--no-edit", "HEAD")
    ended = branch.check()
    assert ended.codes == ["deleted-rewrite"]
    branch.git("checkout", "HEAD~1", "--", path)
    assert branch.check().codes == ["missing-rewrite"]
    assert branch.check("--write").status == 0
    branch.commit()
    assert (branch.check().status, branch.check().codes) == (0, [])


def test_a_rewrite_that_git_does_not_know_is_missed_once_the_files_are_added(branch: Branch) -> None:
    renamed(branch)
    path = branch.check("--write").document["path"]
    # The files are as little in git as the rewrite.
    assert branch.check().status == 0
    branch.git("add", "shop")
    ended = branch.check()
    assert (ended.status, ended.codes) == (1, ["untracked-rewrite"])
    branch.git("add", path)
    assert branch.check().status == 0


def test_in_a_hook_check_write_does_not_let_the_commit_pass_without_the_rewrite(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed(branch)
    branch.git("add", "-A")
    monkeypatch.setenv("PRE_COMMIT", "1")
    assert branch.check("--write").codes == ["untracked-rewrite"]


def test_a_stale_max_migration_is_found(branch: Branch) -> None:
    path = branch.migrations / "max_migration.txt"
    path.write_text("0003_sku\n")
    branch.commit()
    branch.git("branch", "-f", "main")
    a_new_migration(branch)
    ended = branch.check()
    assert (ended.status, ended.codes) == (0, ["stale-max-migration"])
    path.write_text("0004_stock\n")
    assert branch.check().codes == []


def test_a_branch_that_lags_behind_main_is_asked_about_its_own_changes_only(branch: Branch) -> None:
    a_new_migration(branch)
    branch.commit()
    branch.git("checkout", "-q", "main")
    renamed(branch)
    assert branch.check("--write").status == 0
    branch.commit()
    branch.git("checkout", "-q", "work")
    assert (branch.check().status, branch.check().codes) == (0, [])
    # Once main is merged, its own file has to name what is there now.
    branch.git("merge", "-q", "--no-edit", "main")
    assert branch.check().codes == ["retired-name"]
    branch.edit("0004_stock", "0003_sku", "0003_number")
    assert branch.check().codes == []


def test_another_commit_than_that_on_disk_is_compared(branch: Branch) -> None:
    renamed(branch)
    branch.commit()
    branch.git("checkout", "-q", "main")
    assert branch.check().document["apps"] == []
    ended = branch.check("--head", "work")
    assert ended.codes == ["missing-rewrite"]
    [finding] = ended.document["findings"]
    assert finding["file"] == "shop/migrations/0003_number.py"
    assert str(branch.root) not in finding["found"] + finding["meaning"]
    assert branch.check("--head", "work", "--write").status == 64


def test_a_project_below_the_top_of_the_repository(tmp_path: Path) -> None:
    branch = Branch(tmp_path, "backend/shop/migrations")
    renamed(branch)
    (branch.root / "frontend").mkdir()
    (branch.root / "frontend" / "0004.py").write_text("")
    for ended in (branch.check(at="backend"), branch.check("--root", "backend")):
        assert [finding["file"] for finding in ended.document["findings"]] == ["backend/shop/migrations/0003_number.py"]


def test_apps_that_pyproject_names_are_compared_wherever_they_are(branch: Branch) -> None:
    branch.git("mv", "shop/migrations", "shop/history")
    branch.migrations = branch.root / "shop" / "history"
    text = '[tool.migsync.apps]\nshop = "shop/history"\n'
    (branch.root / "pyproject.toml").write_text(text)
    branch.commit()
    branch.git("branch", "-f", "main")
    renamed(branch)
    assert branch.check().codes == ["missing-rewrite"]


def test_people_read_what_was_compared(branch: Branch) -> None:
    assert branch.check(form="text").out.startswith("No migration has changed since main (")
    renamed(branch)
    ended = branch.check(form="text")
    assert "0003_sku became 0003_number" in ended.out
    assert "Next: To write the rewrite: migsync check --write" in ended.out
    assert ended.out.endswith("1 error in 1 app that changed since " + ended.out.rsplit("since ", 1)[1])


def test_only_installed_apps_count_where_the_settings_state_them(branch: Branch) -> None:
    """As `plan` counts them: two directories of one label, an app that is not installed, and MIGRATION_MODULES."""
    (branch.root / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n')
    settings = branch.root / "settings.py"
    settings.write_text(
        "INSTALLED_APPS = ['shop', 'tags.apps.Config']\nMIGRATION_MODULES = {'tags': 'shop.tag_migrations'}\n"
    )
    for app in ("old/shop", "unused", "tags"):
        branch.operations("0001_initial", (), ITEM, app=app)
    branch.operations("0001_initial", (), ITEM, app="tags")
    moved = branch.root / "shop" / "tag_migrations"
    shutil.copytree(branch.root / "tags" / "migrations", moved)
    branch.commit("the apps")
    branch.git("branch", "-f", "main")
    branch.operations("0002_lost", ["unused.0009_gone"], field("lost"), app="unused")
    branch.rename("0003_sku", "0003_number", "0002_price")
    (moved / "0001_initial.py").rename(moved / "0001_first.py")
    document = branch.check().document
    assert {finding["code"] for finding in document["findings"]} == {"missing-rewrite"}
    assert sorted(document["rewrite"]["apps"]) == ["shop", "tags"]
    assert branch.check("--write").status == 0
    branch.commit("the rewrite")
    assert branch.check("--head", "HEAD").status == 0
    settings.write_text("INSTALLED_APPS = find_apps()\n")
    ended = branch.check()
    assert (ended.status, "Two apps have the label 'shop'" in ended.err + ended.out) == (1, True)
