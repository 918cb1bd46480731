"""The graph for Graphviz: one cluster an app, from left to right."""

from __future__ import annotations

from migsync.escapes import dot_string
from migsync.graph.drawing import Box, Drawing
from migsync.graph.nodes import NodeKind

STYLES = {
    NodeKind.PLAIN: "",
    NodeKind.MERGE: "shape=hexagon",
    NodeKind.SQUASH: 'shape=box, peripheries=2, style="bold"',
    NodeKind.REPLACED: 'style="dashed", color="gray50", fontcolor="gray40"',
    NodeKind.CHAIN: "shape=box3d",
    NodeKind.OUTSIDE: 'style="dotted", color="gray50", fontcolor="gray40"',
}
SAFE = 'fillcolor="#c6e8c6", style="filled"'


def to_dot(drawing: Drawing) -> str:
    """The text of one ``digraph``, the same for the same drawing."""
    lines = ["digraph migrations {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif", fontsize=10];']
    for number, app in enumerate(drawing.apps):
        lines += [f"  subgraph cluster_{number} {{", f"    label={dot_string(app)};"]
        lines += [f"    {_box(place, drawing.boxes[place])}" for place in drawing.inside[app]]
        lines.append("  }")
    lines += [f"  {_box(number, box)}" for number, box in enumerate(drawing.boxes) if box.kind is NodeKind.OUTSIDE]
    for arrow in drawing.arrows:
        style = ' [style=dashed, arrowhead=empty, label="replaced by", fontsize=8]' if arrow.stands else ""
        lines.append(f"  n{arrow.tail} -> n{arrow.head}{style};")
    return "\n".join([*lines, "}"]) + "\n"


def _box(number: int, box: Box) -> str:
    names = ", ".join(map(str, box.keys))
    said = [
        f"label={dot_string(box.label)}",
        f"tooltip={dot_string(names)}",
        STYLES[box.kind],
        SAFE if box.safe else "",
    ]
    return f"n{number} [{', '.join(filter(None, said))}];"
