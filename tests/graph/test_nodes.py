"""The graph that is shown, and what hangs together in it."""

from __future__ import annotations

import pytest
from hypothesis import given

from migsync.errors import UsageError
from migsync.graph import NodeState, make_graph
from migsync.graph.closure import make_closure
from migsync.history import build_history
from tests.graph.stories import chain, key, migration, shop
from tests.history.histories import files


def test_the_projects_own_apps_or_those_named_or_all():
    assert make_graph(shop()).apps == ("orders", "shop")
    assert make_graph(shop(), ["shop", "auth", "shop"]).apps == ("auth", "shop")
    assert make_graph(shop(), everything=True).apps == ("auth", "orders", "shop")


def test_neighbours_are_of_every_app_and_on_disk():
    nodes = make_graph(shop(), ["shop"]).nodes
    assert nodes[key("shop.0001_initial")].parents == (key("auth.0001_initial"),)
    assert nodes[key("shop.0002_a")].children == (key("orders.0001_initial"), key("shop.0003_merge"))
    squash = nodes[key("shop.0004_squash")]
    assert squash.replaces == (key("shop.0004_x"), key("shop.0005_gone"))
    assert squash.children == (key("shop.0006_end"),), "the edge to the file that is gone leads to its squash"
    assert nodes[key("shop.0004_x")].replaced_by == (squash.key,)
    assert [node.key.name for node in nodes.values() if node.merge] == ["0003_merge"]


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("shpo", "Did you mean shop?"),
        ("xyz", "Its apps with migrations: orders and shop."),
        ("plain", "has no migrations"),
    ],
)
def test_an_unknown_app_is_refused_with_the_nearest(app, said):
    history = shop()
    apps = [*history.apps.values(), type(history.apps["shop"])("plain", None)]
    with pytest.raises(UsageError) as error:
        make_graph(build_history(history.migrations.values(), apps), [app])
    assert said in str(error.value)


def test_what_is_applied_is_what_djangos_loader_says():
    history = shop()
    before = ["auth.0001_initial", "shop.0001_initial", "shop.0002_a", "shop.0002_b", "shop.0003_merge"]
    old = {key(name) for name in [*before, "shop.0004_x", "shop.0005_gone"]}
    states = {"new": history.state(frozenset()), "old": history.state(old)}
    nodes = make_graph(history, states=states).nodes
    squash, original, end = (nodes[key(f"shop.{name}")].states for name in ("0004_squash", "0004_x", "0006_end"))
    assert squash == {"new": NodeState.PENDING, "old": NodeState.APPLIED}
    assert original == {"new": NodeState.LEFT_OUT, "old": NodeState.APPLIED}
    assert end == {"new": NodeState.PENDING, "old": NodeState.PENDING}


@given(files())
def test_reach_is_what_following_the_edges_finds_also_in_a_cycle(given_files):
    history = build_history(given_files.migrations, given_files.apps, given_files.settings)
    reach = make_closure(history)
    below = {each: set() for each in history.migrations}
    for each in history.order:
        above = history.ancestors([each]) - {each}
        assert set(reach.ancestors(each)) == above
        for parent in above:
            below[parent].add(each)
    assert {each: set(reach.descendants(each)) for each in history.order} == below


def test_in_a_cycle_all_reach_all_others():
    history = build_history([migration("a.0001_x", "a.0003_z"), migration("a.0002_y", "a.0001_x"), *chain("b", 2)])
    history = build_history([*history.migrations.values(), migration("a.0003_z", "a.0002_y", "b.0001_m")])
    reach = make_closure(history)
    assert set(reach.ancestors(key("a.0001_x"))) == {key("a.0002_y"), key("a.0003_z"), key("b.0001_m")}
    assert set(reach.descendants(key("a.0001_x"))) == {key("a.0002_y"), key("a.0003_z")}


def test_names_come_in_an_order_in_which_they_can_be_applied():
    history = build_history([migration("a.0001_z", "a.0002_y"), migration("a.0002_y"), *chain("b", 2)])
    assert [str(each) for each in make_graph(history).nodes] == ["a.0002_y", "a.0001_z", "b.0001_m", "b.0002_m"]
