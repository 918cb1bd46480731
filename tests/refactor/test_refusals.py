"""What stands in the way of rewriting files, met by a person: the message, the exit status, and nothing is changed."""

from __future__ import annotations

import subprocess

import pytest

from tests.cli.shop import Shop
from tests.files.commit.test_real_faults import mounted
from tests.refactor.conftest import commit, write


def unchanged(project, before):
    """Rows and files are what they were, and nothing is left to be settled."""
    assert (project.dumps(), project.files()) == before
    assert "Nothing to recover" in project.migsync("recover").out


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_a_file_edited_while_the_question_is_open(shop, options):
    path = shop.migrations("shop") / "0006_sku.py"
    edited = path.read_text() + "# mine\n"

    def edit():
        path.write_text(edited)
        return "y\n"

    before = (shop.dumps(), shop.files())
    ended = Shop(shop.root).at_terminal("linearize", "--update-db", *options, answers=[edit])
    assert ended.status == 3
    assert "shop/migrations/0006_sku.py was edited" in ended.out
    assert "Nothing was changed." in ended.out
    assert "Run the command again" in ended.out
    assert path.read_text() == edited
    path.write_text(edited.removesuffix("# mine\n"))
    unchanged(shop, before)


def test_a_file_that_is_in_the_way_by_the_time_of_the_answer(shop):
    path = shop.migrations("shop") / "0004_sku.py"

    def appear():
        path.write_text("# mine\n")
        return "y\n"

    before = (shop.dumps(), shop.files())
    ended = Shop(shop.root).at_terminal("linearize", "--update-db", answers=[appear])
    assert ended.status == 3
    assert "shop/migrations/0004_sku.py is new" in ended.out
    assert path.read_text() == "# mine\n"
    path.unlink()
    unchanged(shop, before)


def test_rows_that_came_while_the_question_is_open(shop):
    files = shop.files()

    def record():
        shop.databases["default"].execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0007_x', '2026-01-01 00:00:00')"
        )
        return "y\n"

    ended = Shop(shop.root).at_terminal("linearize", "--update-db", answers=[record])
    assert ended.status == 3
    assert "0007_x" in ended.out
    assert shop.files() == files


@pytest.mark.parametrize("place", [".", "shop/migrations"])
def test_a_read_only_directory(shop, place):
    before = (shop.dumps(), shop.files())
    directory = shop.root / place
    with mounted(directory, "--bind", str(directory)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(directory)], check=True)
        ended = shop.migsync("linearize", "--update-db", "--yes")
        assert ended.status == 1, ended.out + ended.err
        assert "The migration files cannot be changed: " in ended.err
        assert "Read-only file system" in ended.err
        assert "Nothing was changed." in ended.err
    unchanged(shop, before)


def test_which_branch_goes_first_is_asked_at_a_terminal(bare):
    write(bare, "shop", "0001_initial: create Item", "0002_price: add Item.price")
    write(bare, "shop", "0002_size: after 0001_initial; add Item.size")
    commit(bare)
    before = (bare.dumps(), bare.files())
    person = Shop(bare.root)
    ended = person.at_terminal("fix-conflicts", answers=["7\n", "2\n", "n\n"])
    assert ended.status == 1
    assert "1  0002_price" in ended.out
    assert "2  0002_size" in ended.out
    assert "7 is not in the range 1<=x<=2" in ended.out
    unchanged(bare, before)
    ended = person.at_terminal("fix-conflicts", answers=["2\n", "y\n"])
    assert ended.status == 0, ended.out
    assert bare.pending("default") == ["shop.0001_initial", "shop.0002_size", "shop.0003_price"]


@pytest.mark.parametrize("command", [["linearize", "--app"], ["fix-conflicts", "--app"]])
def test_an_unknown_app(shop, command):
    before = (shop.dumps(), shop.files())
    ended = shop.migsync(*command, "shp")
    assert ended.status == 64
    assert "Did you mean shop?" in ended.err
    unchanged(shop, before)


def test_a_dangling_dependency_names_the_nearest(shop):
    write(shop, "blog", "0001_initial: after shop.0003_prise; create Post")
    commit(shop, "a typing error")
    before = (shop.dumps(), shop.files())
    ended = shop.migsync("linearize", "--update-db", "--yes")
    assert ended.status == 1
    assert "blog.0001_initial depends on shop.0003_prise, which is not on disk." in ended.out
    assert "Did you mean shop.0003_price?" in ended.out
    unchanged(shop, before)
