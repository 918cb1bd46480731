"""The README and the documentation: short, without dead links, and every command in them exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from migsync.cli.program import program

pytestmark = pytest.mark.pure

ROOT = Path(__file__).parents[1]
LONGEST_README = 250
GENERATED = ("reference/findings/", "_build/")
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if not str(path.relative_to(ROOT)).startswith(tuple(f"docs/{each}" for each in GENERATED))
)
WRITTEN = [path for path in PAGES if path.name not in ("CHANGELOG.md", "commands.md")]
NAMES = [str(path.relative_to(ROOT)) for path in WRITTEN]
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:^\$ |^|`)(migsync [a-z][^\n`]*)", re.MULTILINE)
CODE = re.compile(r"```(?:sh|console|text)\n(.*?)```|(`migsync [^`\n]*`)", re.DOTALL)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README


@pytest.mark.parametrize("page", WRITTEN, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        place = link.partition("#")[0]
        if (
            "://" in place
            or any(each in f"{page.parent}/{place}" for each in GENERATED)
            or place.startswith("findings/")
        ):
            continue
        assert (page.parent / place).exists(), link


@pytest.mark.parametrize("page", WRITTEN, ids=NAMES)
def test_commands_and_options_exist(page: Path) -> None:
    unknown = [command for command in commands(page.read_text(encoding="utf-8")) if not exists(command)]
    assert unknown == []


def commands(text: str) -> Iterator[str]:
    """The migsync command lines in the code of a page, comments and continued lines taken care of."""
    for block, inline in CODE.findall(text.replace("\\\n", " ")):
        for command in COMMAND.findall(block or inline):
            yield command.partition("  #")[0].partition(" #")[0].partition(" > ")[0].strip()


def exists(command: str) -> bool:
    words = shlex.split(command.replace("…", ""))[1:]
    found = program.commands.get(words[0]) if words else program
    if not isinstance(found, click.Command):
        return False
    options = {name for each in found.params for name in (*each.opts, *each.secondary_opts)} | {"--help", "-h"}
    if not all(word.partition("=")[0] in options for word in words[1:] if word.startswith("-") and word != "-"):
        return False
    # Resilient: a page may name a command without the arguments that it needs, but with none that it does not take.
    context = click.Context(found, info_name=words[0] if words else "migsync", resilient_parsing=True)
    found.parse_args(context, words[1:])
    return not context.args


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("`migsync plan --check`", True),
        ("```sh\nmigsync apply --nointput\n```", False),
        ("`migsync aply`", False),
        ("`migsync rebase main`", False),
    ],
)
def test_what_does_not_exist_is_found(text: str, *, right: bool) -> None:
    (command,) = commands(text)
    assert exists(command) is right
