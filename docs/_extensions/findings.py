"""Sphinx extension: a page for each code that migsync reports, from its catalogue and the examples of its tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migsync.cli.views.findings import finding_blocks
from migsync.cli.views.layout import lay_out
from migsync.findings import Finding
from migsync.findings.pages import Page, pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx

WIDTH = 90
PROJECT = "/home/me/project/"
"""Where the examples happen."""


def write_pages(app: Sphinx) -> None:
    """Write reference/findings/CODE.md, and the list of them, where the source files are."""
    source = Path(app.srcdir) / "reference"
    examples = json.loads((source / "examples.json").read_text(encoding="utf-8"))
    directory = source / "findings"
    directory.mkdir(exist_ok=True)
    found = pages()
    wanted = {f"{code}.md": _page(page, examples.get(code)) for code, page in found.items()}
    wanted["index.md"] = _index(found)
    for path in directory.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = directory / name
        # An unchanged page is not built again.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _index(found: Mapping[str, Page]) -> str:
    lines = [
        "# Findings and errors",
        "",
        "Every code that migsync reports, in its output and in its JSON documents.",
        "",
    ]
    lines += ["| code | kind | what it reports |", "|---|---|---|"]
    lines += [f"| [`{code}`]({code}.md) | {page.kind} | {page.title} |" for code, page in found.items()]
    return "\n".join([*lines, ""])


def _page(page: Page, example: Mapping[str, Any] | None) -> str:
    # In a toctree each page would be an entry in the sidebar of every other: most of a build's time and of its size.
    parts = [
        "---\norphan: true\n---",
        f"# {page.code}",
        f"*{page.heading}*; [all codes](index.md)",
        f"**{page.title}**",
    ]
    parts += page.body
    if example:
        parts += ["## Example", f"```text\n{_shown(example)}\n```"]
        if facts := example.get("facts"):
            parts += ["Its facts, as in JSON:", f"```json\n{json.dumps(facts, indent=2, ensure_ascii=False)}\n```"]
    return "\n\n".join(parts) + "\n"


def _shown(example: Mapping[str, Any]) -> str:
    """The example as a terminal shows it in the project's directory."""
    document = {"severity": "error"} | {name: value for name, value in example.items() if name != "test"}
    finding = Finding.from_dict(document)
    finding = replace(finding, file=finding.file.removeprefix(PROJECT))
    laid_out = (spans for block in finding_blocks(finding) for spans in lay_out(block, WIDTH))
    return "\n".join("".join(span.text for span in spans).rstrip() for spans in laid_out)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register this extension with Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
