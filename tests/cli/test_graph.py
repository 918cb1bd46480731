"""`migsync graph` as a person runs it."""

from __future__ import annotations

import json
import os
import stat

import pytest

from migsync.cli.views.graphs import graph_blocks
from migsync.cli.views.plain import render
from migsync.graph import SquashRange, make_graph
from migsync.graph.closure import make_closure
from tests.cli.shop import NEW, OLD, Shop
from tests.graph.stories import blocks, chain, read
from tests.graph.stories import shop as story


def add_app(shop, label, *names, first=""):
    """Another app with these migrations in a row, the first depending on `first`."""
    package = shop.root / label / "migrations"
    package.mkdir(parents=True)
    for directory in (package.parent, package):
        (directory / "__init__.py").touch()
    for number, name in enumerate(names):
        above = f"({label!r}, {names[number - 1]!r})" if number else first
        (package / f"{name}.py").write_text(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            f"    dependencies = [{above}]\n    operations = []\n"
        )
    shop.settings(f"INSTALLED_APPS += [{label!r}]")


@pytest.fixture
def many(tmp_path):
    made = Shop(tmp_path).write("default", "second").record("default", NEW[:2])
    add_app(made, "orders", "0001_initial", "0002_more", first=f"('shop', '{NEW[1]}')")
    return made


def test_text_tells_both_directions_and_other_apps_by_name(many):
    ended = many.run("graph")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == (
        "orders  2 migrations\n"
        "  0001_initial\n"
        "    depends on     shop.0002_price\n"
        "    needed by      0002_more\n"
        "  0002_more\n"
        "    depends on     0001_initial\n"
        "\n"
        "shop  3 migrations\n"
        "  0001_initial\n"
        "    needed by      0002_price\n"
        "  0002_price\n"
        "    depends on     0001_initial\n"
        "    needed by      0003_sku, orders.0001_initial\n"
        "  0003_sku\n"
        "    depends on     0002_price\n"
    )


def test_what_is_applied_in_each_database_that_is_asked(many):
    ended = many.run("graph", "shop", "-d", "default", "-d", "second")
    assert ended.status == 0
    assert "shop  3 migrations, 2 applied in default, 0 applied in second\n" in ended.out
    assert "  0002_price  [x] default  [ ] second\n" in ended.out
    assert "  0003_sku  [ ] default  [ ] second\n" in ended.out
    refused = many.run("graph", "-d", "nowhere")
    assert (refused.status, "nowhere" in refused.err) == (1, True)


def test_a_database_behind_a_rewrite_is_said_to_be(shop):
    ended = shop.run("graph", "-d", "default")
    assert "  0002_price  [ ] default\n" in ended.out
    assert "default has 3 records of migrations that are not on disk, such as shop.0003_price." in ended.err
    assert "migsync plan -d default" in ended.err


def test_a_database_that_cannot_be_read_is_named_and_the_rest_is_shown(many):
    (many.root / "second.sqlite3").write_text("this is no database at all\n" * 50)
    ended = many.run("graph", "shop", "-d", "default", "-d", "second")
    assert ended.status == 1
    assert "  0002_price  [x] default\n" in ended.out
    assert ended.err.startswith("second\n  Error: ")


def test_squashes_runs_and_indirect_neighbours_in_text():
    graph = make_graph(story(), ["shop"])
    text = render(graph_blocks(graph, make_closure(graph.history), shorten=False))
    assert text.startswith("shop  7 migrations, 1 squash\n")
    assert "  0003_merge  merge\n" in text
    assert "    replaces       0004_x, 0005_gone (no file)\n" in text
    assert "    replaced by    0004_squash\n" in text
    assert "    indirectly on  2: auth.0001_initial, 0001_initial\n" in text
    assert "    indirectly by  4: orders.0002_more, 0004_squash, 0004_x, 0006_end\n" in text


def test_long_lists_are_shortened_only_where_a_person_can_ask_for_the_rest():
    made = story()
    keys = [each.key for each in chain("shop", 12)]
    graph = make_graph(
        made, ["shop"], ranges=[SquashRange(tuple(keys), 11, ("it ends",), tuple(f"risk {n}" for n in range(9)))]
    )
    short, whole = (render(graph_blocks(graph, shorten=shorten)) for shorten in (True, False))
    assert short.count("… and 3 more (--verbose shows all)") == 1
    assert "risk 8" in whole
    assert "--verbose" not in whole


def test_at_a_terminal_it_is_coloured(many):
    assert "\x1b[1mshop\x1b[0m" in many.at_terminal("graph", "shop").out


def test_json_is_one_document_with_the_same_graph(many):
    document = many.run("graph", "--format", "json", "-d", "default", "--indirect").json
    assert document["format_version"] == 1
    assert document["apps"] == [{"label": "orders", "first_party": True}, {"label": "shop", "first_party": True}]
    found = {f"{each['app']}.{each['name']}": each for each in document["migrations"]}
    assert list(found) == ["orders.0001_initial", "orders.0002_more", *(f"shop.{name}" for name in NEW)]
    price = found["shop.0002_price"]
    assert price["dependents"] == ["orders.0001_initial", "shop.0003_sku"]
    assert price["state"] == {"default": "applied"}
    assert set(price["descendants"]) == {"orders.0001_initial", "orders.0002_more", "shop.0003_sku"}
    assert price["file"].endswith("shop/migrations/0002_price.py")
    assert document["findings"] == []


