"""Small histories to draw, and what a reader of Mermaid and of DOT makes of the drawings."""

from __future__ import annotations

import html
import re

from migsync.history import App, Key, Migration, build_history

SHAPE = re.compile(r' {2}(?: {2})?(n\d+)[\[({/]+"(.*)"[\])}/]+(?::::(\w+))?')
EDGE = re.compile(r"  (n\d+) (-->|-\. replaced by \.->) (n\d+)")


def key(text):
    return Key.parse(text)


def migration(name, *parents, replaces=(), operations=True):
    return Migration(
        key(name),
        f"{name}.py",
        dependencies=tuple(map(key, parents)),
        replaces=tuple(map(key, replaces)),
        operations=operations,
    )


def chain(app, size, start=1):
    """0001 to `size` in a row."""
    names = [f"{app}.{number:04d}_m" for number in range(start, start + size)]
    return [migration(name, *names[max(place - 1, 0) : place]) for place, name in enumerate(names)]


def shop():
    """shop has a fork, a merge and an open squash whose last file is gone; orders and the installed auth touch it."""
    made = [
        migration("auth.0001_initial"),
        migration("shop.0001_initial", "auth.0001_initial"),
        migration("shop.0002_a", "shop.0001_initial"),
        migration("shop.0002_b", "shop.0001_initial"),
        migration("shop.0003_merge", "shop.0002_a", "shop.0002_b", operations=False),
        migration("shop.0004_squash", "shop.0003_merge", replaces=["shop.0004_x", "shop.0005_gone"]),
        migration("shop.0004_x", "shop.0003_merge"),
        migration("shop.0006_end", "shop.0005_gone"),
        migration("orders.0001_initial", "shop.0002_a"),
        migration("orders.0002_more", "orders.0001_initial"),
    ]
    return build_history(made, [App("auth", "/lib/auth", first_party=False), App("shop", "/s"), App("orders", "/o")])


def blocks(markdown):
    """The text of each fenced block."""
    return re.findall(r"^```mermaid\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)


def read(block):
    """One block as ({id: (label, class)}, [(tail label, head label, dotted)]); raises for a line that is neither."""
    boxes, edges = {}, []
    for line in block.splitlines():
        if shape := SHAPE.fullmatch(line):
            boxes[shape[1]] = (decoded(shape[2]), shape[3])
        elif edge := EDGE.fullmatch(line):
            edges.append((boxes[edge[1]][0], boxes[edge[3]][0], edge[2] != "-->"))
        else:
            assert re.fullmatch(
                r'flowchart LR|  subgraph app\d+\["[^"]*"\]|    direction LR|  end|  classDef .*', line
            ), line
    return boxes, edges


def decoded(label):
    """A label as it is drawn."""
    assert not re.search(r'["<>`]', label)
    return html.unescape(re.sub(r"#(\d+);", r"&#\1;", re.sub(r"#([a-z]+);", r"&\1;", label)))
