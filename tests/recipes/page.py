"""A page of the documentation as a story: its code blocks are run, in order, in a project made for them.

Comments in the page say how; no reader sees them. Their lines are steps of a story (tests/pitfalls/story.py).

    <!-- a project             the next blocks are run in a new project, which begins with these steps
    files shop
      0001_initial: create Item
    migrated
    -->
    <!-- then                  more steps, before the next block
    <!-- file: Procfile -->    the next block is this file
    <!-- ends with 2 -->       the commands of the next block have this exit status, in place of 0
    <!-- not run: REASON -->   the next block is not run
    <!-- the rest is not run: REASON -->       nor are those after it, up to the next project
    <!-- tested by tests/test_api.py -->       the blocks after it have a test of their own, up to the next project

What a block is depends on its language:

    sh                 its commands
    python             a script
    console, text      what a person typed behind `$`, and then what was printed. Run ids, times, commits, engines and
                       `…` stand for any text; a line `…` for any lines
    yaml               a pipeline of GitHub or GitLab, objects of Kubernetes, a pre-commit configuration: its commands

A command that asks is run with `--noinput`, as if a person said yes. Nothing is installed: `pip` and `apt-get` do
nothing here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from markdown_it import MarkdownIt

from tests.pitfalls.story import Step, Story, read_steps, story_of
from tests.recipes.pipelines import Job, jobs_of

ROOT = Path(__file__).parents[2]
GENERATED = "docs/reference/commands.md"
COMMENT = re.compile(r"<!-- (.+?)\s*-->", re.DOTALL)
OF_A_TERMINAL = re.compile(r"d shows every diff|.*\[y/N(/d)?\]: ")
PROJECT, THEN = "a project", "then"
NOT_RUN = re.compile(r"(the rest is )?not run: \S|tested by (\S+)")
ENDS = re.compile(r"ends with (\d+)$")
FILE = re.compile(r"file: (\S+)$")
FOR_A_SHELL = re.compile(r"[|<>&;$`]|^(sh|cd|export|rm) ", re.MULTILINE)
"""What only a shell understands. All else is run without one, which takes a tenth of the time."""
VOLATILE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?|\d{8}T\d{6}|\b(?=[a-f]*\d)[0-9a-f]{7,12}\b"
    r"|(SQLite|PostgreSQL|MariaDB)\b|…",
    re.ASCII,
)


@dataclass
class Recipe:
    """The blocks between two comments that begin a project."""

    page: Path
    line: int
    steps: list[Step] = field(default_factory=list)

    @property
    def story(self) -> Story:
        """The recipe as a story."""
        return story_of(self.steps)


@dataclass(frozen=True)
class Block:
    """One code block, and the comment before it if that is about it."""

    place: str
    language: str
    text: str

    def steps(self, status: int) -> Iterator[Step]:
        """Raises ValueError for a language of which nobody knows how to run it."""
        if self.language == "sh":
            commands = [Step(self.place, "$", line, ()) for line in _commands(self.text)]
        elif self.language in ("console", "text"):
            commands = list(session(self.text, self.place))
        elif self.language == "python":
            commands = [Step(self.place, "$", shlex.join(["python", "-c", self.text]), ())]
        elif self.language == "yaml":
            commands = [step for job in jobs_of(self.text) for step in self._job(job)]
        else:
            raise ValueError(f"{self.place}: a block of {self.language or 'no language'} needs a comment")
        if not commands:
            raise ValueError(f"{self.place}: nothing in this block can be run")
        yield from (replace(command, verb=f"{command.verb}{status or ''}") for command in commands)

    def _job(self, job: Job) -> Iterator[Step]:
        variables = "".join(f"{name}={shlex.quote(value)} " for name, value in job.environment)
        whole = FOR_A_SHELL.search(job.script) is not None
        scripts = [f"sh -euc {shlex.quote(job.script)}"] if whole else job.script.splitlines()
        yield from (Step(self.place, "$", f"{variables}{script}", ()) for script in scripts)


def session(text: str, place: str) -> Iterator[Step]:
    """The commands that were typed in a terminal, each with the lines that it printed."""
    typed, *rest = re.split(r"^\$ ", text, flags=re.MULTILINE)
    if typed.strip():
        raise ValueError(f"{place}: what was typed is missing")
    for each in rest:
        command, *printed = each.splitlines()
        said = [line for line in printed if line.strip(" …") and not OF_A_TERMINAL.match(line)]
        yield Step(place, "$", command, tuple(map(_expected, said)))


def _commands(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s+)# .*$", "", line).strip()
        if command and command != "set -e":
            yield command


def _expected(line: str) -> str:
    return " ".join(VOLATILE.sub("*", line).split())


def recipes_of(page: Path, name: str) -> tuple[list[Recipe], list[str]]:
    """The recipes of a page, and the places of blocks that are neither run nor said to be not run.

    Raises:
        ValueError: for a comment or a block that nobody understands.
    """
    recipes: list[Recipe] = []
    loose: list[str] = []
    about, rest_is_out = "", False
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        place = f"{name}:{token.map[0] + 1}" if token.map else name
        if token.type == "html_block" and (comment := COMMENT.fullmatch(token.content.strip())):
            about, _, lines = comment[1].partition("\n")
            steps = read_steps(name, lines.splitlines(), (token.map or [0])[0] + 2)
            if about == PROJECT:
                recipes.append(Recipe(page, (token.map or [0])[0] + 1))
            if about in (PROJECT, THEN):
                recipes[-1].steps += steps
                about, rest_is_out = "", rest_is_out and about == THEN
            elif found := NOT_RUN.match(about):
                rest_is_out = rest_is_out or bool(found[1] or found[2])
            elif not (ENDS.match(about) or FILE.match(about)):
                raise ValueError(f"{place}: this comment is not understood: {about}")
        elif token.type == "fence" and not token.info.startswith("{"):
            block, said, about = Block(place, token.info.strip(), token.content), about, ""
            if rest_is_out or NOT_RUN.match(said):
                continue
            if not recipes:
                loose.append(place)
            elif file := FILE.match(said):
                recipes[-1].steps.append(Step(place, "file", file[1], tuple(block.text.splitlines())))
            else:
                recipes[-1].steps += block.steps(int(ends[1]) if (ends := ENDS.match(said)) else 0)
    return recipes, loose


def read_pages() -> dict[str, tuple[list[Recipe], list[str]]]:
    """What :func:`recipes_of` finds in each page that is written by hand, by the page's path in the checkout."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/*/*.md")]
    names = {str(page.relative_to(ROOT)): page for page in sorted(pages)}
    return {name: recipes_of(page, name) for name, page in names.items() if name != GENERATED}
