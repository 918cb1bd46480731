"""The graph as Mermaid, in fenced blocks that GitHub draws; in several where one would be over Mermaid's limits.

Mermaid refuses a diagram with more than 500 edges (`maxEdges`) or 50,000 characters (`maxTextSize`), and where it is
drawn by somebody else, as on GitHub, nobody can raise them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from migsync.escapes import markdown, mermaid_label
from migsync.graph.drawing import Arrow, Box, Drawing
from migsync.graph.nodes import NodeKind

MOST_EDGES = 500
MOST_CHARACTERS = 50_000
FRAME = 1000
"""Characters kept for what a diagram has besides boxes and arrows: its first lines, its subgraph, its classes."""

SHAPES = {
    NodeKind.PLAIN: '["{}"]',
    NodeKind.MERGE: '{{{{"{}"}}}}',
    NodeKind.SQUASH: '[["{}"]]',
    NodeKind.REPLACED: '["{}"]',
    NodeKind.CHAIN: '[/"{}"/]',
    NodeKind.OUTSIDE: '(["{}"])',
}
CLASSES = {
    "replaced": "stroke-dasharray:4 3,opacity:0.7",
    "outside": "stroke-dasharray:2 3,opacity:0.7",
    "safe": "fill:#c6e8c6,stroke:#3a7d3a,color:#1b3d1b",
}


@dataclass(frozen=True)
class Diagram:
    """One block: its boxes (places in the drawing) and all its arrows, which may lead to boxes of other diagrams.

    `title` is empty where it is the only one; `left_out` counts arrows for which there is no room.
    """

    title: str
    own: Sequence[int]
    arrows: Sequence[Arrow]
    left_out: int = 0


def to_mermaid(drawing: Drawing, diagrams: Sequence[Diagram]) -> str:
    """Markdown with one fenced block for each of :func:`diagrams_of`."""
    return "\n".join(_block(drawing, diagram) for diagram in diagrams)


def diagrams_of(drawing: Drawing) -> list[Diagram]:
    """One diagram where it fits; else one an app, or more where the app alone is over the limits."""
    whole = Diagram("", [place for app in drawing.apps for place in drawing.inside[app]], drawing.arrows)
    if _fits(drawing, whole):
        return [whole]
    touching: dict[int, list[Arrow]] = {}
    for arrow in drawing.arrows:
        for place in (arrow.tail, arrow.head):
            touching.setdefault(place, []).append(arrow)
    return [diagram for app in drawing.apps for diagram in _of_app(drawing, app, touching)]


def _of_app(drawing: Drawing, app: str, touching: Mapping[int, Sequence[Arrow]]) -> list[Diagram]:
    parts: list[Diagram] = []
    own: list[int] = []
    arrows: dict[Arrow, None] = {}
    size = 0
    for place in drawing.inside[app]:
        touched = touching.get(place, ())
        new = [arrow for arrow in touched if arrow not in arrows]
        more = _room(drawing, place, new)
        # A box is never left out, so the first of a part is taken even where its arrows alone are too many; `_cut` sees
        # to those.
        if own and (len(arrows) + len(new) > MOST_EDGES or size + more > MOST_CHARACTERS - FRAME):
            parts.append(Diagram(app, own, list(arrows)))
            own, arrows, size, new = [], {}, 0, list(touched)
            more = _room(drawing, place, new)
        own.append(place)
        arrows.update(dict.fromkeys(new))
        size += more
    parts.append(Diagram(app, own, list(arrows)))
    if len(parts) > 1:
        parts = [replace(part, title=f"{app} ({number} of {len(parts)})") for number, part in enumerate(parts, 1)]
    return [_cut(drawing, part) for part in parts]


def _room(drawing: Drawing, place: int, arrows: Sequence[Arrow]) -> int:
    """The most characters that a box takes with these arrows and the stubs at their other ends."""
    others = (arrow.head if arrow.tail == place else arrow.tail for arrow in arrows)
    lines = [_box(place, drawing.boxes[place]), *map(_arrow, arrows)]
    lines += [_box(other, _stub(drawing.boxes[other])) for other in others]
    return sum(len(line) + len("    \n") for line in lines)


def _fits(drawing: Drawing, diagram: Diagram) -> bool:
    return len(diagram.arrows) <= MOST_EDGES and len(_block(drawing, diagram)) <= MOST_CHARACTERS


def _cut(drawing: Drawing, diagram: Diagram) -> Diagram:
    """Where one migration has more neighbours than a diagram can show, those that depend on it give way."""
    own = set(diagram.own)
    arrows = sorted(diagram.arrows, key=lambda arrow: arrow.head not in own)
    kept = arrows[:MOST_EDGES]
    while kept and not _fits(drawing, replace(diagram, arrows=kept)):
        # By tenths: to look whether a diagram fits, all of it has to be written out.
        kept = kept[: len(kept) * 9 // 10]
    return replace(diagram, arrows=kept, left_out=len(arrows) - len(kept))


def _block(drawing: Drawing, diagram: Diagram) -> str:
    """The fenced block, under its title and what is left out of it."""
    lines = [f"### {markdown(diagram.title)}", ""] if diagram.title else []
    if diagram.left_out:
        lines += [
            f"{diagram.left_out} edges too many for Mermaid are left out here; look for them at their other ends.",
            "",
        ]
    return "\n".join([*lines, "```mermaid", "flowchart LR", *_body(drawing, diagram), "```"]) + "\n"


def _body(drawing: Drawing, diagram: Diagram) -> Iterator[str]:
    own = set(diagram.own)
    by_app: dict[str, list[int]] = {}
    for place in diagram.own:
        by_app.setdefault(drawing.boxes[place].app, []).append(place)
    for number, (app, places) in enumerate(by_app.items()):
        yield f'  subgraph app{number}["{mermaid_label(app)}"]'
        yield "    direction LR"
        yield from (f"    {_box(place, drawing.boxes[place])}" for place in places)
        yield "  end"
    around = dict.fromkeys(place for arrow in diagram.arrows for place in (arrow.tail, arrow.head) if place not in own)
    yield from (f"  {_box(place, _stub(drawing.boxes[place]))}" for place in around)
    yield from (f"  {_arrow(arrow)}" for arrow in diagram.arrows)
    used = {_class(drawing.boxes[place]) for place in own} | ({NodeKind.OUTSIDE.value} if around else set())
    yield from (f"  classDef {name} {style}" for name, style in CLASSES.items() if name in used)


def _arrow(arrow: Arrow) -> str:
    return f"n{arrow.tail} {'-. replaced by .->' if arrow.stands else '-->'} n{arrow.head}"


def _box(place: int, box: Box) -> str:
    name = _class(box)
    shape: str = SHAPES[box.kind].format(mermaid_label(box.label))
    return f"n{place}{shape}{f':::{name}' if name else ''}"


def _stub(box: Box) -> Box:
    """A box as a diagram shows it that is not its own."""
    return box if len(box.keys) > 1 else Box(box.keys, NodeKind.OUTSIDE)


def _class(box: Box) -> str:
    if box.kind in (NodeKind.REPLACED, NodeKind.OUTSIDE):
        return box.kind.value
    return "safe" if box.safe else ""
