"""The README's command reference, made from ``--help``: ``python -m migsync.cli.command_reference`` writes it anew."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from migsync.cli.program import program

BEGIN, END = "<!-- reference:begin -->", "<!-- reference:end -->"


def reference() -> str:
    """Markdown with the help of the program and of every command, exactly as they print it."""
    top = click.Context(program, info_name="migsync", **program.context_settings)
    parts = [_section("migsync", top.get_help())]
    for name in program.list_commands(top):
        command = program.commands[name]
        context = click.Context(command, info_name=name, parent=top, **command.context_settings)
        parts.append(_section(f"migsync {name}", context.get_help()))
    return "\n".join(parts)


def replaced(document: str) -> str:
    """`document` with a new reference between its markers; raises ValueError where they are not there."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def _section(title: str, text: str) -> str:
    return f"### {title}\n\n```text\n{text}\n```\n"


def main() -> None:
    """Write the reference into the file that is named, README.md by default."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "README.md")
    path.write_text(replaced(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
