"""The README and the documentation: short, without dead links, and every command in them exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from migsync.cli.program import program
from migsync.project.options import DatabaseOptions, Options, VerifySettings, read_options
from tests.recipes.page import read_pages

pytestmark = pytest.mark.pure

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "docs" / "reference" / "settings.md"
COMPANION = ROOT / "docs" / "reference" / "companion.md"
INTERNAL = {"MIGSYNC_INSTALLED_APPS", "MIGSYNC_COLUMNS"}
"""Variables by which processes of migsync talk to each other, or tests to them."""
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
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
TEST = re.compile(r"\btests/[\w/]+\.\w+")
COMMAND = re.compile(r"(?:^\$ |^|`)(migsync [a-z][^\n`]*)", re.MULTILINE)
CODE = re.compile(r"```(?:sh|console|text)\n(.*?)```|(`migsync [^`\n]*`)", re.DOTALL)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README


def test_every_code_block_is_run_or_says_why_not() -> None:
    """How a page says so is in tests/recipes/page.py, and tests/recipes/test_recipes.py runs it."""
    assert [place for _, loose in read_pages().values() for place in loose] == []


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
def test_links_lead_to_a_heading_that_is_there(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        place, _, anchor = link.partition("#")
        if anchor and "://" not in place:
            target = page.parent / place if place else page
            assert anchor in set(map(slug, HEADING.findall(target.read_text(encoding="utf-8")))), link


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", WRITTEN, ids=NAMES)
def test_tests_that_it_names_exist(page: Path) -> None:
    assert [path for path in TEST.findall(page.read_text(encoding="utf-8")) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", WRITTEN, ids=NAMES)
def test_pictures_are_described(page: Path) -> None:
    for text, picture in re.findall(r"!\[(.*?)\]\((.+?)\)", page.read_text(encoding="utf-8")):
        assert text, picture
        assert "prefers-color-scheme:dark" in (page.parent / picture).read_text(encoding="utf-8"), picture


def test_every_setting_is_documented(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", SETTINGS.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
    assert read_options(tmp_path), "each key of the page is one"
    names = {each.name for kind in (Options, DatabaseOptions, VerifySettings) for each in fields(kind)} - {"file"}
    said = {line.partition(" =")[0].replace("-", "_") for line in block.splitlines()}
    assert sorted(names - said - {"databases", "apps", "verify"}) == []


def test_every_variable_and_system_check_is_documented() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "migsync").rglob("*.py"))
    names = set(re.findall(r"\"(MIGSYNC_[A-Z_]+|migsync\.[EW]\d+)\"", source)) - INTERNAL
    assert len(names) > 5
    text = "".join(path.read_text(encoding="utf-8") for path in (SETTINGS, COMPANION))
    assert sorted(name for name in names if name not in text) == []


def test_every_command_has_a_guide() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in WRITTEN if page.parent.name != "reference")
    assert sorted(name for name in program.commands if f"migsync {name}" not in text) == []


def test_every_page_is_in_a_table_of_contents() -> None:
    for page in (ROOT / "docs").glob("*/*.md"):
        index = (page.parent / "index.md").read_text(encoding="utf-8").splitlines()
        assert page.stem == "index" or page.stem in index, page


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
