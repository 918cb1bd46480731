"""The page: whole in itself, true to the graph, and at work in a real browser."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from html.parser import HTMLParser

import pytest

from migsync.graph import SquashRange, make_graph
from migsync.graph.before_after import make_rewrite_graph
from migsync.graph.page import graph_page, rewrite_page
from migsync.history import Key, Migration, build_history
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from tests.graph.browser import CHROMIUM, running_browser
from tests.graph.stories import chain, key, migration, shop

EVIL = "0002_</script><b id=evil>&amp;{{style}}\u2028<!--"
SHOWN = EVIL.replace("\u2028", "\\u2028")


class Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.found, self.texts, self._inside = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self._inside = dict(attributes).get("id", tag) if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside:
            self.texts[self._inside] = self.texts.get(self._inside, "") + data


def evil():
    names = [Key("shop", name) for name in ("0001_initial", EVIL, "0003_end")]
    made = [Migration(each, dependencies=tuple(names[max(place - 1, 0) : place])) for place, each in enumerate(names)]
    return make_graph(build_history(made))


@pytest.fixture(params=["graph", "sides"])
def text(request):
    if request.param == "graph":
        return graph_page(evil(), f"a <b> {EVIL}", "/")
    return rewrite_page(renumbered(), "sides")


def renumbered():
    """0002 became 0003, 0003 and 0004 became 0002, 0005 is gone."""
    change = AppRewrite(
        before=("0001_a", "0002_b", "0003_c", "0004_d", "0005_e"),
        after=("0001_a", "0002_cd", "0003_b"),
        removed=("0005_e",),
        renamed=(("0002_b", "0003_b"),),
        collapsed=((("0003_c", "0004_d"), ("0002_cd",)),),
        depends={"0005_e": ("0002_b", "0004_d"), "0003_c": ("0001_a",)},
    )
    rewrite = Rewrite((), "by hand", "2026-03-01T10:00:00Z", {"shop": change}, path="migration_rewrites/r.toml")
    history = build_history([migration("shop.0001_a"), migration("shop.0002_cd", "shop.0001_a")])
    return make_rewrite_graph(rewrite, Rewrites((rewrite,)), history)


def test_it_is_whole_in_itself(text):
    found = Elements(text)
    assert [name for tag, attributes in found.found for name in attributes if name in ("src", "href", "action")] == []
    assert {tag for tag, _ in found.found} & {"link", "img", "iframe", "object", "base", "b"} == set()
    assert re.findall(r"https?://[^\"'\s]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|\burl\(|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\(|\beval\(|innerHTML", text)


def test_it_may_run_and_load_nothing_but_what_is_in_it(text):
    found = Elements(text)
    (policy,) = [attributes["content"] for _, attributes in found.found if "http-equiv" in attributes]
    digests = {
        name: base64.b64encode(hashlib.sha256(found.texts[name].encode()).digest()).decode()
        for name in ("script", "style")
    }
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digests['style']}'; script-src 'sha256-{digests['script']}'"
    )


def test_a_name_that_would_break_out_is_only_data():
    found = Elements(graph_page(evil(), "title", "/"))
    data = json.loads(found.texts["data"])
    assert [node["name"] for node in data["sides"][0]["nodes"]] == ["0001_initial", SHOWN, "0003_end"]
    assert not any(attributes.get("id") == "evil" for _, attributes in found.found)
    assert [tag for tag, _ in found.found].count("script") == 2


def test_its_data_is_the_graph():
    history = shop()
    run = SquashRange((key("shop.0001_initial"), key("shop.0002_a")), 1, ("it ends",), ("look",))
    graph = make_graph(
        history, ["shop"], states={"default": history.state(frozenset({key("shop.0001_initial")}))}, ranges=[run]
    )
    data = json.loads(Elements(graph_page(graph, "title", ".")).texts["data"])
    (side,) = data["sides"]
    keys = [Key(node["app"], node["name"]) for node in side["nodes"]]
    edges = {(keys[parent], keys[place]) for place, node in enumerate(side["nodes"]) for parent in node["parents"]}
    assert edges == set(graph.edges())
    assert keys[: len(graph.nodes)] == list(graph.nodes)
    by_key = dict(zip(keys, side["nodes"], strict=True))
    assert by_key[key("auth.0001_initial")]["kind"] == "outside"
    assert keys[by_key[key("shop.0004_x")]["by"][0]] == key("shop.0004_squash")
    assert by_key[key("shop.0001_initial")]["state"] == {"default": "applied"}
    assert by_key[key("shop.0002_a")]["run"] == 0
    assert data["runs"][0]["risks"] == ["look"]


def test_both_sides_of_a_rewrite():
    sides = renumbered()
    data = json.loads(Elements(rewrite_page(sides, "title")).texts["data"])
    before, after = data["sides"]
    assert [node["fate"] for node in before["nodes"]] == ["kept", "renamed", "collapsed", "collapsed", "removed"]
    assert [node["fate"] for node in after["nodes"]] == ["kept", "collapsed", "renamed"]
    assert before["nodes"][4]["parents"] == [1, 3]
    names = [[before["nodes"][old]["name"], after["nodes"][new]["name"]] for old, new in data["links"]]
    assert sorted(names) == [
        ["0001_a", "0001_a"],
        ["0002_b", "0003_b"],
        ["0003_c", "0002_cd"],
        ["0004_d", "0002_cd"],
    ]
    assert not sides.on_disk, "0003_b is not on disk"
    assert sides.after[key("shop.0003_b")].parents == (key("shop.0002_cd"),)


# In CI the page is told from its text alone: nothing is installed there that the tests do not bring.
in_browser = pytest.mark.skipif(
    os.environ.get("CI", "").lower() == "true" or not CHROMIUM,
    reason="the page is NOT tried in a browser: "
    + ("never in CI" if os.environ.get("CI", "").lower() == "true" else "no chromium here (apt-get install chromium)"),
)


@pytest.fixture(scope="module")
def browser():
    with running_browser() as found:
        yield found
        assert found.errors == []


@pytest.fixture
def opened(browser, tmp_path):
    def open_page(page, fragment=""):
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        browser.open(path, fragment)
        assert browser.errors == []
        assert [url.partition("#")[0] for url in browser.requests] == [path.as_uri()], "nothing else is asked for"
        return browser

    return open_page


def names(browser, kinds):
    """The keys of the boxes that are drawn and have all of these classes."""
    return browser.run(f"[...document.querySelectorAll('.pane .node{kinds}')].map((box) => box.dataset.key)")


def node(name):
    return f'.node[data-key="{name}"]'


@in_browser
class TestInABrowser:
    def test_a_click_shows_all_above_and_below(self, opened):
        page = opened(graph_page(make_graph(shop()), "t", "/"))
        page.click(node("shop.0003_merge"))
        assert names(page, ".self") == ["shop.0003_merge"]
        assert set(names(page, ".above")) == {
            "auth.0001_initial",
            "shop.0001_initial",
            "shop.0002_a",
            "shop.0002_b",
        }
        assert set(names(page, ".below")) == {"shop.0004_squash", "shop.0004_x", "shop.0006_end"}
        assert "depends on 4, needed by 3" in page.run("document.getElementById('details').textContent")
        page.press("Escape")
        assert names(page, ".lit") == []
        assert page.run("document.getElementById('details').hidden")

    def test_search_finds_and_goes_from_one_to_the_next(self, opened):
        page = opened(graph_page(make_graph(shop()), "t", "/"))
        page.press("/")
        page.write("initial")
        assert set(names(page, ".found")) == {"auth.0001_initial", "orders.0001_initial", "shop.0001_initial"}
        seen = set()
        for _ in range(3):
            page.press("Enter")
            seen |= set(names(page, ".self"))
        assert len(seen) == 3
        page.press("Escape")
        assert names(page, ".found") == []

    def test_only_what_is_related_and_only_some_apps(self, opened):
        page = opened(graph_page(make_graph(shop()), "t", "/"), "#orders.0001_initial")
        assert names(page, ".self") == ["orders.0001_initial"]
        page.click("#related")
        assert set(names(page, "")) == {
            "auth.0001_initial",
            "orders.0001_initial",
            "orders.0002_more",
            "shop.0001_initial",
            "shop.0002_a",
        }
        page.press("Escape")
        assert len(names(page, "")) == 10
        page.click("#apps summary")
        page.click('#choices input[value="shop"]')
        assert {name.partition(".")[0] for name in names(page, "")} == {"auth", "orders"}

    def test_it_moves_and_zooms(self, opened):
        page = opened(graph_page(make_graph(shop()), "t", "/"))
        x, y = page.middle(node("orders.0002_more"))
        page.drag((1000, 600), (1050, 570))
        assert page.middle(node("orders.0002_more")) == pytest.approx((x + 50, y - 30), abs=1)
        page.drag((x + 50, y - 30), (x + 54, y))
        assert names(page, ".self") == [], "a drag is no click"
        scale = page.run("panes[0].view.scale")
        page.mouse("mouseWheel", 800, 500, deltaX=0, deltaY=-200)
        assert page.run("panes[0].view.scale") > scale

    def test_a_thousand_migrations_stand_apart_and_in_order(self, opened):
        page = opened(graph_page(thousand(), "t", "/"))
        boxes = page.run("panes[0].layout.spots.map(({x, y}) => [x, y])")
        assert len(boxes) == 1000
        assert len({tuple(box) for box in boxes}) == 1000, "no box on another"
        backwards = page.run(
            "panes[0].nodes.flatMap((node, place) => node.parents.filter((parent) =>"
            " panes[0].layout.spots[parent].x >= panes[0].layout.spots[place].x)).length"
        )
        assert backwards == 0, "every dependency is to the left"
        assert page.run("panes[0].view.scale") >= 0.5, "names can be read at once"
        page.press("0")
        seen = page.run(
            "[...document.querySelectorAll('.pane .node')].filter((box) => { const r = box.getBoundingClientRect();"
            "return r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight; }).length"
        )
        assert seen == 1000, "all of it fits"
        page.click("#compact")
        assert page.run("new Set(panes[0].layout.spots.map(({x, y}) => `${x} ${y}`)).size") == 1000
        assert len(names(page, ".safe")) == 3

    def test_before_and_after_follow_each_other(self, opened):
        page = opened(rewrite_page(renumbered(), "t"))
        assert page.run("document.querySelectorAll('.pane').length") == 2
        page.click(f".pane:nth-child(2) {node('shop.0002_cd')}")
        assert names(page, ".found") == ["shop.0003_c", "shop.0004_d"]
        assert "was (2)" in page.run("document.getElementById('details').textContent")

    def test_lines_lead_from_old_to_new_names(self, opened):
        page = opened(rewrite_page(renumbered(), "t"))

        def lines(kind):
            return page.run(f"document.querySelector('.link.{kind}').getAttribute('d').split('M').length - 1")

        assert [lines(kind) for kind in ("kept", "renamed", "collapsed", "self")] == [1, 1, 2, 0]
        page.click(f".pane:nth-child(2) {node('shop.0002_cd')}")
        assert [lines(kind) for kind in ("collapsed", "self")] == [0, 2]
        page.run("(panes[1].view.y -= 5000, panes[1].move())")
        assert [lines(kind) for kind in ("kept", "self")] == [0, 0], "no line to what is out of sight"

    def test_what_is_related_is_so_by_its_old_and_its_new_name(self, opened):
        page = opened(rewrite_page(renumbered(), "t"))
        page.click(f".pane:nth-child(2) {node('shop.0002_cd')}")
        page.click("#related")
        assert names(page, "") == [
            "shop.0001_a",
            "shop.0002_b",
            "shop.0003_c",
            "shop.0004_d",
            "shop.0001_a",
            "shop.0002_cd",
            "shop.0003_b",
        ]
        page.click(f".pane:nth-child(2) {node('shop.0001_a')}")
        page.press("Escape")
        assert len(names(page, "")) == 8

    def test_an_evil_name_is_shown_as_it_is(self, opened):
        page = opened(graph_page(evil(), EVIL, "/"))
        assert page.run("document.getElementById('evil')") is None
        assert page.run("document.querySelector('h1').textContent") == SHOWN
        assert page.run("document.querySelectorAll('.pane .node')[1].dataset.key") == f"shop.{SHOWN}"


def thousand():
    """40 apps of 25, each migration after the third needing one of the app before; forks in every tenth."""
    made = []
    for number in range(40):
        app = f"app{number:02d}"
        for each in chain(app, 25):
            place = int(each.key.name[:4])
            others = (
                [f"app{number - 1:02d}.{each.key.name}"] if number and place > 3 and place % 4 == number % 4 else []
            )
            above = [str(parent) for parent in each.dependencies]
            if place > 2 and place % 10 == 0:
                above = [f"{app}.{place - 2:04d}_m"]
            made.append(migration(str(each.key), *above, *others))
    return make_graph(build_history(made), ranges=[SquashRange(tuple(key(f"app00.{n:04d}_m") for n in (1, 2, 3)), 2)])


def test_the_keys_and_the_links_are_in_the_page(text):
    """The panel can take the focus, the address is followed, and every colour of a node is in the legend."""
    found = Elements(text)
    assert ("aside", "-1") in [(tag, attributes.get("tabindex")) for tag, attributes in found.found]
    script = found.texts["script"]
    assert 'addEventListener("hashchange", follow)' in script
    legend = script[script.index("function legend()") : script.index("function keys(")]
    coloured = set(re.findall(r"\.node\.([a-z.]+) rect \{[^}]*(?:fill|stroke): var", found.texts["style"]))
    named = {entry.replace(" ", ".") for entry in re.findall(r'\["([a-z ]+)", ', legend)}
    fates = {"renamed", "collapsed", "removed"}
    assert coloured - fates <= named
    assert all(f'"{fate}"' in legend for fate in fates)


def test_it_can_be_printed_and_shown_on_a_telephone(text):
    style = Elements(text).texts["style"]
    assert "@media print" in style
    assert "@media (max-width: 600px)" in style
