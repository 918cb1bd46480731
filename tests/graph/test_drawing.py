"""Boxes and arrows in Mermaid and in DOT: every edge once, chains in one box, nothing over Mermaid's limits."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise

import pytest

from migsync.graph import SquashRange, make_graph
from migsync.graph.dot import to_dot
from migsync.graph.drawing import draw
from migsync.graph.mermaid import MOST_CHARACTERS, MOST_EDGES, diagrams_of, to_mermaid
from migsync.history import Key, Migration, build_history
from tests.graph.stories import blocks, chain, key, migration, read, shop

ODD = ['0001_a"b', "0002_</script><b>", "0003_a;b#c`d", "0004_end", "0005_a\\b", "0006_#quot;", "0007_&amp;é"]


def mermaid(graph, *, collapse=False):
    drawing = draw(graph, collapse=collapse)
    return to_mermaid(drawing, diagrams_of(drawing))


def test_one_block_with_squash_and_originals_and_no_ghosts():
    (block,) = blocks(mermaid(make_graph(shop(), ["shop"])))
    boxes, edges = read(block)
    assert sorted(boxes.values(), key=str) == [
        ("0001_initial", None),
        ("0002_a", None),
        ("0002_b", None),
        ("0003_merge", None),
        ("0004_squash (replaces 2)", None),
        ("0004_x", "replaced"),
        ("0006_end", None),
        ("auth.0001_initial", "outside"),
        ("orders.0001_initial", "outside"),
    ]
    assert set(edges) == {
        ("auth.0001_initial", "0001_initial", False),
        ("0001_initial", "0002_a", False),
        ("0001_initial", "0002_b", False),
        ("0002_a", "0003_merge", False),
        ("0002_b", "0003_merge", False),
        ("0002_a", "orders.0001_initial", False),
        ("0003_merge", "0004_squash (replaces 2)", False),
        ("0003_merge", "0004_x", False),
        ("0004_x", "0004_squash (replaces 2)", True),
        ("0004_squash (replaces 2)", "0006_end", False),
    }
    assert len(edges) == len(set(edges))


def test_apps_are_subgraphs():
    (block,) = blocks(mermaid(make_graph(shop())))
    assert re.findall(r'subgraph \w+\["(\w+)"\]', block) == ["orders", "shop"]
    assert block.count("\n  end\n") == 2


def test_a_chain_that_no_other_app_touches_is_one_box():
    made = [*chain("a", 20), migration("b.0001_initial", "a.0003_m"), migration("a.0009_fork", "a.0008_m")]
    (block,) = blocks(mermaid(make_graph(build_history(made)), collapse=True))
    labels = {label for label, _ in read(block)[0].values()}
    assert labels == {
        *("0001_m", "0002_m", "0003_m", "0009_fork", "0001_initial"),  # two in a row stay two
        "0004 … 0008 (5)",
        "0009 … 0020 (12)",
    }
    assert ("0004 … 0008 (5)", "0009_fork", False) in read(block)[1]


def test_a_chain_hides_no_merge_and_no_squash():
    made = [*chain("a", 4), migration("a.0005_m", "a.0004_m", "a.0004_other"), *chain("a", 4, start=6)]
    made += [migration("a.0004_other"), migration("a.0009_squash", "a.0006_m", replaces=["a.0007_m", "a.0008_m"])]
    (block,) = blocks(mermaid(make_graph(build_history(made)), collapse=True))
    labels = {label for label, _ in read(block)[0].values()}
    assert labels == {
        *("0001 … 0004 (4)", "0004_other", "0005_m", "0006_m", "0007_m", "0008_m", "0009_m"),
        "0009_squash (replaces 2)",
    }


def test_a_chain_ends_where_what_is_safe_to_squash_ends():
    made = chain("a", 9)
    run = SquashRange(tuple(each.key for each in made[3:6]), 2)
    (block,) = blocks(mermaid(make_graph(build_history(made), ranges=[run]), collapse=True))
    assert list(read(block)[0].values()) == [
        ("0001 … 0003 (3)", None),
        ("0004 … 0006 (3)", "safe"),
        ("0007 … 0009 (3)", None),
    ]


def odd_history():
    keys = [Key("we ird", name) for name in ODD]
    return build_history(
        [Migration(each, dependencies=tuple(keys[max(place - 1, 0) : place])) for place, each in enumerate(keys)]
    )


def test_no_name_says_anything_to_mermaid():
    (block,) = blocks(mermaid(make_graph(odd_history())))
    boxes, edges = read(block)
    assert [label for label, _ in boxes.values()] == ODD
    assert [edge[:2] for edge in edges] == list(pairwise(ODD))


@pytest.mark.django
def test_no_name_says_anything_to_graphviz():
    text = to_dot(draw(make_graph(odd_history())))
    strings = re.findall(r'label="((?:[^"\\]|\\.)*)"', text)
    assert [re.sub(r"\\(.)", r"\1", string) for string in strings] == ["we ird", *ODD]
    if dot := shutil.which("dot"):
        subprocess.run([dot, "-Tsvg"], input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def test_dot_has_a_cluster_an_app_and_every_edge():
    text = to_dot(draw(make_graph(shop())))
    assert re.findall(r'subgraph cluster_\d+ {\n    label="(\w+)";', text) == ["orders", "shop"]
    labels = dict(re.findall(r'(n\d+) \[label="(.*?)"', text))
    edges = {(labels[tail], labels[head]) for tail, head in re.findall(r"(n\d+) -> (n\d+)", text)}
    assert ("auth.0001_initial", "0001_initial") in edges
    assert ("0004_x", "0004_squash (replaces 2)") in edges
    assert len(edges) == 11


def wide():
    """An app of 700 in a row, and three apps whose 400 migrations each need its first."""
    made = chain("hub", 700)
    for app in ("a", "b", "c"):
        made += [migration(str(each.key), *map(str, each.dependencies), "hub.0001_m") for each in chain(app, 400)]
    return make_graph(build_history(made))


def long_names():
    return make_graph(build_history([migration(f"a.{number:04d}_{'x' * 200}") for number in range(450)]))


@pytest.mark.parametrize("graph", [wide(), long_names()], ids=["edges", "characters"])
def test_what_mermaid_would_refuse_is_split(graph):
    found = blocks(mermaid(graph))
    assert len(found) > 1
    shown, drawn = set(), set()
    for block in found:
        boxes, edges = read(block)
        assert len(edges) <= MOST_EDGES
        assert len(block) <= MOST_CHARACTERS
        shown |= {label for label, kind in boxes.values() if kind != "outside"}
        (app,) = re.findall(r'subgraph \w+\["(\w+)"\]', block)
        full = {name: label if kind == "outside" else f"{app}.{label}" for name, (label, kind) in boxes.items()}
        drawn |= {(full[tail], full[head]) for tail, head in re.findall(r"(n\d+) --> (n\d+)", block)}
    assert drawn == {(str(tail), str(head)) for tail, head in graph.edges()}, "each edge is in some diagram"
    if len(drawn) > 2 * MOST_EDGES:
        assert max(block.count(" --> ") for block in found) == MOST_EDGES, "no more is left out than must be"
    assert shown == {each.name for each in graph.nodes}


def test_a_graph_at_the_limit_is_not_split():
    for size, expected in ((MOST_EDGES + 1, 1), (MOST_EDGES + 2, 2)):
        assert len(blocks(mermaid(make_graph(build_history(chain("a", size)))))) == expected


def test_a_cycle_is_drawn():
    history = build_history([migration("a.0001_x", "a.0002_y"), migration("a.0002_y", "a.0001_x")])
    assert history.cycle
    (block,) = blocks(mermaid(make_graph(history), collapse=True))
    assert read(block)[1] == [("0002_y", "0001_x", False), ("0001_x", "0002_y", False)]
    assert key("a.0001_x") in make_graph(history).nodes
