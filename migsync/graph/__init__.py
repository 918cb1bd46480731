"""The migrations as a picture: one graph, made from a history, and the forms that it is shown in.

`nodes` has the value that all forms show; `closure` has indirect dependencies; `drawing` turns the graph into
boxes and arrows, with chains in one box where asked, for `mermaid` and `dot`; `document` is the JSON; `page` and the
files in `web` are the one HTML file; `before_after` has the graphs before and after a rewrite. No form does any I/O.
"""

from migsync.graph.nodes import Graph, Node, NodeState, SquashRange, make_graph

__all__ = ["Graph", "Node", "NodeState", "SquashRange", "make_graph"]
