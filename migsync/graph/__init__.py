"""The migrations as a picture: one graph, made from a history, and the forms that it is shown in.

`nodes` is the value that all forms show; `reach` tells what hangs together indirectly; `drawing` turns the graph into
boxes and arrows, with chains in one box where asked, for `mermaid` and `dot`; `document` is the JSON; `page` and the
files in `web` are the one HTML file; `sides` are the two graphs before and after a rewrite. No form does any I/O.
"""

from migsync.graph.nodes import Graph, Node, Run, Standing, make_graph

__all__ = ["Graph", "Node", "Run", "Standing", "make_graph"]