def test_mermaid_and_dot(many):
    (block,) = blocks(many.run("graph", "shop", "--format", "mermaid").out)
    assert {label for label, _ in read(block)[0].values()} == {*NEW, "orders.0001_initial"}
    assert many.run("graph", "--format", "dot").out.startswith("digraph migrations {\n")
    add_app(many, "long", *(f"{number:04d}_m" for number in range(1, 503)))
    ended = many.run("graph", "--format", "mermaid")
    assert len(blocks(ended.out)) > 1
    assert "split into" in ended.err
    ended = many.run("graph", "--format", "mermaid", "--collapse-chains")
    assert (len(blocks(ended.out)), ended.err) == (1, "")
    assert '"0001 … 0502 (502)"' in ended.out


def test_an_option_that_says_nothing_in_a_format_is_refused(many):
    for arguments in (["--collapse-chains"], ["--indirect", "--format", "dot"], ["shpo"]):
        ended = many.run("graph", *arguments)
        assert (ended.status, ended.out) == (64, "")
    assert "Did you mean shop?" in ended.err


def test_a_file_is_written_whole_and_said_where(many):
    many.run("graph", "-o", "graph.txt", "--color", "always")
    text = (many.root / "graph.txt").read_text()
    assert text == many.run("graph").out
    assert stat.S_IMODE((many.root / "graph.txt").stat().st_mode) == 0o666 & ~current_umask()
    ended = many.run("graph", "--format", "dot", "--output", "graph.txt")
    assert (ended.status, ended.out) == (0, "Written: graph.txt\n")
    assert (many.root / "graph.txt").read_text().startswith("digraph")
    ended = many.run("graph", "--format", "json", "-o", "graph.json")
    assert ended.json == {"format_version": 1, "file": "graph.json"}
    assert json.loads((many.root / "graph.json").read_text())["migrations"]
    assert [path.name for path in many.root.iterdir() if path.name.startswith(".graph")] == []


def test_a_file_that_cannot_be_written(many):
    ended = many.run("graph", "-o", "no/such/directory/graph.txt")
    assert ended.status == 1
    assert "no/such/directory/graph.txt cannot be written: No such file or directory." in ended.err
    assert many.run("graph", "-o", ".").status == 64


def test_a_graph_that_django_cannot_load_is_drawn_and_what_is_wrong_is_said(many):
    price = many.root / "shop" / "migrations" / "0002_price.py"
    text = price.read_text()
    price.write_text(text.replace("0001_initial", "0003_sku"))
    cycle = many.run("graph")
    assert cycle.status == 0
    assert "Migrations depend on each other in a circle: shop.0002_price -> shop.0003_sku" in cycle.err
    assert "    depends on     0003_sku\n" in cycle.out
    price.write_text(text.replace("0001_initial", "0009_gone"))
    ended = many.run("graph", "--format", "dot")
    assert ended.status == 0
    assert "shop.0002_price depends on shop.0009_gone, which is not on disk." in ended.err
    assert "0009_gone" not in ended.out
    document = many.run("graph", "--format", "json").json
    assert [finding["code"] for finding in document["findings"]] == ["dangling-dependency"]


def test_a_project_that_does_not_start_is_read_all_the_same(many):
    (many.root / "config.py").write_text("raise RuntimeError('broken')\n")
    ended = many.run("graph", "orders")
    assert ended.status == 0, ended.err
    assert ended.out.startswith("orders  2 migrations\n  0001_initial\n    depends on     shop.0002_price\n")
    assert "RuntimeError: broken" in ended.err


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_is_safe_to_squash_is_marked_in_every_form(many):
    add_app(many, "long", *(f"{number:04d}_m" for number in range(1, 8)), first=f"('shop', '{NEW[0]}')")
    text = many.run("graph", "long", "--candidates").out
    assert "Safe to squash: 1 range, saves 6 files\n" in text
    assert "  0003_m  in range 1\n" in text
    document = many.run("graph", "long", "--candidates", "--format", "json").json
    (run,) = document["candidates"]
    assert (run["migrations"][0], run["saves"]) == ("long.0001_m", 6)
    assert [each["candidate"] for each in document["migrations"]] == [0] * 7
    (block,) = blocks(many.run("graph", "long", "--candidates", "--format", "mermaid").out)
    assert [kind for _, kind in read(block)[0].values()].count("safe") == 7
    assert many.run("graph", "long", "--candidates", "--format", "html").out.count('"run":0') == 7


def test_a_page_of_the_graph_and_of_a_rewrite(shop):
    shop.rewrite()
    ended = shop.run("graph", "--format", "html", "-o", "graph.html", "-d", "default")
    assert (ended.status, ended.out) == (0, "Written: graph.html\n")
    assert '"file":"shop/migrations/0002_price.py"' in (shop.root / "graph.html").read_text()
    (path,) = (shop.root / "migration_rewrites").iterdir()
    assert f"before {path.name}" in shop.run("graph", "--format", "html", "--rewrite", str(path)).out
    document = shop.run("graph", "--format", "json", "--rewrite", "last").json
    fates = {each["name"]: each["fate"] for each in document["before"]}
    assert fates == dict(zip(OLD, ["kept", "renamed", "removed", "renamed"], strict=True))
    assert ["shop.0003_price", "shop.0002_price"] in document["became"]
    assert document["after_is_on_disk"]
    for wrong in (["--rewrite", "nothing", "--format", "html"], ["--rewrite", "last"]):
        assert shop.run("graph", *wrong).status == 64
