"""What Django's writer leaves out of a migration's class: ``atomic``, ``run_before``, and a heading of one's own."""

from __future__ import annotations

import re
from collections.abc import Sequence

Node = tuple[str, str]

CLASS = re.compile(r"\nclass Migration\(.*\):\n")
OPERATIONS = "\n    operations = ["


def finished(
    text: str, *, run_before: Sequence[Node] = (), initial: bool | None = None, atomic: bool = True, heading: str = ""
) -> str:
    """The module that Django wrote, with all of its attributes. Django itself writes `initial` only when it is true."""
    if initial is False:
        text = CLASS.sub(r"\g<0>\n    initial = False\n", text, count=1)
    attributes = ""
    if run_before:
        entries = "".join(f"        {node!r},\n" for node in run_before)
        attributes += f"\n    run_before = [\n{entries}    ]\n"
    if not atomic:
        attributes += "\n    atomic = False\n"
    text = text.replace(OPERATIONS, attributes + OPERATIONS, 1)
    return commented(heading) + text


def commented(heading: str) -> str:
    """The lines as a comment, and an empty line after it; nothing for nothing."""
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    return "\n".join([*lines, "", ""]) if lines else ""
