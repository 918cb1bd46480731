"""The histories of wagtail, django-oscar and Django: every form shows the whole graph."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from migsync.graph import SquashRange, make_graph
from migsync.graph.dot import to_dot
from migsync.graph.drawing import NodeKind, draw
from migsync.graph.mermaid import MOST_CHARACTERS, MOST_EDGES, diagrams_of, to_mermaid
from migsync.graph.page import graph_page
from migsync.history import App, read_history
from migsync.refactor.squash.safe_ranges import find_safe_ranges
from tests.graph.stories import blocks, read
from tests.graph.test_page import Elements


def installed(package):
    """The apps of an installed package, with their labels as the app configs state them."""
    root = Path(find_spec(package).origin).parent
    for directory in {path.parent for path in root.rglob("migrations/0001_*.py")}:
        config = directory.parent / "apps.py"
        text = config.read_text() if config.exists() else ""
        label = re.search(r"""^    label = ["'](\w+)["']""", text, re.MULTILINE)
        yield App(label[1] if label else directory.parent.name, str(directory))


@pytest.fixture(scope="module")
def graph():
    apps = {app.label: app for package in ("django.contrib", "wagtail", "oscar") for app in installed(package)}
    history = read_history(list(apps.values()), complete=False)
    runs = [SquashRange(run.keys, run.saves) for run in find_safe_ranges(history)]
    made = make_graph(history, ranges=runs)
    assert len(made.nodes) > 300
    assert len(runs) > 20
    return made


def test_mermaid_has_every_edge_within_its_limits(graph):
    drawing = draw(graph)
    found = blocks(to_mermaid(drawing, diagrams_of(drawing)))
    drawn = set()
    for block in found:
        boxes, edges = read(block)
        assert len(edges) <= MOST_EDGES
        assert len(block) <= MOST_CHARACTERS
        drawn |= {(int(tail), int(head)) for tail, head in re.findall(r"n(\d+) (?:-->|-\. .*? \.->) n(\d+)", block)}
        assert {label for label, kind in boxes.values() if kind == "outside"} <= set(map(str, graph.nodes))
    assert drawn == {(arrow.tail, arrow.head) for arrow in drawing.arrows}


def test_chains_in_one_box_lose_no_migration_and_no_edge_between_boxes(graph):
    drawing = draw(graph, collapse=True)
    assert sorted(key for box in drawing.boxes for key in box.keys) == sorted(graph.nodes)
    inner = sum(len(box.keys) - 1 for box in drawing.boxes if box.kind is NodeKind.CHAIN)
    assert inner > 20
    assert sum(not arrow.stands for arrow in drawing.arrows) == len(list(graph.edges())) - inner
    assert to_dot(drawing).count(" -> ") == len(drawing.arrows)


def test_the_page_has_the_whole_graph(graph):
    (side,) = json.loads(Elements(graph_page(graph, "real", "/")).texts["data"])["sides"]
    assert len(side["nodes"]) == len(graph.nodes)
    assert sum(len(node["parents"]) for node in side["nodes"]) == len(list(graph.edges()))
    assert sum("run" in node for node in side["nodes"]) == sum(len(run.keys) for run in graph.ranges)
