"""docs/reference/commands.md, made from ``--help``: ``python -m migsync.cli.command_reference`` writes it anew."""

from __future__ import annotations

import sys
from pathlib import Path

from migsync.cli.help_text import WIDTH
from migsync.cli.program import program

PATH = "docs/reference/commands.md"
HEAD = """# Commands

What `--help` prints. Commands and options complete in bash, zsh and fish: see the end of `migsync --help`.
"""


def reference() -> str:
    """Markdown with the help of the program and of every command, as they print it on a wide terminal."""
    top = program.context_class(program, info_name="migsync", **program.context_settings, terminal_width=WIDTH)
    parts = [HEAD, _section("migsync", top.get_help())]
    for name in program.list_commands(top):
        command = program.commands[name]
        context = command.context_class(command, info_name=name, parent=top, **command.context_settings)
        parts.append(_section(f"migsync {name}", context.get_help()))
    return "\n".join(parts)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{text}\n```\n"


def main() -> None:
    """Write the reference into the file that is named, docs/reference/commands.md by default."""
    Path(sys.argv[1] if len(sys.argv) > 1 else PATH).write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
